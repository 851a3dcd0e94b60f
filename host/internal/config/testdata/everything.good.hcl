host {
  listen          = "127.0.0.1:7420"
  data_dir        = "./data"
  plugin_dir      = "./bin/plugins"
  systems_dir     = "./systems"
  admin_tokens    = [env("TEST_ADMIN_TOKEN")]
  key_command     = ["vault", "read", "master"]
  rate            = "600/m"
  encrypt_data    = false
  drain           = "1m30s"
  watch           = true
  private_targets = ["10.20.0.0/16"]
  log {
    level = "debug"
  }
}

listener "public" {
  address         = "0.0.0.0:7443"
  serve           = ["connect", "api"]
  public_url      = "https://connect.example.com"
  trusted_proxies = ["10.0.0.0/8"]
  tls {
    cert = plain(env("TEST_CERT"))
    key  = plain(env("TEST_KEY"))
  }
}

admin_token "ops" {
  value       = env("TEST_ADMIN_TOKEN")
  role        = "operator"
  connections = ["plant-7-*"]
}

network "corp" {
  proxy       = "http://proxy.example.com:3128"
  no_proxy    = ["10.0.0.0/8"]
  fingerprint = "sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
}

connector "tryton" {
  env       = ["SSL_CERT_DIR"]
  memory    = "512MiB"
  isolation = "connection"
}

oauth_client "business-central" {
  client_id     = "dinrail"
  client_secret = env("TEST_PASSWORD")
  scopes        = ["Financials.ReadWrite.All"]
}

connection "plant-7-erp" {
  system      = "tryton"
  label       = "Plant 7 ERP"
  settings    = { url = "https://erp.example.com", database = "plant7" }
  auth        = "basic"
  credentials = { username = "dinrail", password = env("TEST_PASSWORD") }
  network     = "corp"
  metadata    = { customer = "4711" }
  check_every = "5m"
  paused      = false
  exclude     = ["people.email"]

  sync "purchase_orders" {
    every   = "15m"
    full    = "24h"
    history = "90d"
  }
  sync "native/party.party" {
    full    = "0s"
    history = "all"
  }

  map "purchase_orders" {
    cost_center = raw.x_cost_center
  }

  webhook "maintenance-app" {
    events = ["sync.failed", "connection.*"]
  }
}

webhook "maintenance-app" {
  url         = "https://app.example.com/hooks"
  secret      = env("TEST_HOOK_SECRET")
  events      = ["sync.*", "connection.*", "system.error", "trigger.low-stock"]
  connections = ["*"]
  headers     = { X-Plant = "7" }
  timeout     = "10s"
  rate        = "50/s"
  empty_syncs = true
  retry {
    first  = "30s"
    factor = 2
    limit  = "24h"
  }
}

trigger "low-stock" {
  entity = "inventory_levels"
  when   = record.on_hand < record.reorder_point
  data   = { item = record.item.id, short_by = record.reorder_point - record.on_hand }
}

trigger "overdue" {
  entity = "work_orders"
  when   = record.status != "completed" && before(record.due_at, now())
  every  = "1h"
}

locals {
  url    = "https://erp${local.number}.example.com"
  number = 8
  plants = { "8" = local.url, "9" = "https://erp9.example.com" }
}

connection "plant" {
  for_each    = local.plants
  system      = "tryton"
  settings    = { url = each.value, database = "plant${each.key}" }
  credentials = { username = "dinrail", password = env("TEST_PASSWORD") }
}

moved {
  from = "plant-6-erp"
  to   = "plant-7-erp"
}
