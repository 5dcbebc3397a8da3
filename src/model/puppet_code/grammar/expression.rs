//! Expressions, from an assignment down to one operand.

use super::definition::Rest;
use super::shape::{Form, Run, Shape, is_statement};
use super::{Body, Parser, is_keyword, is_name};
use crate::model::puppet_code::Unreadable;
use crate::model::puppet_code::lexer::Kind;
use crate::model::ruby_regex::may_be_taken;

impl Parser<'_> {
    /// `$x = …`, or a relationship.
    pub(super) fn assignment(&mut self) -> Result<Shape, Unreadable> {
        self.enter()?;
        let start = self.at;
        let left = self.relationship()?;
        let shape = match self.is('=') {
            false => left,
            true if !left.assignable => {
                return Err(self.wrong_at(start, "no value may be given to this"));
            }
            true if self.in_default => {
                return Err(self.wrong_at(start, "a default gives no value to a variable"));
            }
            true => {
                self.at += 1;
                self.value(Self::assignment)?;
                Shape::effect()
            }
        };
        self.leave();
        Ok(shape)
    }

    /// Something that has a value, which a collector has not.
    pub(super) fn value(
        &mut self,
        read: fn(&mut Self) -> Result<Shape, Unreadable>,
    ) -> Result<Shape, Unreadable> {
        let start = self.at;
        let shape = read(self)?;
        match shape.form {
            Form::Collection => Err(self.wrong_at(start, "a collector has no value")),
            _ => Ok(shape),
        }
    }

    /// A run of operators and their operands.
    pub(super) fn expression(&mut self) -> Result<Shape, Unreadable> {
        self.enter()?;
        let start = self.at;
        let first = self.operand()?;
        let mut run = Run::of(first);
        while let Some(operator) = self.infix() {
            if first.form == Form::Collection {
                return Err(self.wrong_at(start, "a collector has no value"));
            }
            self.at += 1;
            let right = match operator {
                "?" => {
                    let selected = self.selector()?;
                    self.behind(selected, start)?
                }
                _ => self.value(Self::operand)?,
            };
            run.operator(operator, right);
        }
        self.leave();
        Ok(run.finish())
    }

    pub(super) fn infix(&self) -> Option<&'static str> {
        Some(match self.kind(0)? {
            Kind::Mark('?') => "?",
            Kind::Mark('+') => "+",
            Kind::Mark('-') => "-",
            Kind::Mark('*') => "*",
            Kind::Mark('/') => "/",
            Kind::Mark('%') => "%",
            Kind::Mark('<') => "<",
            Kind::Mark('>') => ">",
            Kind::Returns => ">>",
            Kind::Operator | Kind::Name => match self.word(0) {
                "and" => "and",
                "or" => "or",
                "in" => "in",
                "==" => "==",
                "!=" => "!=",
                "=~" => "=~",
                "!~" => "!~",
                "<=" => "<=",
                ">=" => ">=",
                "<<" => "<<",
                _ => return None,
            },
            _ => return None,
        })
    }

    /// What is behind `?`.
    fn selector(&mut self) -> Result<Shape, Unreadable> {
        let several = self.eat('{');
        let mut defaults = 0;
        loop {
            let start = self.at;
            let case = self.value(Self::expression)?;
            defaults += usize::from(case.form == Form::Default);
            if defaults > 1 {
                return Err(self.wrong_at(start, "a second `default`"));
            }
            self.arrow()?;
            self.expression()?;
            if !several {
                break;
            }
            let ends = !self.eat(',') || self.is('}');
            if ends {
                self.expect('}')?;
                break;
            }
        }
        Ok(Shape::value(Form::Other))
    }

    fn arrow(&mut self) -> Result<(), Unreadable> {
        match self.kind(0) {
            Some(Kind::Arrow) => {
                self.at += 1;
                Ok(())
            }
            _ => Err(self.expected("`=>`")),
        }
    }

    /// One operand: what is before it, and all that belongs to it.
    fn operand(&mut self) -> Result<Shape, Unreadable> {
        let start = self.at;
        while matches!(self.kind(0), Some(Kind::Mark('-' | '!' | '*'))) {
            self.at += 1;
        }
        let is_changed = self.at > start;
        let first = self.at;
        let shape = self.primary()?;
        let shape = self.behind(shape, first)?;
        match shape.form {
            Form::Collection if is_changed => Err(self.wrong_at(first, "a collector has no value")),
            _ if is_changed => Ok(Shape::value(Form::Other)),
            _ => Ok(shape),
        }
    }

    /// What belongs to an operand and is behind it: an index, arguments, methods, a query.
    fn behind(&mut self, mut shape: Shape, first: usize) -> Result<Shape, Unreadable> {
        loop {
            if self.is_index() {
                self.index()?;
                let form = match shape.form {
                    Form::Reference => Form::TypeAccess,
                    _ => Form::Access,
                };
                shape = Shape::value(form);
            } else if self.is('(') && !self.is_apart() {
                if !shape.is_callable() {
                    return Err(self.wrong_at(first, "this is no function"));
                }
                self.at += 1;
                self.arguments(')')?;
                shape = self.lambda()?;
            } else if self.eat('.') {
                shape = self.method()?;
            } else if self.is_operator("<|") || self.is_operator("<<|") {
                if shape.form != Form::Reference {
                    return Err(self.wrong_at(first, "expected a type before a collector's query"));
                }
                shape = self.collection()?;
            } else {
                return Ok(shape);
            }
        }
    }

    /// `.each(…) |$x| { … }`, behind its dot.
    fn method(&mut self) -> Result<Shape, Unreadable> {
        let word = self.word(0);
        let is_method = is_name(word) && (!is_keyword(word) || word == "type");
        if self.kind(0) != Some(&Kind::Name) || !is_method {
            return Err(self.expected("the name of a function after `.`"));
        }
        self.at += 1;
        if self.is('(') && !self.is_apart() {
            self.at += 1;
            if self.arguments(')')? {
                return Err(self.wrong_at(self.at - 1, "no `,` may be before this `)`"));
            }
        }
        self.lambda()
    }

    /// `|$x| { … }` of a call, where there is one.
    fn lambda(&mut self) -> Result<Shape, Unreadable> {
        if self.eat('|') {
            self.parameters('|', Rest::AtEnd)?;
            self.return_type()?;
            let outside = std::mem::take(&mut self.in_default);
            self.block(Body::Other)?;
            self.in_default = outside;
        }
        Ok(Shape::effect())
    }

    fn primary(&mut self) -> Result<Shape, Unreadable> {
        let Some(kind) = self.kind(0) else { return Err(self.expected("a value")) };
        let shape = match kind {
            Kind::Mark('[') => return self.list(),
            Kind::Mark('{') => return self.hash(),
            Kind::Mark('(') => {
                self.at += 1;
                let inside = self.value(Self::assignment)?;
                self.expect(')')?;
                return Ok(Shape { form: Form::Other, assignable: false, ..inside });
            }
            Kind::Name => return self.named(),
            Kind::Text(Some(_)) => Shape::plain(Form::Other),
            Kind::Text(None) => Shape::value(Form::Other),
            Kind::Number => self.number()?,
            Kind::Regex(regex) if may_be_taken(regex) => Shape::value(Form::Other),
            Kind::Regex(_) => {
                return Err(self.wrong("this is no regular expression"));
            }
            Kind::Reference => Shape::value(Form::Reference),
            Kind::Variable => {
                let name = self.word(0).trim_start_matches('$');
                let is_own = !name.contains(':') && !name.starts_with(|c: char| c.is_ascii_digit());
                Shape { assignable: is_own, ..Shape::plain(Form::Variable) }
            }
            Kind::Mark('/') => return Err(self.wrong("a regular expression is not closed")),
            _ => return Err(self.expected("a value")),
        };
        self.at += 1;
        Ok(shape)
    }

    /// A number that Puppet can hold.
    fn number(&self) -> Result<Shape, Unreadable> {
        let word = self.word(0);
        let is_integer = |digits: &str, radix| i64::from_str_radix(digits, radix).is_ok();
        let hex = word.strip_prefix("0x").or_else(|| word.strip_prefix("0X"));
        let is_held = match hex {
            Some(digits) => is_integer(digits, 16),
            None if word.contains(['.', 'e', 'E']) => true,
            None if word.len() > 1 && word.starts_with('0') => is_integer(word, 8),
            None => is_integer(word, 10),
        };
        match is_held {
            true => Ok(Shape::plain(Form::Other)),
            false => Err(self.wrong("a number of more than 64 bits")),
        }
    }

    /// A bare word, or what its keyword begins.
    fn named(&mut self) -> Result<Shape, Unreadable> {
        let word = self.word(0);
        match word {
            "if" => return self.condition(),
            "unless" => return self.unless(),
            "case" => return self.case(),
            _ => {}
        }
        let shape = match word {
            "true" | "false" => Shape::plain(Form::Other),
            "undef" => Shape::value(Form::Other),
            "default" => Shape::value(Form::Default),
            "type" if self.kind(1) == Some(&Kind::Mark('(')) => {
                Shape::value(Form::Name { statement: false })
            }
            word if is_keyword(word) => return Err(self.expected("a value")),
            word if is_name(word) => Shape::plain(Form::Name { statement: is_statement(word) }),
            _ => Shape::plain(Form::Other),
        };
        if word == "assert_private"
            && let Some(&class) = self.around.last()
        {
            self.found[class].private = true;
        }
        self.at += 1;
        Ok(shape)
    }

    /// `if … { … } elsif … { … } else { … }`
    fn condition(&mut self) -> Result<Shape, Unreadable> {
        let mut idle = true;
        loop {
            self.at += 1;
            idle &= self.value(Self::expression)?.idle;
            idle &= self.block(Body::Other)?.idle;
            if self.word(0) != "elsif" {
                break;
            }
        }
        self.otherwise(idle)
    }

    fn unless(&mut self) -> Result<Shape, Unreadable> {
        self.at += 1;
        let mut idle = self.value(Self::expression)?.idle;
        idle &= self.block(Body::Other)?.idle;
        self.otherwise(idle)
    }

    fn otherwise(&mut self, mut idle: bool) -> Result<Shape, Unreadable> {
        if self.word(0) == "else" {
            self.at += 1;
            idle &= self.block(Body::Other)?.idle;
        }
        Ok(Shape { idle, ..Shape::effect() })
    }

    /// `case … { …, …: { … } … }`
    fn case(&mut self) -> Result<Shape, Unreadable> {
        self.at += 1;
        let mut idle = self.value(Self::expression)?.idle;
        self.expect('{')?;
        let mut defaults = 0;
        loop {
            let start = self.at;
            let value = self.value(Self::expression)?;
            idle &= value.idle;
            defaults += usize::from(value.form == Form::Default);
            if defaults > 1 {
                return Err(self.wrong_at(start, "a second `default`"));
            }
            if self.eat(',') {
                continue;
            }
            self.expect(':')?;
            idle &= self.block(Body::Other)?.idle;
            if self.eat('}') {
                return Ok(Shape { idle, ..Shape::effect() });
            }
        }
    }

    /// `[…]` behind a value: at least one; true where a `,` ends it.
    pub(super) fn index(&mut self) -> Result<bool, Unreadable> {
        self.at += 1;
        loop {
            self.keyed(Self::expression)?;
            let comma = self.eat(',');
            if !comma || self.is(']') {
                self.expect(']')?;
                return Ok(comma);
            }
        }
    }

    /// What is read so, or a key with its value.
    fn keyed(
        &mut self,
        read: fn(&mut Self) -> Result<Shape, Unreadable>,
    ) -> Result<(), Unreadable> {
        let is_key = self.is_bare_keyword();
        if is_key {
            self.at += 1;
        } else {
            read(self)?;
        }
        if is_key || self.kind(0) == Some(&Kind::Arrow) {
            self.arrow()?;
            self.entry()?;
        }
        Ok(())
    }

    /// Arguments up to a closing mark; true where a `,` ends them.
    fn arguments(&mut self, close: char) -> Result<bool, Unreadable> {
        let mut comma = false;
        while !self.eat(close) {
            self.keyed(Self::assignment)?;
            comma = self.eat(',');
            if !comma && !self.is(close) {
                return Err(self.expected(&format!("`,` or `{close}`")));
            }
        }
        Ok(comma)
    }

    /// `[…]`
    fn list(&mut self) -> Result<Shape, Unreadable> {
        self.at += 1;
        let mut assignable = true;
        while !self.eat(']') {
            let mut element = self.entry()?;
            if self.kind(0) == Some(&Kind::Arrow) {
                self.at += 1;
                element = self.entry()?;
                element.assignable = false;
            }
            assignable &= element.assignable;
            if !self.eat(',') && !self.is(']') {
                return Err(self.expected("`,` or `]`"));
            }
        }
        Ok(Shape { assignable, ..Shape::value(Form::List) })
    }

    /// `{ … => …, }`
    pub(super) fn hash(&mut self) -> Result<Shape, Unreadable> {
        self.at += 1;
        while !self.eat('}') {
            self.entry()?;
            self.arrow()?;
            self.entry()?;
            if !self.eat(',') && !self.is('}') {
                return Err(self.expected("`,` or `}`"));
            }
        }
        Ok(Shape::value(Form::Other))
    }

    /// A key or a value of a hash, or an element of a list: two keywords may be one.
    fn entry(&mut self) -> Result<Shape, Unreadable> {
        if self.is_bare_keyword() {
            self.at += 1;
            return Ok(Shape::value(Form::Other));
        }
        self.value(Self::assignment)
    }

    fn is_bare_keyword(&self) -> bool {
        self.kind(0) == Some(&Kind::Name)
            && matches!(self.word(0), "type" | "function")
            && self.kind(1) != Some(&Kind::Mark('('))
    }
}
