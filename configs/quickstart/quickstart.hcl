# The configuration that `make run` starts: one connection to the sandbox plant,
# and a receiver of webhooks on this machine.
host {
  admin_tokens    = [env("DINRAIL_ADMIN_TOKEN")]
  private_targets = ["127.0.0.0/8"] # so that the sandbox plant can be connected by API and link, too
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

webhook "receiver" {
  url    = plain(env("DINRAIL_RECEIVER_URL", "http://127.0.0.1:7422"))
  secret = env("DINRAIL_WEBHOOK_SECRET")
  events = ["sync.*", "connection.*", "trigger.*", "system.*"]
}

# Fires when an item's stock falls below its reorder point, once until it was
# above it again.
trigger "low-stock" {
  entity = "inventory_levels"
  when   = record.on_hand < record.reorder_point
  data   = { item = record.item.id, short_by = record.reorder_point - record.on_hand }
}
