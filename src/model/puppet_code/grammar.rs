//! Puppet's grammar (`lib/puppet/pops/parser/egrammar.ra`), with what the parser refuses of what
//! it has read (`lib/puppet/pops/validation/checker4_0.rb`).
//!
//! Nothing is kept of a file but where it defines something. As every operator takes any
//! expression, a run of them is read from left to right, whichever binds tighter.

mod definition;
mod expression;
mod resource;
mod shape;

use super::lexer::{Kind, Token, Tokens, line_of};
use super::{Unreadable, What};
use shape::Shape;

/// Where something is defined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub kind: What,
    /// The token that it begins with.
    pub at: usize,
    /// The class around it, by its place among those found.
    pub within: Option<usize>,
    /// True for a class whose body calls stdlib's `assert_private`.
    pub private: bool,
}

/// Where a file is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum File {
    /// In a module, where Puppet takes definitions alone.
    Module,
    Anywhere,
}

/// Reads a whole file: each definition in it, in order.
pub fn read(text: &str, tokens: &Tokens, file: File) -> Result<Vec<Place>, Unreadable> {
    let mut parser = Parser::new(text, &tokens.tokens);
    parser.program(file)?;
    for inside in &tokens.interpolated {
        Parser::new(text, inside).interpolated()?;
    }
    Ok(parser.found)
}

/// So deep may expressions and blocks be in each other.
const DEEPEST: usize = 100;

/// What statements are the body of, which tells what they may define.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Body {
    File,
    Class,
    Other,
}

struct Parser<'t> {
    text: &'t str,
    tokens: &'t [Token],
    at: usize,
    depth: usize,
    body: Body,
    /// True in what a parameter has for want of a value, but for lambdas there.
    in_default: bool,
    /// The classes whose bodies are open, by their places among those found.
    around: Vec<usize>,
    found: Vec<Place>,
}

/// Statements: whether they are without any effect, and the last of them where it is without one.
struct Block {
    idle: bool,
    ends_idle: Option<usize>,
}

impl<'t> Parser<'t> {
    fn new(text: &'t str, tokens: &'t [Token]) -> Self {
        let (around, found) = (Vec::new(), Vec::new());
        let (body, in_default) = (Body::File, false);
        Parser { text, tokens, at: 0, depth: 0, body, in_default, around, found }
    }

    fn program(&mut self, file: File) -> Result<(), Unreadable> {
        match file {
            File::Anywhere => {
                self.statements(Body::File)?;
            }
            File::Module => {
                while self.kind(0).is_some_and(|kind| *kind != Kind::Mark('}')) {
                    match self.begins() {
                        Some(kind) => self.definition(kind)?,
                        _ => return Err(self.wrong("expected a class, a type or a function here")),
                    }
                }
            }
        }
        match self.is('}') {
            true => Err(self.wrong("`}` closes nothing")),
            false => Ok(()),
        }
    }

    /// The code of `${…}`.
    fn interpolated(&mut self) -> Result<(), Unreadable> {
        self.body = Body::Other;
        self.assignment()?;
        match self.kind(0) {
            None => Ok(()),
            Some(_) => Err(self.expected("`}` after a value")),
        }
    }

    /// Statements up to a closing brace or to the end.
    fn statements(&mut self, body: Body) -> Result<Block, Unreadable> {
        self.enter()?;
        let outside = std::mem::replace(&mut self.body, body);
        let mut last: Option<(usize, Shape)> = None;
        let mut idle = true;
        while self.kind(0).is_some_and(|kind| *kind != Kind::Mark('}')) {
            if last.is_some()
                && self.eat(';')
                && matches!(self.kind(0), None | Some(Kind::Mark('}')))
            {
                return Err(self.expected("a statement after `;`"));
            }
            let start = self.at;
            let (shape, several) = self.statement()?;
            let shape = match last {
                Some((_, before)) if before.calls_next() => Shape::effect(),
                _ if several => return Err(self.wrong_at(start, "this list is of no function")),
                Some((at, before)) if before.idle => return Err(self.without_effect(at)),
                _ => shape,
            };
            idle &= shape.idle;
            last = Some((start, shape));
        }
        self.body = outside;
        self.leave();
        let ends_idle = last.filter(|(_, shape)| shape.idle).map(|(at, _)| at);
        Ok(Block { idle, ends_idle })
    }

    /// A statement; true where it is several values with commas between.
    fn statement(&mut self) -> Result<(Shape, bool), Unreadable> {
        if let Some(kind) = self.begins() {
            self.definition(kind)?;
            let goes_on = self.infix().is_some()
                || self.is_index()
                || self.is('.')
                || self.is('{')
                || (self.is('(') && !self.is_apart());
            return match goes_on {
                true => Err(self.expected("a statement")),
                false => Ok((Shape::effect(), false)),
            };
        }
        if self.kind(0) == Some(&Kind::Name) && self.word(0) == "node" {
            self.node()?;
            return Ok((Shape::effect(), false));
        }
        let first = self.assignment()?;
        let mut several = false;
        while self.eat(',') {
            self.assignment()?;
            several = true;
        }
        Ok((first, several))
    }

    /// `{ … }`
    fn block(&mut self, body: Body) -> Result<Block, Unreadable> {
        self.expect('{')?;
        let block = self.statements(body)?;
        self.expect('}')?;
        Ok(block)
    }

    fn kind(&self, ahead: usize) -> Option<&'t Kind> {
        self.tokens.get(self.at + ahead).map(|token| &token.kind)
    }

    /// The source of a token; empty behind the last.
    fn word(&self, ahead: usize) -> &'t str {
        self.tokens.get(self.at + ahead).map_or("", |token| &self.text[token.start..token.end])
    }

    fn is(&self, mark: char) -> bool {
        self.kind(0) == Some(&Kind::Mark(mark))
    }

    fn is_operator(&self, operator: &str) -> bool {
        self.kind(0) == Some(&Kind::Operator) && self.word(0) == operator
    }

    fn is_apart(&self) -> bool {
        self.tokens.get(self.at).is_some_and(|token| token.apart)
    }

    fn is_index(&self) -> bool {
        self.is('[') && !self.is_apart()
    }

    fn eat(&mut self, mark: char) -> bool {
        let found = self.is(mark);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, mark: char) -> Result<(), Unreadable> {
        match self.eat(mark) {
            true => Ok(()),
            false => Err(self.expected(&format!("`{mark}`"))),
        }
    }

    fn enter(&mut self) -> Result<(), Unreadable> {
        self.depth += 1;
        match self.depth > DEEPEST {
            true => Err(self.wrong("expressions are nested too deep")),
            false => Ok(()),
        }
    }

    fn leave(&mut self) {
        self.depth -= 1;
    }

    fn wrong_at(&self, at: usize, what: &str) -> Unreadable {
        let at = self.tokens.get(at).map_or(self.text.len(), |token| token.start);
        Unreadable { line: line_of(self.text, at), what: what.to_owned() }
    }

    fn wrong(&self, what: &str) -> Unreadable {
        self.wrong_at(self.at, what)
    }

    fn without_effect(&self, at: usize) -> Unreadable {
        self.wrong_at(at, "this has no effect here")
    }

    fn expected(&self, what: &str) -> Unreadable {
        // More than this of a token says nothing.
        const LONGEST: usize = 30;
        let found = self.word(0).lines().next().unwrap_or_default();
        let short: String = found.chars().take(LONGEST).collect();
        self.wrong(&match self.kind(0) {
            Some(_) => format!("expected {what}, found `{short}`"),
            None => format!("expected {what} before the end of the file"),
        })
    }
}

/// `PATTERN_NAME`; any other bare word is a string.
fn is_name(word: &str) -> bool {
    let mut before = b':';
    word.bytes().all(|byte| {
        let is_one = byte != b'-' && !(byte == b'_' && before == b':');
        before = byte;
        is_one
    })
}

/// `KEYWORDS` of `lib/puppet/pops/parser/lexer2.rb`.
fn is_keyword(word: &str) -> bool {
    matches!(
        word,
        "case"
            | "class"
            | "default"
            | "define"
            | "if"
            | "elsif"
            | "else"
            | "inherits"
            | "node"
            | "and"
            | "or"
            | "undef"
            | "false"
            | "true"
            | "in"
            | "unless"
            | "function"
            | "type"
            | "attr"
            | "private"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::puppet_code::lexer::lex;

    fn of(text: &str) -> Result<Vec<Place>, Unreadable> {
        read(text, &lex(text)?, File::Module)
    }

    #[test]
    fn what_cannot_be_parsed_is_told_with_its_line() {
        for (body, expected) in [
            ("file { '/x' ensure => 1 }", "expected `:`, found `ensure`"),
            ("file { '/x': ensure = 1 }", "expected `=>`, found `=`"),
            ("file { ensure => 1 }", "expected a title and `:` here"),
            ("file { '/x': a +> 1 }", "`+>` may not be in this"),
            ("@Foo { a => 1 }", "only a resource may be virtual or exported"),
            ("inclde foo", "this has no effect here"),
            ("notice(1) 'x'", "this has no effect here"),
            ("foo 1, 2", "this list is of no function"),
            ("if f() { } else if g() { }", "expected `{`, found `if`"),
            ("case f() { default: { } default: { } }", "a second `default`"),
            ("1 = 2", "no value may be given to this"),
            ("$x = File <| |>", "a collector has no value"),
            ("File <| a > 1 |>", "a query has `==`, `!=`, `and` and `or` alone"),
            ("$x = \"${a b}\"", "expected `}` after a value, found `b`"),
            ("$x.f(1,)", "no `,` may be before this `)`"),
            ("'f'(1)", "this is no function"),
            ("$x = 99999999999999999999", "a number of more than 64 bits"),
            ("f() |*$a, $b| { }", "nothing may follow a parameter that takes the rest"),
            ("f() { }", "`{` follows what is no resource"),
            ("type A = String", "expected this at top level or in a class"),
        ] {
            let told = of(&format!("class t {{\n{body}\n}}")).unwrap_err();
            assert_eq!(told.to_string(), format!("line 2: {expected}"), "{body}");
        }
        let deep = format!("class t {{\n$x = {}1{}\n}}", "[".repeat(200), "]".repeat(200));
        assert_eq!(of(&deep).unwrap_err().what, "expressions are nested too deep");
    }

    #[test]
    fn classes_know_what_is_around_them() {
        let text = "class a {\n class b { assert_private() }\n define c { }\n}\nfunction d() { }";
        let found = of(text).unwrap();
        let told: Vec<_> = found.iter().map(|p| (p.kind, p.at, p.within, p.private)).collect();
        assert_eq!(
            told,
            [
                (What::Class, 0, None, false),
                (What::Class, 3, Some(0), true),
                (What::DefinedType, 10, Some(0), false),
                (What::Function, 15, None, false),
            ]
        );
    }
}
