# The configuration that `make run` starts: one connection to the sandbox plant.
host {
  admin_tokens = [env("DINRAIL_ADMIN_TOKEN")]
}

connection "plant" {
  system = "sandbox"
  label  = "Sandbox plant"
  settings = {
    url = plain(env("DINRAIL_SANDBOX_URL", "http://127.0.0.1:7421"))
  }
  credentials = {
    username = env("DINRAIL_SANDBOX_USERNAME", "operator")
    password = env("DINRAIL_SANDBOX_PASSWORD", "plant-7")
  }
}
