type T::Rex = Regexp
