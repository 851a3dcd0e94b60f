host {
  listen       = "nowhere"
  listn        = "127.0.0.1:1"
  admin_tokens = [env("TEST_MISSING"), "short"]
  drain        = "soon"
  rate         = "fast"
  key          = env("TEST_PASSWORD")
  key_file     = "master.key"
  log {
    level = "inof"
  }
}
host {}
