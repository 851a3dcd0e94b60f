system "acme-cmms" {
  label     = "Acme CMMS"
  vendor    = "Acme"
  category  = "cmms" # cmms eam erp wms mrp mes qms database machine other
  website   = "https://acme.example.com"
  connector = "rest"
  guide     = file("acme-cmms.md")

  setting "url" {
    label       = "Instance URL"
    placeholder = "https://acme.example.com"
  }

  auth "basic" {} # basic · api_key · bearer · oauth2 (authorization_code, client_credentials, password) · session (login call) · none

  request {
    base    = "${setting.url}/api/v2"
    headers = { Accept = "application/json" }
    rate    = "10/s"
  }

  page "cursor" { # offset · page · cursor · link · odata · keyset · none
    send = { cursor = page.next, limit = 200 }
    next = body.next
  }

  error {
    when    = status == 403
    code    = "permission_denied"
    message = body.error.message
  }

  entity "work_orders" {
    id         = raw.id
    created_at = raw.createdAt
    updated_at = raw.updatedAt

    list {
      path    = "/workorders"
      records = body.items
    }
    since {
      send    = { updated_after = since } # RFC 3339; formatdate(…), unixtime(…) for others
      overlap = "2m"
    }
    get {
      path = "/workorders/${id}" # values put into a path are escaped
    }
    create {
      method = "POST"
      path   = "/workorders"
      body   = { title = record.name }
    }
    update {
      method = "PATCH"
      path   = "/workorders/${id}"
      body   = { title = record.name }
    }
    map {
      name   = raw.name
      status = lookup({ OPEN = "open", DONE = "completed" }, raw.state, "unknown") # status_native = raw.state comes by itself
      asset  = { id = raw.asset.id }
    }
  }
}
