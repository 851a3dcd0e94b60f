admin_token "a" {
  value = env("TEST_PASSWORD")
  role  = "boss"
}
admin_token "b" {
  sha256 = "12"
}
connection "plant" {
  system      = "tryton"
  settings    = { port = parseint(env("TEST_PASSWORD"), 10) }
  credentials = { username = "u", password = "hunter2-literal" + 1 }
  metadata    = { note = env("TEST_PASSWORD") }
}
webhook "w" {
  url     = "ftp://user:hunter2-literal@example.com"
  secret  = "hunter2-literal"
  headers = { Authorization = "Bearer hunter2-literal" }
}
