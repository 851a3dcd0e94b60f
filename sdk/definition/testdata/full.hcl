# Everything that the language has, in one file.
locals {
  status = { OPEN = "open", DONE = "completed", "IN PROGRESS" = "in_progress" }
  units  = jsondecode(file("full.units.json"))
}

system "full" {
  label     = "Full"
  vendor    = "Nobody"
  category  = "eam"
  website   = "https://full.example.com"
  connector = "rest"
  guide     = file("full.md")

  proof {
    state  = "checked against description"
    source = "https://full.example.com/openapi.json"
    date   = "2026-05-04"
    note   = "reads only"
  }

  setting "url" {
    label       = "Instance URL"
    placeholder = "https://full.example.com"
  }
  setting "zone" {
    label   = "Time zone"
    default = "Europe/Vienna"
  }
  setting "tenant" {
    secret   = true
    required = false
  }

  auth "basic" {}
  auth "api_key" {
    label = "Two keys"
    field "app" {
      label = "Application"
    }
    field "secret" {
      label  = "Secret"
      secret = true
    }
    headers = {
      X-App       = credential.app
      X-Signature = hmacsha256(credential.secret, "${request.method}\n${request.path}\n${request.query}\n${request.time}")
    }
    query = { app = credential.app }
  }
  auth "bearer" {}
  auth "session" {
    login {
      path    = "/login"
      body    = { user = credential.username, password = credential.password }
      token   = body.session.token
      cookies = true
      expired = status == 401 || body.error.code == "SESSION"
    }
    headers = { X-Session = session.token }
  }
  auth "oauth2" {
    oauth {
      grants        = ["authorization_code", "client_credentials"]
      authorize_url = "${setting.url}/oauth/authorize"
      token_url     = "${setting.url}/oauth/token"
      scopes        = ["read"]
      parameters    = { prompt = "consent" }
    }
  }
  auth "none" {}

  request {
    base    = "${setting.url}/api"
    headers = { Accept = "application/json", X-Tenant = setting.tenant }
    query   = { lang = "en" }
    rate    = "600/m"
    timeout = "30s"
    charset = "iso-8859-1"
  }

  check {
    path     = "/me"
    identity = body.email
  }

  retry {
    attempts = 4
    first    = "2s"
  }

  error {
    when    = status == 200 && body.error != null
    code    = "invalid"
    message = body.error.text
  }
  error {
    message = coalesce(body.message, body.error.text)
  }

  page "cursor" {
    send  = { cursor = page.next, limit = 200 }
    next  = body.next
    total = body.total
  }

  entity "vendors" {
    id = raw.id
    list {
      path    = "/vendors"
      records = body.items
      page "page" {
        send  = { page = page.number, size = 50 }
        first = 0
        more  = body.hasMore
      }
    }
    map {
      name      = raw.name
      addresses = [{ kind = "main", line1 = raw.street, city = raw.city }]
    }
  }

  entity "work_orders" {
    label      = "Jobs"
    id         = [raw.plant, raw.no]
    created_at = localtime(raw.created, setting.zone)
    updated_at = fromunixms(raw.changed)
    deleted    = raw.state == "DELETED"

    list {
      method  = "POST"
      path    = "/jobs/search"
      query   = { expand = ["tasks", "parts"] }
      headers = { X-Since = since }
      body    = { plant = "1" }
      records = body.items
    }
    since {
      send    = { from = unixtime(since), to = unixtime(until) }
      overlap = "5m"
      window  = "7d"
      ordered = true
    }
    deletions {
      path    = "/jobs/deleted"
      query   = { from = since }
      records = body
      id      = [raw.plant, raw.no]
      page "none" {}
    }
    detail "notes" {
      path  = "/jobs/${key[0]}/${key[1]}/notes"
      value = body.items
    }
    get {
      path   = "/jobs/${key[0]}/${key[1]}"
      record = body.item
    }
    create {
      path = "/jobs"
      body = { title = record.name, state = lookup({ open = "OPEN" }, record.status, null), asset = { no = record.asset.id } }
      id   = [body.plant, body.no]
    }
    update {
      path = "/jobs/${key[0]}/${key[1]}"
      body = { title = record.name }
    }
    delete {
      path = "/jobs/${key[0]}/${key[1]}"
    }
    map {
      number            = "${raw.plant}-${raw.no}"
      name              = raw.title
      description       = join("\n", [for n in raw.notes : n.text])
      kind              = "corrective"
      status            = lookup(local.status, raw.state, "unknown")
      priority          = raw.prio > 3 ? "high" : "low"
      asset             = { id = raw.asset.no, name = raw.asset.name }
      assignees         = [for p in raw.people : { id = p.id, name = "${p.first} ${p.last}" }]
      due_on            = parsetime("DD.MM.YYYY", raw.due)
      started_at        = localtime(raw.started, setting.zone)
      estimated_minutes = raw.seconds / 60
      tags              = raw.tags
      tasks             = [for t in raw.tasks : { id = t.id, name = t.text, kind = lookup({ C = "check" }, t.kind, "unknown"), required = t.must }]
      parts             = [for p in raw.parts : { item = { id = p.part }, used_quantity = decimal(p.qty, ","), uom = lookup(local.units, p.unit, p.unit), unit_cost = { amount = p.cost, currency = "EUR" } }]
      custom            = { cost_center = raw.x_cost_center }
    }
  }

  entity "meter_readings" {
    id   = raw.id
    each = "work_orders"
    list {
      path    = "/jobs/${parent.no}/readings"
      records = body
      page "none" {}
    }
    map {
      value   = raw.value
      read_at = raw.at
      meter   = { id = raw.meter }
    }
  }

  entity "native/badges" {
    id = raw.id
    list {
      path    = "/badges"
      records = body
      page "url" {
        next = body.next
      }
    }
  }
}
