//! Definitions: their names, their parameters, and where each may stand.

use super::{Body, Parser, Place, is_keyword, is_name};
use crate::model::puppet_code::lexer::Kind;
use crate::model::puppet_code::{Unreadable, What};

/// Where a parameter may take all the rest (`*$rest`).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Rest {
    Nowhere,
    /// In a lambda.
    AtEnd,
    /// In a function: its caller is told.
    Anywhere,
}

/// So many classes may be around one: the name of each has those of all around it.
const DEEPEST_CLASS: usize = 64;

impl Parser<'_> {
    /// What is defined here, if anything.
    pub(super) fn begins(&self) -> Option<What> {
        if self.kind(0) != Some(&Kind::Name) {
            return None;
        }
        let next = self.kind(1);
        match self.word(0) {
            "class" if next != Some(&Kind::Mark('{')) => Some(What::Class),
            "define" => Some(What::DefinedType),
            "function" => Some(What::Function),
            "type" if next != Some(&Kind::Mark('(')) => Some(What::TypeAlias),
            _ => None,
        }
    }

    pub(super) fn definition(&mut self, kind: What) -> Result<(), Unreadable> {
        let is_allowed = match kind {
            What::Class | What::DefinedType => self.body != Body::Other,
            What::Function | What::TypeAlias => self.body == Body::File,
        };
        if !is_allowed {
            return Err(self.wrong("expected this at top level or in a class"));
        }
        if self.around.len() == DEEPEST_CLASS {
            return Err(self.wrong("classes are nested too deep"));
        }
        let within = self.around.last().copied();
        let place = Place { kind, at: self.at, within, private: false };
        self.at += 1;
        if kind == What::TypeAlias {
            self.found.push(place);
            return self.alias();
        }
        self.name()?;
        if kind == What::Class {
            self.around.push(self.found.len());
        }
        self.found.push(place);
        if self.is('(') {
            self.at += 1;
            let is_function = kind == What::Function;
            self.parameters(')', if is_function { Rest::Anywhere } else { Rest::Nowhere })?;
        }
        match kind {
            What::Function => self.return_type()?,
            What::Class if self.word(0) == "inherits" => {
                self.at += 1;
                let word = self.word(0);
                match self.kind(0) {
                    Some(Kind::Reference) => {}
                    Some(Kind::Name) if !is_keyword(word) || word == "default" => {}
                    _ => return Err(self.expected("a class after `inherits`")),
                }
                self.at += 1;
            }
            _ => {}
        }
        if !self.is('{') {
            return Err(self.expected("`{`, where a body begins"));
        }
        let block = self.block(if kind == What::Class { Body::Class } else { Body::Other })?;
        if kind == What::Class {
            self.around.pop();
        }
        match block.ends_idle.filter(|_| kind != What::Function) {
            Some(at) => Err(self.without_effect(at)),
            None => Ok(()),
        }
    }

    /// The name of a class, of a defined type or of a function.
    fn name(&mut self) -> Result<(), Unreadable> {
        let word = self.word(0);
        if self.kind(0) != Some(&Kind::Name) || !is_name(word) || is_keyword(word) {
            return Err(self.expected("a name in lower case"));
        }
        if word.starts_with("::") {
            return Err(self.wrong("expected a name without `::` before it"));
        }
        if self.around.is_empty() && RESERVED.contains(&word) {
            return Err(self.wrong(&format!("`{word}` is the name of a type of Puppet's own")));
        }
        self.at += 1;
        Ok(())
    }

    /// `node a.example, /^b/, default { … }`
    pub(super) fn node(&mut self) -> Result<(), Unreadable> {
        if self.body == Body::Other {
            return Err(self.wrong("expected this at top level"));
        }
        self.at += 1;
        loop {
            self.host()?;
            let ends = !self.eat(',') || self.is('{');
            if ends {
                break;
            }
        }
        match self.block(Body::Other)?.ends_idle {
            Some(at) => Err(self.without_effect(at)),
            None => Ok(()),
        }
    }

    /// `a.example`, `'a.example'`, `/^a/` or `default`
    fn host(&mut self) -> Result<(), Unreadable> {
        let is_one = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
        let is_part = |parser: &Self| match parser.kind(0) {
            Some(Kind::Name) => is_name(parser.word(0)) && !is_keyword(parser.word(0)),
            kind => kind == Some(&Kind::Number),
        };
        let is_host = match self.kind(0) {
            Some(Kind::Text(Some(text))) => text.chars().all(is_one),
            Some(Kind::Regex(_)) => true,
            Some(Kind::Name | Kind::Number) => {
                self.word(0) == "default" || is_part(self) || self.word(0).contains('-')
            }
            _ => false,
        };
        if !is_host || self.word(0).contains("::") {
            return Err(self.expected("the name of a node"));
        }
        let mut goes_on = is_part(self);
        self.at += 1;
        while goes_on && self.eat('.') {
            goes_on = is_part(self);
            if !goes_on {
                return Err(self.expected("the name of a node"));
            }
            self.at += 1;
        }
        Ok(())
    }

    /// `type Foo::Bar = …`
    fn alias(&mut self) -> Result<(), Unreadable> {
        if self.kind(0) != Some(&Kind::Reference) {
            return Err(self.expected("the name of a type"));
        }
        if self.word(0).starts_with("::") {
            return Err(self.wrong("expected a name without `::` before it"));
        }
        self.at += 1;
        self.expect('=')?;
        match self.kind(0) {
            Some(Kind::Reference) => {
                self.at += 1;
                if self.is_index() {
                    self.index()?;
                } else if self.is('{') {
                    self.hash()?;
                }
                Ok(())
            }
            Some(Kind::Mark('{')) => self.hash().map(drop),
            _ => Err(self.expected("a type")),
        }
    }

    /// Parameters up to a closing mark.
    pub(super) fn parameters(&mut self, close: char, rest: Rest) -> Result<(), Unreadable> {
        let mut takes_rest = false;
        while !self.eat(close) {
            if takes_rest && rest == Rest::AtEnd {
                return Err(self.wrong("nothing may follow a parameter that takes the rest"));
            }
            takes_rest = self.parameter()?;
            if takes_rest && rest == Rest::Nowhere {
                return Err(self.wrong("no parameter of this may take the rest"));
            }
            if !self.eat(',') && !self.is(close) {
                return Err(self.expected(&format!("`,` or `{close}` after a parameter")));
            }
        }
        Ok(())
    }

    fn parameter(&mut self) -> Result<bool, Unreadable> {
        self.stated_type()?;
        let takes_rest = self.eat('*');
        if self.kind(0) != Some(&Kind::Variable) {
            return Err(self.expected("a parameter, such as `$name`"));
        }
        let name = &self.word(0)[1..];
        if name.contains(':') || name.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(self.wrong(&format!("no parameter may be `${name}`")));
        }
        self.at += 1;
        if self.eat('=') {
            let outside = std::mem::replace(&mut self.in_default, true);
            self.expression()?;
            self.in_default = outside;
        }
        Ok(takes_rest)
    }

    /// `>> Foo[…]` of a function and of a lambda.
    pub(super) fn return_type(&mut self) -> Result<(), Unreadable> {
        if self.kind(0) != Some(&Kind::Returns) {
            return Ok(());
        }
        self.at += 1;
        match self.kind(0) {
            Some(Kind::Reference) => self.stated_type(),
            _ => Err(self.expected("a type after `>>`")),
        }
    }

    /// A type that may be here or not. No `,` is at the end of what is in its brackets.
    fn stated_type(&mut self) -> Result<(), Unreadable> {
        if self.kind(0) == Some(&Kind::Reference) {
            self.at += 1;
            if self.is_index() && self.index()? {
                return Err(self.wrong_at(self.at - 1, "no `,` may be before this `]`"));
            }
        }
        Ok(())
    }
}

/// `RESERVED_TYPE_NAMES`: no class has one of these names.
const RESERVED: [&str; 28] = [
    "any",
    "array",
    "boolean",
    "collection",
    "enum",
    "float",
    "hash",
    "init",
    "integer",
    "numeric",
    "object",
    "optional",
    "pattern",
    "regexp",
    "runtime",
    "scalar",
    "semver",
    "semverrange",
    "sensitive",
    "string",
    "struct",
    "timespan",
    "timestamp",
    "tuple",
    "type",
    "typeset",
    "unit",
    "variant",
];
