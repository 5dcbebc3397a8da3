//! What an expression is, as far as the grammar asks.

/// What an expression is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A bare word, the name of a function perhaps.
    Name {
        /// `include`, `notice`, …: what follows is its argument.
        statement: bool,
    },
    /// `Foo`
    Reference,
    /// `Foo[…]`
    TypeAccess,
    /// `$x[…]`
    Access,
    Variable,
    /// `[…]`
    List,
    /// `default`
    Default,
    /// `file { 'x': … }`
    Resource,
    /// `class { 'x': … }`
    ClassResource,
    /// `File <| … |>`
    Collection,
    Other,
}

/// An expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    pub form: Form,
    /// True where nothing comes of it but its value.
    pub idle: bool,
    /// True where it may stand in a collector's query.
    pub query: bool,
    /// True where a value may be given to it.
    pub assignable: bool,
}

impl Shape {
    /// Something with a value and without an effect.
    pub fn value(form: Form) -> Self {
        Shape { form, idle: true, query: false, assignable: false }
    }

    /// A value that a query may compare with.
    pub fn plain(form: Form) -> Self {
        Shape { query: true, ..Shape::value(form) }
    }

    /// Something that does something.
    pub fn effect() -> Self {
        Shape::acts(Form::Other)
    }

    pub fn acts(form: Form) -> Self {
        Shape { idle: false, ..Shape::value(form) }
    }

    /// True for `include` and the like, which take what follows.
    pub fn calls_next(&self) -> bool {
        self.form == Form::Name { statement: true }
    }

    /// True where `(` behind it calls it.
    pub fn is_callable(&self) -> bool {
        matches!(self.form, Form::Name { .. } | Form::Reference | Form::TypeAccess)
    }
}

/// `STATEMENT_CALLS` of `lib/puppet/pops/model/factory.rb`: functions that need no parentheses.
pub fn is_statement(name: &str) -> bool {
    matches!(
        name,
        "require"
            | "realize"
            | "include"
            | "contain"
            | "tag"
            | "debug"
            | "info"
            | "notice"
            | "warning"
            | "err"
            | "fail"
            | "import"
            | "break"
            | "next"
            | "return"
    )
}

/// A run of operators and their operands, from left to right.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    /// The operand of `and` and `or`, which bind weakest, that is being read.
    part: Part,
    /// True once there was such an operator.
    joins: bool,
    /// Whether all operands before may stand in a query.
    query: bool,
}

#[derive(Clone, Copy, Debug)]
struct Part {
    first: Shape,
    any: bool,
    /// `=~` and `!~` set `$1`, …
    matches: bool,
    /// There was one that binds weaker than those.
    weaker: bool,
    /// `==` or `!=`, which a query takes.
    equals: bool,
    /// One that binds weaker than those.
    other: bool,
}

impl Part {
    fn of(first: Shape) -> Self {
        let (any, matches, weaker, equals, other) = Default::default();
        Part { first, any, matches, weaker, equals, other }
    }

    fn may_be_query(&self) -> bool {
        match self.any {
            true => self.equals && !self.other,
            false => self.first.query,
        }
    }
}

impl Run {
    pub fn of(first: Shape) -> Self {
        Run { part: Part::of(first), joins: false, query: true }
    }

    /// An operator, and what is right of it.
    pub fn operator(&mut self, operator: &str, right: Shape) {
        if matches!(operator, "and" | "or") {
            self.joins = true;
            self.query &= self.part.may_be_query();
            self.part = Part::of(right);
            return;
        }
        let part = &mut self.part;
        part.any = true;
        match operator {
            "in" => {}
            "?" if right.form != Form::Other || !right.idle => *part = Part::of(right),
            "=~" | "!~" => part.matches = true,
            // All that is left of it is its operand.
            "?" => (part.matches, part.weaker, part.other) = (false, false, true),
            operator => {
                part.weaker = true;
                part.equals |= matches!(operator, "==" | "!=");
                part.other |= matches!(operator, "<" | ">" | "<=" | ">=");
            }
        }
    }

    pub fn finish(self) -> Shape {
        if !self.part.any && !self.joins {
            return self.part.first;
        }
        let query = self.query && self.part.may_be_query();
        let idle = self.joins || self.part.weaker || !self.part.matches;
        Shape { idle, query, ..Shape::value(Form::Other) }
    }
}
