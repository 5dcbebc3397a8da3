type Foo::Port = Integer[0, 65535]
