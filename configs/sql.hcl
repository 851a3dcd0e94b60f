# Two databases, PostgreSQL and MariaDB (or MySQL). Every table and view that the
# login may read becomes an entity under its own name, as native/NAME. Set PG_URL,
# PG_PASSWORD, MARIADB_URL and MARIADB_PASSWORD, and DINRAIL_ADMIN_TOKEN to a
# string of 32 to 200 characters that starts with dra_.
host {
  admin_tokens = [env("DINRAIL_ADMIN_TOKEN")]
}

connection "maintenance" {
  system      = "sql"
  label       = "Maintenance database"
  settings    = { url = plain(env("PG_URL", "postgres://127.0.0.1:5432/plant")) }
  credentials = { username = env("PG_USER", "connector"), password = env("PG_PASSWORD") }

  sync "native/auftrag" {
    every = "1m"
    full  = "6h"
  }
  sync "native/anlage" {}
}

connection "mes" {
  system = "sql"
  label  = "MES database"
  settings = {
    url       = plain(env("MARIADB_URL", "mariadb://127.0.0.1:3306/plant"))
    tables    = "work_orders, v_*"
    keys      = "v_open_work_orders=id"
    changes   = "v_open_work_orders=updated_at"
    time_zone = "Europe/Berlin"
  }
  credentials = { username = env("MARIADB_USER", "connector"), password = env("MARIADB_PASSWORD") }
}
