# A service that speaks OData. Every entity set that the login may read becomes an
# entity under its own name, as native/NAME. Set ODATA_URL, ODATA_USER and
# ODATA_PASSWORD, and DINRAIL_ADMIN_TOKEN to a string of 32 to 200 characters that
# starts with dra_.
host {
  admin_tokens = [env("DINRAIL_ADMIN_TOKEN")]
}

connection "erp" {
  system = "odata"
  label  = "ERP"
  settings = {
    url    = plain(env("ODATA_URL", "http://127.0.0.1:4004/odata/v4/plant"))
    expand = "WorkOrders=operations"
  }
  credentials = { username = env("ODATA_USER", "connector"), password = env("ODATA_PASSWORD") }

  sync "native/WorkOrders" {
    every = "1m"
    full  = "6h"
  }
}
