system "bad-syntax" {
  label = "x
}
