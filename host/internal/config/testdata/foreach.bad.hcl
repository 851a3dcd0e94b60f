locals {
  a = local.b
  b = local.a
}
connection "one" {
  for_each = ["a"]
  system   = "tryton"
}
connection "two" {
  for_each = toset([env("TEST_PASSWORD")])
  system   = "tryton"
}
connection "three" {
  for_each = { "a b" = 1 }
  system   = "tryton"
}
