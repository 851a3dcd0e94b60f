host {
  listen = "0.0.0.0:7420"
}
listener "clear" {
  address = "0.0.0.0:7443"
}
listener "twice" {
  address    = "0.0.0.0:7443"
  public_url = "https://connect.example.com/dinrail"
  tls {
    cert = "nowhere.pem"
    key  = "nowhere.key"
  }
}
listener "both" {
  address                  = "10.0.0.1:7444"
  tls_terminated_elsewhere = true
  trusted_proxies          = ["10.0.0"]
  tls {
    cert = "nowhere.pem"
    key  = "nowhere.key"
  }
}
listener "odd" {
  address = "7445"
  serve   = ["api", "metricses"]
}
