//! Resources, their attributes, collectors, and the arrows between them.

use super::Parser;
use super::shape::{Form, Shape};
use crate::model::puppet_code::Unreadable;
use crate::model::puppet_code::lexer::Kind;

/// Attributes: whether one of them is added to (`+>`), and how many are all those of a hash (`* =>`).
#[derive(Default)]
struct Attributes {
    appends: bool,
    unfolds: usize,
}

impl Parser<'_> {
    /// Resources with arrows between, or one value.
    pub(super) fn relationship(&mut self) -> Result<Shape, Unreadable> {
        let mut shape = self.resource()?;
        while ["->", "~>", "<-", "<~"].into_iter().any(|arrow| self.is_operator(arrow)) {
            self.at += 1;
            self.resource()?;
            shape = Shape::effect();
        }
        Ok(shape)
    }

    fn resource(&mut self) -> Result<Shape, Unreadable> {
        if self.is('@') || self.is_operator("@@") {
            self.enter()?;
            self.at += 1;
            let start = self.at;
            let shape = self.resource()?;
            self.leave();
            return match shape.form {
                Form::Resource => Ok(shape),
                _ => Err(self.wrong_at(start, "only a resource may be virtual or exported")),
            };
        }
        let begins_class = self.kind(0) == Some(&Kind::Name) && self.word(0) == "class";
        let mut shape = if begins_class && self.kind(1) == Some(&Kind::Mark('{')) {
            self.at += 2;
            self.bodies()?;
            Shape::acts(Form::ClassResource)
        } else {
            self.expression()?
        };
        while self.is('{') {
            shape = self.braces(shape)?;
        }
        Ok(shape)
    }

    /// What is in braces behind something: bodies with titles, or attributes alone.
    fn braces(&mut self, before: Shape) -> Result<Shape, Unreadable> {
        let start = self.at;
        self.at += 1;
        if !self.is('}') && !self.is(',') && !self.is_attribute() {
            self.bodies()?;
            return Ok(Shape::acts(Form::Resource));
        }
        let appends = self.attributes()?.appends;
        self.expect('}')?;
        match before.form {
            Form::Name { statement: true } if !appends => Ok(Shape::effect()),
            Form::Name { .. } => Err(self.wrong_at(start + 1, "expected a title and `:` here")),
            Form::Reference if appends => Err(self.no_append(start)),
            Form::Reference | Form::TypeAccess | Form::Access => Ok(Shape::effect()),
            _ => Err(self.wrong_at(start, "`{` follows what is no resource")),
        }
    }

    /// `TITLE: ATTRIBUTES; …` up to the closing brace.
    fn bodies(&mut self) -> Result<(), Unreadable> {
        loop {
            self.expression()?;
            let start = self.at;
            self.expect(':')?;
            let attributes = self.attributes()?;
            if attributes.appends {
                return Err(self.no_append(start));
            }
            if attributes.unfolds > 1 {
                return Err(self.wrong_at(start, "a second `* =>`"));
            }
            let ends = !self.eat(';') || self.is('}');
            if ends {
                return self.expect('}');
            }
        }
    }

    fn no_append(&self, at: usize) -> Unreadable {
        self.wrong_at(at, "`+>` may not be in this")
    }

    fn is_attribute(&self) -> bool {
        let follows = match self.kind(1) {
            Some(Kind::Arrow) => true,
            Some(Kind::Operator) => self.word(1) == "+>",
            _ => false,
        };
        follows
            && match self.kind(0) {
                Some(Kind::Name) => {
                    let word = self.word(0);
                    super::is_name(word) && !matches!(word, "true" | "false")
                }
                Some(Kind::Mark('*')) => self.kind(1) == Some(&Kind::Arrow),
                _ => false,
            }
    }

    /// Attributes with commas between; the first may be missing.
    fn attributes(&mut self) -> Result<Attributes, Unreadable> {
        let mut found = Attributes::default();
        let mut is_first = true;
        loop {
            if self.is_attribute() {
                found.unfolds += usize::from(self.is('*'));
                found.appends |= self.kind(1) == Some(&Kind::Operator);
                self.at += 2;
                self.value(Self::expression)?;
            } else if self.kind(0) == Some(&Kind::Name) {
                self.at += 1;
                return Err(self.expected("`=>`"));
            } else if !is_first || !self.is(',') {
                return Ok(found);
            }
            is_first = false;
            if !self.eat(',') {
                return Ok(found);
            }
        }
    }

    /// `<| … |>` or `<<| … |>>`, and what it overrides.
    pub(super) fn collection(&mut self) -> Result<Shape, Unreadable> {
        let close = if self.word(0) == "<|" { "|>" } else { "|>>" };
        self.at += 1;
        if !self.is_operator(close) {
            let start = self.at;
            if !self.expression()?.query {
                return Err(self.wrong_at(start, "a query has `==`, `!=`, `and` and `or` alone"));
            }
        }
        if !self.is_operator(close) {
            return Err(self.expected(&format!("`{close}`")));
        }
        self.at += 1;
        if self.eat('{') {
            self.attributes()?;
            self.expect('}')?;
        }
        Ok(Shape::acts(Form::Collection))
    }
}
