system "bad-name" {
  label     = "Bad"
  vendor    = "Nobody"
  category  = "cms"
  connector = "rest"
  gude      = "x"

  setting "url" {}
  setting "secret" {
    secret = true
    tpye   = "string"
  }

  auth "basik" {}
  auth "api_key" {}
  auth "session" {
    login {
      path  = "login"
      body  = { user = credential.user }
      token = body.token
    }
  }
  auth "oauth2" {}

  request {
    base = "${setting.ur}/x"
    rate = "often"
  }

  error {
    when = body.failed
    code = "forbidden"
  }

  entity "work_order" {
    id = raw.id
  }
}
