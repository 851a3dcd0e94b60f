connection "plant 7" {
  system = "tryton"
}
connection "plant-1" {
  sytem       = "tryton"
  label       = env("TEST_PASSWORD")
  check_every = "0s"
  network     = "crop"
  exclude     = ["email"]
  credentials = { username = "u", password = "hunter2-literal", pin = env("TEST_MISSING") }
  sync "items" {
    every = "15 minutes"
  }
  sync "items" {}
  map "items" {
    a = rwa.x
    b = env("HOME")
    c = uper(raw.x)
  }
}
connection "plant-1" {
  system = "tryton"
}
network "corp" {}
conection "plant-2" {}
