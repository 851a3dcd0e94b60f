system "bad-sql" {
  label     = "Bad"
  vendor    = "Nobody"
  category  = "erp"
  connector = "sql"
  auth "basic" {
    headers = { X = "1" }
  }
  request {
    base = "x"
  }
  page "offset" {
    send = { offset = page.offset }
  }
  entity "work_orders" {
    id = raw.id
    list {
      path  = "/x"
      table = "auftrag"
    }
    map {
      name = raw.name
    }
  }
}
