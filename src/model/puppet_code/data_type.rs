//! Puppet's data types as a parameter states them.

mod read;
mod write;

pub use read::{is_core, read};

/// A data type.
#[derive(Clone, Debug, PartialEq)]
pub enum Type {
    Any,
    Undef,
    Default,
    Scalar,
    ScalarData,
    Numeric,
    Boolean(Option<bool>),
    Integer(Range<i64>),
    Float(Range<f64>),
    String(Size),
    /// A string itself, in `Optional['x']` and `NotUndef['x']`.
    Literal(String),
    Enum {
        values: Vec<String>,
        any_case: bool,
    },
    Pattern(Vec<String>),
    Regexp(Option<String>),
    Variant(Vec<Type>),
    Optional(Option<Box<Type>>),
    NotUndef(Option<Box<Type>>),
    Array {
        element: Box<Type>,
        size: Size,
    },
    Hash {
        key: Box<Type>,
        value: Box<Type>,
        size: Size,
    },
    Collection(Size),
    Tuple {
        types: Vec<Type>,
        size: Size,
    },
    Struct(Vec<Member>),
    Sensitive(Box<Type>),
    /// A type of which no value can come from an ENC: `Callable`, `Timestamp`, `Type`, …
    Foreign {
        name: &'static str,
        arguments: String,
    },
    /// A type of another name: an alias, a resource type, `Data`.
    Reference(String),
}

/// A member of a struct.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    pub name: String,
    pub key: Key,
    pub value: Type,
}

/// How a member's key is stated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// It may be left out where its value may be undef.
    Plain,
    Optional,
    NotUndef,
}

/// From and to, both inclusive; none is without a bound.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range<T> {
    pub from: Option<T>,
    pub to: Option<T>,
}

/// A length; none is not stated, which is any.
pub type Size = Option<Range<i64>>;

/// Of nothing but what is empty, whatever would be in it.
fn is_empty(size: &Size) -> bool {
    *size == Some(Range { from: Some(0), to: Some(0) })
}

impl Type {
    /// True where a part of it is another type's name, which may stand for anything.
    pub fn has_reference(&self) -> bool {
        !self.references().is_empty()
    }

    /// The names of other types in it.
    pub fn references(&self) -> Vec<&str> {
        let mut found = Vec::new();
        self.gather(&mut found);
        found
    }

    fn gather<'t>(&'t self, found: &mut Vec<&'t str>) {
        match self {
            Type::Reference(source) => {
                found.push(source.split_once('[').map_or(source.as_str(), |(name, _)| name));
            }
            Type::Variant(types) | Type::Tuple { types, .. } => {
                types.iter().for_each(|inside| inside.gather(found));
            }
            Type::Optional(Some(inside)) | Type::NotUndef(Some(inside)) => inside.gather(found),
            Type::Sensitive(inside) | Type::Array { element: inside, .. } => inside.gather(found),
            Type::Hash { key, value, .. } => {
                key.gather(found);
                value.gather(found);
            }
            Type::Struct(members) => members.iter().for_each(|member| member.value.gather(found)),
            // What it is of is not read here.
            Type::Foreign {
                name: "Callable" | "Type" | "Init" | "Iterable" | "Iterator",
                arguments,
            } => {
                let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
                let words =
                    arguments.split(|c| !is_part(c)).map(|word| word.trim_start_matches(':'));
                let is_name = |word: &&str| word.starts_with(|c: char| c.is_ascii_uppercase());
                found.extend(words.filter(is_name).filter(|word| !is_core(word)));
            }
            _ => {}
        }
    }
}

/// True where undef is a value of the type, as far as the type itself says.
pub fn takes_undef(of: &Type) -> bool {
    match of {
        Type::Any | Type::Undef | Type::Optional(_) => true,
        Type::Variant(types) => types.iter().any(takes_undef),
        Type::Reference(name) => matches!(name.as_str(), "Data" | "RichData"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::puppet_code::lexer::lex;

    fn written(text: &str) -> Option<String> {
        read(text, &lex(text).ok()?.tokens).map(|found| found.to_string())
    }

    /// What `TypeParser` makes of a type and `TypeFormatter` writes of it.
    #[test]
    fn types_are_written_as_puppet_writes_them() {
        for (text, expected) in [
            ("Integer[1,default]", "Integer[1]"),
            ("Integer[default, -1]", "Integer[default, -1]"),
            ("Integer[0x1f]", "Integer[31]"),
            ("String[1]", "String[1]"),
            ("String", "String"),
            ("Optional['a']", "Optional['a']"),
            ("Variant[Undef,Variant[String,Undef]]", "Variant[Undef, String]"),
            ("Variant[Boolean]", "Boolean"),
            ("Enum[present,\"it's\"]", r"Enum['it\'s', 'present']"),
            (r"Enum['a\b', 'a\\\\b', 'c\\']", r#"Enum["a\\\\b", 'a\b', "c\\"]"#),
            ("Enum['a',true]", "Enum['a', true]"),
            (r"Pattern[/^a\/b$/, 'c']", r"Pattern[/^a\/b$/, /c/]"),
            ("Array[String, 1, 3]", "Array[String, 1, 3]"),
            ("Array[0,0]", "Array[0, 0]"),
            ("Array", "Array"),
            ("Hash[String, Any, 1]", "Hash[String, Any, 1]"),
            (
                "Struct[{a => String, Optional[b] => Integer, c=>Optional[Float[0.5]]}]",
                "Struct[{'a' => String, Optional['b'] => Integer, 'c' => Optional[Float[0.5]]}]",
            ),
            ("Stdlib::Port", "Stdlib::Port"),
            ("Notundef[Any]", "NotUndef"),
        ] {
            assert_eq!(written(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_needs_running_code_is_no_type() {
        for text in [
            "$x",
            "Integer[$x]",
            "String[1",
            "Array[String] x",
            "foo",
            "Enum[1]",
            "A::b",
            "Array[1]",
            "Hash[1]",
            "Hash[default, default]",
            "Integer[5, 1]",
            "Float[5, 1.5]",
            "String[5, 1]",
            "Array[String, 5, 1]",
            "Struct[{'' => String}]",
            "Struct[{a => String, a => Integer}]",
            "Class[Foo]",
            "Timestamp['x']",
            "Type[1]",
            "URI[1]",
            "Iterable['x']",
            "Resource[1]",
            "File[1]",
            "Binary[1]",
            "Data[1]",
            "Any[1]",
            "Object[1]",
            "Pattern['(']",
            "Regexp['[a']",
            "Pattern['+']",
        ] {
            assert_eq!(written(text), None, "{text}");
        }
        assert_eq!(written(&format!("{}String{}", "Array[".repeat(200), "]".repeat(200))), None);
    }
}
