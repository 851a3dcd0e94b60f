connector "tryton" {
  memory    = "lots"
  isolation = "systm"
  sha256    = "abc"
}
network "corp" {
  ca          = "missing.pem"
  fingerprint = "md5:00"
  proxy       = "proxy"
}
connection "plant" {
  system  = "tryton"
  network = "corp"
}
listener "public" {
  address = "0.0.0.0:7443"
  serve   = ["apis"]
}
trigger "t" {
  entity = "items"
  when   = recrd.on_hand < 1
}
webhook "w" {
  url = "https://app.example.com"
  retry {
    schedule = ["30s", "x"]
    first    = "1s"
  }
}
moved {
  from = "a"
  to   = "a"
}
