host {
  listen = "0.0.0.0:7420"
}
