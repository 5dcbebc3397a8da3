class foo::shut {
  assert_private()
}
