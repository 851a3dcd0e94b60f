connection "plant" {
  system   = "tryton
  password = "hunter2-literal"
}
