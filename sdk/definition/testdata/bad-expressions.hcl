locals {
  status = { A = "opened", B = "completed" }
  other  = env("HOME")
}

system "bad-expressions" {
  label     = "Bad ${setting.url}"
  vendor    = file("../x.md")
  category  = "cmms"
  connector = "rest"
  setting "url" {}
  setting "key" {
    secret = true
  }
  auth "none" {}
  request {
    base = setting.url
  }
  page "cursor" {
    send = { cursor = page.nxt }
    next = bdy.next
  }
  entity "work_orders" {
    id         = rw.id
    updated_at = now2()
    list {
      path    = "workorders?x=1"
      query   = { key = setting.key, t = credential.token, e = env("X") }
      body    = { a = 1 }
      records = body.items
    }
    since {
      send   = { a = "x" }
      window = "7d"
    }
    map {
      nmae     = raw.title
      id       = raw.id
      status   = lookup(local.status, raw.state, "unknwon")
      kind     = "correctiv"
      asset    = { id = raw.asset.id, label = raw.asset.name }
      location = "L1"
      tags     = "x"
      tasks    = [for t in raw.tasks : { nam = t.name, kind = lookup({ C = "chek" }, t.kind, "other") }]
      name     = [for x in raw.names : x]
      due_at   = { id = 1 }
    }
    create {
      path = "/x"
      body = { t = record.nam, a = record.asset.identity }
    }
  }
  entity "meters" {
    id   = raw.id
    each = "work_order"
    list {
      path    = "/x"
      records = body
    }
    map {}
  }
}
