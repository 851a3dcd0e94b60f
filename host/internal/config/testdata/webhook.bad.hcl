webhook "a" {
  url     = "file:///etc/passwd"
  events  = ["sync.compleeted", "record.*"]
  headers = { "Webhook-Id" = "1", "X Plant" = "7", "X-Note" = "a\r\nb" }
  timeout = "1h"
}

webhook "a" {
  url = "https://app.example.com"
}

webhook "b" {
  url    = "https://app.example.com"
  secret = "hunter2-literal"
  rate   = "often"
  retry {
    factor = 0.5
    limit  = "90d"
  }
}

webhook "c" {
  url    = "https://app.example.com"
  evnets = ["*"]
  retry {
    schedule = ["30s", "x"]
    first    = "1s"
  }
}

connection "plant" {
  system = "tryton"
  webhook "a" {
    events = ["syncs.*"]
  }
}

trigger "t" {
  entity = "items"
  when   = recrod.on_hand < 1
  every  = "1ms"
  limit  = 0
  fire   = "always"
}

trigger "u" {
  entity = "items"
  data   = { home = env("HOME") }
}
