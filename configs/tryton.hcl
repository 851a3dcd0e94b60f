# A connection to Tryton. Set TRYTON_URL, TRYTON_DATABASE, TRYTON_USER and
# TRYTON_PASSWORD, and DINRAIL_ADMIN_TOKEN to a string of 32 to 200 characters
# that starts with dra_.
host {
  admin_tokens = [env("DINRAIL_ADMIN_TOKEN")]
}

connection "tryton" {
  system = "tryton"
  label  = "Tryton"
  settings = {
    url      = plain(env("TRYTON_URL", "http://127.0.0.1:8000"))
    database = plain(env("TRYTON_DATABASE", "tryton"))
  }
  credentials = {
    username = env("TRYTON_USER", "admin")
    password = env("TRYTON_PASSWORD")
  }
}
