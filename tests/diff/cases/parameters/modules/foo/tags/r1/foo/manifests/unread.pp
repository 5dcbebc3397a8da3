class foo::unread(
