type T::Str = Struct[{a => T::Opt, NotUndef[b] => T::Opt, Optional[c] => T::Opt}]
