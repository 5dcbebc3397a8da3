//! What a file of Puppet code defines, and how it may be called.

use super::data_type::{self, Type, is_core};
use super::grammar::{self, File, Place};
use super::lexer::{Kind, Token, lex, line_of};
use super::{Unreadable, What};
use std::collections::{HashMap, HashSet};

/// A class, a defined type, a type alias or a function.
#[derive(Clone, Debug, PartialEq)]
pub struct Definition {
    pub kind: What,
    /// The whole name, `foo::bar`.
    pub name: String,
    pub line: usize,
    /// The class that it inherits.
    pub inherits: Option<String>,
    pub parameters: Vec<Parameter>,
    /// Of an alias what it stands for, of a function what it returns.
    pub stands_for: Stated,
    /// True where its comment says `@api private`, or the body of a class `assert_private`.
    pub private: bool,
    /// The first line of its comment.
    pub summary: Option<String>,
}

/// A parameter of a definition.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    pub name: String,
    pub of: Stated,
    /// The source of its default; without one it is required.
    pub default: Option<String>,
    /// True where it takes all that is left (`*$rest`).
    pub rest: bool,
    /// What the definition's comment says of it.
    pub summary: Option<String>,
}

/// A type as it is stated.
#[derive(Clone, Debug, PartialEq)]
pub enum Stated {
    /// Not at all, which is any.
    No,
    Known(Type),
    /// By code that is not run here; its source.
    Unknown(String),
}

impl Stated {
    /// A type by its source alone; none is not stated.
    pub fn of_source(source: Option<String>) -> Self {
        let Some(source) = source else { return Stated::No };
        let read = lex(&source).ok().and_then(|lexed| data_type::read(&source, &lexed.tokens));
        read.map_or(Stated::Unknown(source), Stated::Known)
    }
}

/// Reads what a file of a module defines.
pub fn of_module(text: &str) -> Result<Vec<Definition>, Unreadable> {
    read(text, File::Module)
}

/// Reads what a file defines.
pub fn definitions(text: &str) -> Result<Vec<Definition>, Unreadable> {
    read(text, File::Anywhere)
}

fn read(text: &str, file: File) -> Result<Vec<Definition>, Unreadable> {
    if text.starts_with('\u{feff}') {
        let what = "a byte order mark, which Puppet refuses".to_owned();
        return Err(Unreadable { line: 1, what });
    }
    let lexed = lex(text)?;
    let places = grammar::read(text, &lexed, file)?;
    let mut reader = Reader {
        text,
        tokens: &lexed.tokens,
        comments: Comments { text, list: &lexed.comments },
        at: 0,
        lines: Lines { text, at: 0, line: 1 },
    };
    let mut found: Vec<Definition> = Vec::with_capacity(places.len());
    for place in &places {
        let definition = reader.definition(place, &found)?;
        found.push(definition);
    }
    let mut known = HashSet::new();
    let mut classes = found.iter().filter(|d| d.kind == What::Class);
    match classes.find(|class| !known.insert(class.name.as_str())) {
        Some(class) => {
            let what = format!("class `{}` is defined twice", class.name);
            Err(Unreadable { line: class.line, what })
        }
        None => Ok(found),
    }
}

/// Variables that no parameter may be.
const RESERVED: [&str; 3] = ["facts", "server_facts", "trusted"];

/// Reads the head of a definition, of a file that the grammar has read.
struct Reader<'t> {
    text: &'t str,
    tokens: &'t [Token],
    comments: Comments<'t>,
    at: usize,
    lines: Lines<'t>,
}

/// Lines of places that come in order: counted on from the one before.
struct Lines<'t> {
    text: &'t str,
    at: usize,
    line: usize,
}

impl Lines<'_> {
    fn of(&mut self, at: usize) -> usize {
        let between = self.text.as_bytes().get(self.at..at).unwrap_or_default();
        self.line += between.iter().filter(|&&byte| byte == b'\n').count();
        self.at = at;
        self.line
    }
}

impl<'t> Reader<'t> {
    fn source(&self, token: &Token) -> &'t str {
        &self.text[token.start..token.end]
    }

    fn kind(&self, ahead: usize) -> Option<&'t Kind> {
        self.tokens.get(self.at + ahead).map(|token| &token.kind)
    }

    fn is(&self, mark: char) -> bool {
        self.kind(0) == Some(&Kind::Mark(mark))
    }

    fn unreadable(&self, what: &str) -> Unreadable {
        let at = self.tokens.get(self.at).map_or(self.text.len(), |token| token.start);
        Unreadable { line: line_of(self.text, at), what: what.to_owned() }
    }

    fn definition(
        &mut self,
        place: &Place,
        found: &[Definition],
    ) -> Result<Definition, Unreadable> {
        self.at = place.at;
        let kind = place.kind;
        let start = self.tokens[self.at].start;
        let stated = self.source(&self.tokens[self.at + 1]);
        // A name within a class is below it, however it is stated.
        let name = match place.within.and_then(|at| found.get(at)) {
            Some(class) => format!("{}::{stated}", class.name),
            None => stated.to_owned(),
        };
        self.at += 2;
        let comment = self.comments.above(start);
        let mut definition = Definition {
            kind,
            name,
            line: self.lines.of(start),
            inherits: None,
            parameters: Vec::new(),
            stands_for: Stated::No,
            private: place.private || comment.is_private(),
            summary: comment.summary(),
        };
        if kind == What::TypeAlias {
            self.at += 1;
            definition.stands_for = self.alias(&definition.name)?;
            return Ok(definition);
        }
        if self.is('(') {
            definition.parameters = self.parameters(&comment)?;
            self.names_are_free(&definition)?;
        }
        if self.kind(0) == Some(&Kind::Returns) {
            self.at += 1;
            definition.stands_for = self.stated_until(|kind| *kind == Kind::Mark('{'));
        }
        if let Some(parent) = self.tokens.get(self.at + 1).filter(|_| !self.is('{')) {
            let parent = self.source(parent).trim_start_matches("::");
            definition.inherits = Some(parent.to_ascii_lowercase());
        }
        Ok(definition)
    }

    /// What a name of a type stands for: it goes on while a bracket is open.
    fn alias(&mut self, name: &str) -> Result<Stated, Unreadable> {
        if is_core(name) || matches!(name, "Data" | "RichData") {
            return Err(self.unreadable(&format!("`{name}` is a type of Puppet's own")));
        }
        let begin = self.at;
        self.skip_brackets();
        // `Foo[…]`; `{ … }` is an object, and `Foo {…}` is one too: no value of an ENC is one.
        if matches!(self.kind(0), Some(Kind::Mark('[' | '{'))) {
            self.skip_brackets();
        }
        Ok(self.stated(begin, self.at))
    }

    fn stated_until(&mut self, end: impl Fn(&Kind) -> bool) -> Stated {
        let begin = self.at;
        while self.kind(0).is_some_and(|kind| !end(kind)) {
            self.skip_brackets();
        }
        self.stated(begin, self.at)
    }

    fn stated(&self, begin: usize, end: usize) -> Stated {
        let tokens = &self.tokens[begin..end];
        let (Some(first), Some(last)) = (tokens.first(), tokens.last()) else { return Stated::No };
        match data_type::read(self.text, tokens) {
            Some(read) => Stated::Known(read),
            None => Stated::Unknown(self.text[first.start..last.end].to_owned()),
        }
    }

    /// Goes past one token, or past a whole pair of brackets.
    fn skip_brackets(&mut self) {
        let mut open = 0_usize;
        while let Some(kind) = self.kind(0) {
            match kind {
                Kind::Mark('(' | '[' | '{') => open += 1,
                Kind::Mark(')' | ']' | '}') => open = open.saturating_sub(1),
                _ => {}
            }
            self.at += 1;
            if open == 0 {
                return;
            }
        }
    }

    /// No name stands for two parameters, nor for what every class has.
    fn names_are_free(&self, definition: &Definition) -> Result<(), Unreadable> {
        let has_own = matches!(definition.kind, What::Class | What::DefinedType);
        let mut known = HashSet::new();
        if has_own {
            known.extend(["title", "name"]);
        }
        let taken = definition.parameters.iter().find(|p| !known.insert(p.name.as_str()));
        match taken {
            Some(p) => Err(self.unreadable(&format!("parameter `${}` is there already", p.name))),
            None => Ok(()),
        }
    }

    fn parameters(&mut self, comment: &Comment) -> Result<Vec<Parameter>, Unreadable> {
        self.at += 1;
        let mut parameters = Vec::new();
        while self.kind(0).is_some_and(|kind| *kind != Kind::Mark(')')) {
            parameters.push(self.parameter(comment)?);
            self.at += usize::from(self.is(','));
        }
        self.at += 1;
        Ok(parameters)
    }

    fn parameter(&mut self, comment: &Comment) -> Result<Parameter, Unreadable> {
        let of = self.stated_until(|kind| matches!(kind, Kind::Variable | Kind::Mark('*')));
        let rest = self.is('*');
        self.at += usize::from(rest);
        let name = self.tokens.get(self.at).map_or("", |token| self.source(token));
        let name = name.trim_start_matches('$').to_owned();
        if RESERVED.contains(&name.as_str()) {
            return Err(self.unreadable(&format!("no parameter may be `${name}`")));
        }
        self.at += 1;
        let default = self.is('=').then(|| self.default());
        let summary = comment.of_parameter(&name);
        Ok(Parameter { name, of, default, rest, summary })
    }

    fn default(&mut self) -> String {
        self.at += 1;
        let begin = self.at;
        while !matches!(self.kind(0), None | Some(Kind::Mark(',' | ')'))) {
            self.skip_brackets();
        }
        let tokens = &self.tokens[begin..self.at];
        match (tokens.first(), tokens.last()) {
            (Some(first), Some(last)) => self.text[first.start..last.end].to_owned(),
            _ => String::new(),
        }
    }
}

struct Comments<'t> {
    text: &'t str,
    list: &'t [(usize, usize)],
}

/// The lines of the comment above a definition, without their `#`.
struct Comment<'t> {
    lines: Vec<&'t str>,
    /// The first line with `@param` that has a word.
    parameters: HashMap<&'t str, usize>,
}

impl<'t> Comments<'t> {
    /// The comment whose last line is right above a place.
    fn above(&self, at: usize) -> Comment<'t> {
        let mut lines = Vec::new();
        let mut below = at;
        let before = self.list.partition_point(|(start, _)| *start < at);
        for (start, end) in self.list[..before].iter().rev() {
            if !is_right_above(&self.text[*end..below]) {
                break;
            }
            lines.push(self.text[*start..*end].trim_start_matches('#').trim_end());
            below = *start;
        }
        lines.reverse();
        let mut parameters = HashMap::new();
        for (at, line) in lines.iter().enumerate() {
            let words = line.trim().strip_prefix("@param").filter(|rest| !rest.starts_with('_'));
            for word in words.unwrap_or_default().split_whitespace() {
                parameters.entry(word).or_insert(at);
            }
        }
        Comment { lines, parameters }
    }
}

/// True for white space of at most one line; no more is read than tells it.
fn is_right_above(between: &str) -> bool {
    let mut lines = 0;
    between.bytes().rev().all(|byte| {
        lines += usize::from(byte == b'\n');
        lines <= 1 && byte.is_ascii_whitespace()
    })
}

impl Comment<'_> {
    fn is_private(&self) -> bool {
        let words = |line: &&str| line.split_whitespace().eq(["@api", "private"]);
        self.lines.iter().any(words)
    }

    /// Its `@summary`, or the first line that says something.
    fn summary(&self) -> Option<String> {
        let tagged = self.lines.iter().position(|line| line.trim().starts_with("@summary"));
        if let Some(at) = tagged {
            let rest = self.lines[at].trim().trim_start_matches("@summary").trim();
            let next = self.lines.get(at + 1).map_or("", |line| line.trim());
            let summary = if rest.is_empty() { next } else { rest };
            return (!summary.is_empty()).then(|| summary.to_owned());
        }
        let plain = |line: &&&str| {
            let line = line.trim();
            !line.is_empty() && !line.starts_with(['@', '=', '#'])
        };
        self.lines.iter().find(plain).map(|line| line.trim().to_owned())
    }

    /// The first line of `@param NAME …`, or the line below it.
    fn of_parameter(&self, name: &str) -> Option<String> {
        let at = *self.parameters.get(name)?;
        let (_, rest) = self.lines[at].split_once(name)?;
        let next = self.lines.get(at + 1).map_or("", |line| line.trim());
        let text = match rest.trim() {
            "" if next.starts_with('@') => "",
            "" => next,
            rest => rest,
        };
        (!text.is_empty()).then(|| text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_is_read_with_its_parameters_and_its_comment() {
        let text = r#"
# @summary Looks after foo
#
# @param port
#   Where it listens
# @api private
class foo::bar (
  Integer[1] $port = 80,   # not the class's
  $any,
  Optional[Enum['a','b']] $mode = $foo::params::mode ? { 'x' => 'a', default => undef },
  Sensitive[String] $secret,
  Foo[$x] $odd = { a => [1, 2], b => "${c}, )" },
) inherits ::foo::params {
  class { 'other': require => Class['foo'] }
  class inner { }
  define inner::thing($x) { }
}
"#;
        let found = definitions(text).unwrap();
        let names: Vec<(&str, usize)> = found.iter().map(|d| (d.name.as_str(), d.line)).collect();
        assert_eq!(
            names,
            [("foo::bar", 7), ("foo::bar::inner", 15), ("foo::bar::inner::thing", 16)]
        );
        let class = &found[0];
        assert_eq!(class.inherits.as_deref(), Some("foo::params"));
        assert!(class.private);
        assert_eq!(class.summary.as_deref(), Some("Looks after foo"));
        let parameters: Vec<String> = class
            .parameters
            .iter()
            .map(|p| {
                let of = match &p.of {
                    Stated::No => "-".to_owned(),
                    Stated::Known(of) => of.to_string(),
                    Stated::Unknown(source) => format!("? {source}"),
                };
                format!("{} | {of} | {}", p.name, p.default.as_deref().unwrap_or("required"))
            })
            .collect();
        assert_eq!(
            parameters,
            [
                "port | Integer[1] | 80",
                "any | - | required",
                "mode | Optional[Enum['a', 'b']] | $foo::params::mode ? { 'x' => 'a', default => undef }",
                "secret | Sensitive[String] | required",
                "odd | ? Foo[$x] | { a => [1, 2], b => \"${c}, )\" }",
            ]
        );
        assert_eq!(class.parameters[0].summary.as_deref(), Some("Where it listens"));
    }

    #[test]
    fn aliases_and_functions_are_read_too() {
        let text = "type Foo::Port = Variant[\n Integer[0, 65535], Enum['x']]\n\
                    function foo::f(String $a, Integer *$rest) >> Array[String] { $a }\n\
                    type Foo::Thing = { attributes => {} }\n";
        let found = definitions(text).unwrap();
        let of = |at: usize| match &found[at].stands_for {
            Stated::Known(of) => of.to_string(),
            other => format!("{other:?}"),
        };
        assert_eq!(of(0), "Variant[Integer[0, 65535], Enum['x']]");
        assert_eq!((of(1).as_str(), found[1].parameters[1].rest), ("Array[String]", true));
        assert_eq!(of(2), "Unknown(\"{ attributes => {} }\")");
    }

    #[test]
    fn words_that_define_nothing_are_passed_over() {
        let text =
            "$x = { type => 'a', function => 2 }\nclass { 'a': class => 'b', define => 1 }\n";
        assert_eq!(definitions(text).unwrap(), []);
        assert_eq!(of_module(&format!("class y {{\n{text}}}")).unwrap().len(), 1);
        let told = definitions("class x (\n $a $b) {}").unwrap_err().to_string();
        assert_eq!(told, "line 2: expected `,` or `)` after a parameter, found `$b`");
    }

    #[test]
    fn what_puppet_refuses_to_parse_is_not_read() {
        for (text, expected) in [
            ("class x(Integer $p) {\n", "line 2: expected `}` before the end of the file"),
            ("class x { }\n}\n", "line 2: `}` closes nothing"),
            ("\u{feff}class x { }", "line 1: a byte order mark, which Puppet refuses"),
            ("class x($a, $a) { }", "line 1: parameter `$a` is there already"),
            ("class x($title) { }", "line 1: parameter `$title` is there already"),
            ("define x($name) { }", "line 1: parameter `$name` is there already"),
            ("class x { }\nclass x { }", "line 2: class `x` is defined twice"),
            ("type Integer = String", "line 1: `Integer` is a type of Puppet's own"),
            ("if $a {\nclass x { }\n}", "line 1: expected a class, a type or a function here"),
            ("class x { }\nnotify { 'a': }", "line 2: expected a class, a type or a function here"),
            ("type A::B = Enum[a] | String", "line 1: expected a class, a type or a function here"),
            ("type A::b = String", "line 1: every part of a type's name has a capital letter"),
            (
                "class x {\nif $a { class y { } }\n}",
                "line 2: expected this at top level or in a class",
            ),
            ("class x { $a = (1 }", "line 1: expected `)`, found `}`"),
            ("class x { $a = [1) }", "line 1: expected `,` or `]`, found `)`"),
            ("class x { $a = }", "line 1: expected a value, found `}`"),
            ("class x { if $a =~ /a { } }", "line 1: a regular expression is not closed"),
            ("class x($a = /a\\/)/, $b) { }", "line 1: this is no regular expression"),
            ("class ::x { }", "line 1: expected a name without `::` before it"),
            ("class x($A) { }", "line 1: no variable may be `$A`"),
            ("class x($a::b) { }", "line 1: no parameter may be `$a::b`"),
            ("class x($facts) { }", "line 1: no parameter may be `$facts`"),
        ] {
            assert_eq!(of_module(text).unwrap_err().to_string(), expected, "{text}");
        }
        let text = "if $a {\nclass x { }\n}";
        let told = definitions(text).unwrap_err().to_string();
        assert_eq!(told, "line 2: expected this at top level or in a class");
        assert!(definitions("class x { $a = 4 / 2 + $b[1] / (3) if $a =~ /[(]\\)/ { } }").is_ok());
        assert!(of_module("function f($name) { }\nclass x { class y { } define z { } }").is_ok());
    }
}
