//! Puppet code as tokens (`lib/puppet/pops/parser/lexer2.rb`).

mod text;

use super::Unreadable;
use std::ops::Range;

/// One token, and the bytes of the text that it is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    pub kind: Kind,
    pub start: usize,
    pub end: usize,
    /// Of a `[` that white space is before it, of a `(` that it is the first of its line: what is
    /// before it does not belong to it.
    pub apart: bool,
}

/// What a token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `foo`, `foo::bar`, keywords too.
    Name,
    /// `Foo`, `Foo::Bar`.
    Reference,
    /// `$foo`.
    Variable,
    Number,
    /// The text of a string; none where it is put together at run time.
    Text(Option<String>),
    /// A regular expression, without its slashes.
    Regex(String),
    /// An operator or a bracket of one character.
    Mark(char),
    /// `=>`
    Arrow,
    /// `>>`, which a function's return type follows.
    Returns,
    /// Any other operator of several characters.
    Operator,
}

/// The tokens of a text, and the line comments that stand between them.
#[derive(Debug, Default)]
pub struct Tokens {
    pub tokens: Vec<Token>,
    /// The bytes of each `#` comment, in order.
    pub comments: Vec<(usize, usize)>,
    /// The code of each `${…}` that is more than a variable.
    pub interpolated: Vec<Vec<Token>>,
    /// How many characters were looked at, those that were looked at again with them: of no text
    /// more than some times its length.
    pub looked: usize,
}

/// Reads a text as tokens.
pub fn lex(text: &str) -> Result<Tokens, Unreadable> {
    let out = Tokens::default();
    let (jump, regex_ends, in_heredoc, line) = (None, true, false, 0..0);
    let (at, begin, depth) = (0, 0, 0);
    let mut lexer = Lexer { text, at, jump, begin, depth, regex_ends, in_heredoc, line, out };
    // A byte order mark is no code.
    lexer.eat("\u{feff}");
    lexer.until_end()?;
    Ok(lexer.out)
}

/// True where the source of a value is the value: nothing in it is run or looked up.
pub fn is_literal(source: &str) -> bool {
    let Ok(Tokens { tokens, .. }) = lex(source) else { return false };
    let plain = |(at, token): (usize, &Token)| match &token.kind {
        Kind::Name => tokens.get(at + 1).is_none_or(|next| next.kind != Kind::Mark('(')),
        Kind::Number | Kind::Text(Some(_)) | Kind::Regex(_) | Kind::Reference | Kind::Arrow => true,
        Kind::Mark(mark) => "[]{},-".contains(*mark),
        _ => false,
    };
    !tokens.is_empty() && tokens.iter().enumerate().all(plain)
}

/// The line of a place in a text, counted from 1.
pub fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes()[..at.min(text.len())].iter().filter(|&&byte| byte == b'\n').count() + 1
}

struct Lexer<'t> {
    text: &'t str,
    at: usize,
    /// Where the code goes on after the end of this line, behind the heredocs that it begins.
    jump: Option<usize>,
    /// Where the line begins, but for lines that are in one token.
    begin: usize,
    depth: usize,
    /// False once a `/` was found that no later one closes: none behind it is closed either.
    regex_ends: bool,
    /// True in the text of a heredoc.
    in_heredoc: bool,
    /// From where to the end of its line was last looked for.
    line: Range<usize>,
    out: Tokens,
}

impl<'t> Lexer<'t> {
    fn until_end(&mut self) -> Result<(), Unreadable> {
        while let Some(c) = self.peek() {
            self.token(c)?;
        }
        Ok(())
    }

    fn token(&mut self, c: char) -> Result<(), Unreadable> {
        let start = self.at;
        match c {
            '\n' => {
                self.at = self.jump.take().unwrap_or(self.at + 1);
                self.begin = self.at;
                return Ok(());
            }
            ' ' | '\t' | '\r' => {
                let is_other = |byte| !matches!(byte, b' ' | b'\t' | b'\r');
                let blanks = self.find(self.at, |rest| rest.bytes().position(is_other));
                self.at = blanks.map_or(self.text.len(), |blanks| self.at + blanks);
                return Ok(());
            }
            c if is_blank(c) => {
                self.at += c.len_utf8();
                return Ok(());
            }
            '#' => {
                self.at = self.line_end();
                if self.depth == 0 {
                    self.out.comments.push((start, self.at));
                }
                return Ok(());
            }
            '/' if self.rest().starts_with("/*") => {
                self.at += 2;
                let end = self.find(self.at, |rest| rest.find("*/"));
                let end = end.ok_or_else(|| self.unreadable(start, "`/*` is not closed"))?;
                self.at += end + 2;
                return Ok(());
            }
            _ => {}
        }
        let kind = match c {
            '\'' => self.single_quoted(start)?,
            '"' => self.double_quoted(start)?,
            '/' if self.may_be_regex() => self.regex(),
            '@' if self.rest().starts_with("@(") => self.heredoc(start)?,
            '$' => {
                self.at += 1;
                self.variable(start)?;
                Kind::Variable
            }
            ':' if self.rest().starts_with("::") => self.word(start)?,
            c if c.is_ascii_digit() => self.number(start)?,
            c if is_word(c) => self.word(start)?,
            c => self.operator(c),
        };
        let apart = match kind {
            Kind::Mark('[') => {
                start == 0 || self.text[..start].ends_with(|c| c == '\n' || is_blank(c))
            }
            Kind::Mark('(') => self.text[self.begin.min(start)..start].chars().all(is_blank),
            _ => false,
        };
        self.out.tokens.push(Token { kind, start, end: self.at, apart });
        Ok(())
    }

    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn peek(&mut self) -> Option<char> {
        self.out.looked += 1;
        self.rest().chars().next()
    }

    /// Looks for something from a place on, and counts what was looked at.
    fn find(&mut self, from: usize, find: impl FnOnce(&'t str) -> Option<usize>) -> Option<usize> {
        let rest = &self.text[from..];
        let found = find(rest);
        self.out.looked += found.unwrap_or(rest.len());
        found
    }

    fn eat(&mut self, text: &str) -> bool {
        let found = self.rest().starts_with(text);
        if found {
            self.at += text.len();
        }
        found
    }

    /// The end of this line, which is looked for once.
    fn line_end(&mut self) -> usize {
        if !self.line.contains(&self.at) {
            let found = self.find(self.at, |rest| rest.find('\n'));
            self.line = self.at..found.map_or(self.text.len(), |found| self.at + found);
        }
        self.line.end
    }

    fn unreadable(&self, at: usize, what: &str) -> Unreadable {
        Unreadable { line: line_of(self.text, at), what: what.to_owned() }
    }

    /// A name, `foo::bar-1`, or a reference, `Foo::Bar`; `::` may be before it.
    fn word(&mut self, start: usize) -> Result<Kind, Unreadable> {
        let rest = self.rest();
        let is_reference =
            rest.trim_start_matches(':').starts_with(|c: char| c.is_ascii_uppercase());
        loop {
            let before = self.at;
            self.eat("::");
            let rest = self.rest();
            let begins = |c: char| match is_reference {
                true => c.is_ascii_uppercase(),
                false => c.is_ascii_lowercase() || c == '_',
            };
            if !rest.starts_with(begins) {
                self.at = before;
                break;
            }
            // `$a->b` and `x-1` aside: a `-` may be inside of a name, not at its end.
            let is_end = |byte: u8| !is_word(byte.into()) && (is_reference || byte != b'-');
            let end = self.find(self.at, |rest| rest.bytes().position(is_end));
            let end = end.unwrap_or(rest.len());
            self.at += rest[..end].trim_end_matches('-').len();
            if !self.rest().starts_with("::") {
                break;
            }
        }
        if self.at == start {
            return Err(self.unreadable(start, "expected a name after `::`"));
        }
        if is_reference && self.rest().starts_with("::") {
            return Err(self.unreadable(start, "every part of a type's name has a capital letter"));
        }
        Ok(if is_reference { Kind::Reference } else { Kind::Name })
    }

    /// The name of a variable, behind its `$`.
    fn variable(&mut self, start: usize) -> Result<(), Unreadable> {
        let length = variable_length(self.rest());
        let name = &self.rest()[..length];
        self.out.looked += length;
        self.at += length;
        self.named_variable(start, name)
    }

    /// `VAR_NAME` and `NUMERIC_VAR_NAME` of `lib/puppet/pops/patterns.rb`.
    fn named_variable(&self, start: usize, name: &str) -> Result<(), Unreadable> {
        let is_lower = |byte: &u8| byte.is_ascii_lowercase();
        let is_right = match name.as_bytes() {
            b"0" => true,
            [b'1'..=b'9', rest @ ..] => rest.iter().all(u8::is_ascii_digit),
            bytes => {
                let (spaces, last) = match bytes.iter().rposition(|&byte| byte == b':') {
                    Some(colon) => (&name[..=colon], &bytes[colon + 1..]),
                    None => ("", bytes),
                };
                let mut spaces = spaces.split_terminator("::").skip_while(|space| space.is_empty());
                last.first().is_some_and(|byte| is_lower(byte) || *byte == b'_')
                    && !last.contains(&b'-')
                    && spaces.all(|space| space.as_bytes().first().is_some_and(is_lower))
            }
        };
        match is_right {
            true => Ok(()),
            false => Err(self.unreadable(start, &format!("no variable may be `${name}`"))),
        }
    }

    /// `PATTERN_NUMBER`, and what `assert_numeric` says of one.
    fn number(&mut self, start: usize) -> Result<Kind, Unreadable> {
        let bytes = self.rest().as_bytes();
        let digits = |from: usize, is: fn(&u8) -> bool| {
            bytes.get(from..).unwrap_or_default().iter().take_while(|&byte| is(byte)).count()
        };
        let is_hex = matches!(bytes, [b'0', b'x' | b'X', ..]);
        let mut end = match is_hex {
            true => 2 + digits(2, u8::is_ascii_hexdigit),
            false => digits(0, u8::is_ascii_digit),
        };
        if !is_hex {
            let fraction = digits(end + 1, u8::is_ascii_digit);
            if bytes.get(end) == Some(&b'.') && fraction > 0 {
                end += 1 + fraction;
            }
            let sign = usize::from(bytes.get(end + 1) == Some(&b'-'));
            let exponent = digits(end + 1 + sign, u8::is_ascii_digit);
            if matches!(bytes.get(end), Some(b'e' | b'E')) && exponent > 0 {
                end += 1 + sign + exponent;
            }
        }
        self.out.looked += end;
        self.at += end;
        let number = &self.text[start..self.at];
        let is_octal = number.len() > 1 && number.starts_with('0') && !number.starts_with("0.");
        let is_wrong = match is_hex {
            true => end == 2,
            false => is_octal && !number.bytes().all(|byte| matches!(byte, b'0'..=b'7')),
        };
        if is_wrong || self.rest().starts_with(is_word) {
            return Err(self.unreadable(start, "this is no number"));
        }
        Ok(Kind::Number)
    }

    /// The longest operator that is here, or any other character.
    fn operator(&mut self, c: char) -> Kind {
        let next = self.rest().as_bytes().get(1..).unwrap_or_default();
        let (kind, length) = match (c, next) {
            ('<', [b'<', b'|', ..]) | ('|', [b'>', b'>', ..]) => (Kind::Operator, 3),
            ('=', [b'>', ..]) => (Kind::Arrow, 2),
            ('>', [b'>', ..]) => (Kind::Returns, 2),
            ('=' | '!', [b'=' | b'~', ..])
            | ('<', [b'=' | b'<' | b'|' | b'-' | b'~', ..])
            | ('>' | '+' | '-', [b'=', ..])
            | ('|' | '-' | '~' | '+', [b'>', ..])
            | ('@', [b'@', ..]) => (Kind::Operator, 2),
            _ => (Kind::Mark(c), c.len_utf8()),
        };
        self.at += length;
        kind
    }

    /// A `/` after something that has a value divides it.
    fn may_be_regex(&self) -> bool {
        let Some(last) = self.out.tokens.last() else { return true };
        match &last.kind {
            Kind::Name => {
                // Keywords have no value, but for these two.
                let name = &self.text[last.start..last.end];
                KEYWORDS.contains(&name)
            }
            Kind::Mark(mark) => !matches!(mark, ')' | ']'),
            Kind::Operator => !matches!(&self.text[last.start..last.end], "|>" | "|>>"),
            Kind::Arrow | Kind::Returns => true,
            _ => false,
        }
    }

    fn regex(&mut self) -> Kind {
        if !self.regex_ends {
            return self.operator('/');
        }
        let body = &self.rest()[1..];
        let mut escaped = false;
        let is_end = |byte| {
            let ends = byte == b'/' && !escaped;
            escaped = byte == b'\\' && !escaped;
            ends
        };
        match self.find(self.at + 1, |body| body.bytes().position(is_end)) {
            Some(end) => {
                self.at += end + 2;
                Kind::Regex(body[..end].replace("\\/", "/"))
            }
            None => {
                self.regex_ends = false;
                self.operator('/')
            }
        }
    }
}

/// Words that are no operand: a `/` behind them begins a regular expression.
const KEYWORDS: [&str; 20] = [
    "and",
    "application",
    "attr",
    "case",
    "class",
    "consumes",
    "default",
    "define",
    "else",
    "elsif",
    "function",
    "if",
    "in",
    "inherits",
    "node",
    "or",
    "produces",
    "type",
    "undef",
    "unless",
];

/// White space within a line, `[[:blank:]\r]`.
fn is_blank(c: char) -> bool {
    let is_other = matches!(c, '\n' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}');
    c.is_whitespace() && !is_other
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// `(::)?(\w+::)*\w+`
fn variable_length(text: &str) -> usize {
    let mut at = 0;
    loop {
        let colons = if text[at..].starts_with("::") { 2 } else { 0 };
        if at > 0 && colons == 0 {
            return at;
        }
        let rest = &text[at + colons..];
        let word = rest.bytes().position(|byte| !is_word(byte.into())).unwrap_or(rest.len());
        if word == 0 {
            return at;
        }
        at += colons + word;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each token as its text, or as `<text>` where the text is known, or `<>` where it is not.
    fn tokens(text: &str) -> Vec<String> {
        let shown = |token: &Token| match &token.kind {
            Kind::Text(Some(text)) => format!("<{text}>"),
            Kind::Text(None) => "<>".to_owned(),
            Kind::Regex(regex) => format!("/{regex}/"),
            _ => text[token.start..token.end].to_owned(),
        };
        lex(text).unwrap().tokens.iter().map(shown).collect()
    }

    #[test]
    fn strings_are_read_as_puppet_reads_them() {
        assert_eq!(tokens(r"'a\'b\\c\d'"), [r"<a'b\c\d>"]);
        assert_eq!(tokens(r#""a\tb\u{1F600}\u00e9\$x $ 5""#), ["<a\tb😀é$x $ 5>"]);
        assert_eq!(tokens(r#""a ${b['}']} c" x"#), ["<>", "x"]);
        assert_eq!(tokens(r#""${"${x}"}" y"#), ["<>", "y"]);
        assert_eq!(tokens(r#""$x::y""#), ["<>"]);
    }

    #[test]
    fn a_slash_divides_what_has_a_value() {
        assert_eq!(tokens("$a / 2 / 3"), ["$a", "/", "2", "/", "3"]);
        assert_eq!(tokens(r"if $a =~ /x\/[}]/ {"), ["if", "$a", "=~", "/x/[}]/", "{"]);
        assert_eq!(tokens("case $x { /a/: {} }").len(), 8);
        assert_eq!(tokens("(1) / 2 /* c */ # d"), ["(", "1", ")", "/", "2"]);
    }

    #[test]
    fn heredocs_are_skipped_to_their_end_and_may_share_a_line() {
        let text = "f(@(A), @(\"B\"/L)) + 1\n a }\n A\n ${b + 1}\n | - B\nx";
        assert_eq!(tokens(text), ["f", "(", "<>", ",", "<>", ")", "+", "1", "x"]);
        assert_eq!(
            lex("\n@(A)\nx\n").unwrap_err().to_string(),
            "line 2: a heredoc has no line that ends it"
        );
    }

    #[test]
    fn names_numbers_and_operators_are_told_apart() {
        assert_eq!(tokens("::foo::bar Foo::Bar-1"), ["::foo::bar", "Foo::Bar", "-", "1"]);
        assert_eq!(
            tokens("a-b 1.5e-3 0xfe-1 1..2"),
            ["a-b", "1.5e-3", "0xfe", "-", "1", "1", ".", ".", "2"]
        );
        assert_eq!(tokens("a=>b <<| |>> >> ->"), ["a", "=>", "b", "<<|", "|>>", ">>", "->"]);
    }

    #[test]
    fn no_text_takes_more_than_some_steps_for_each_of_its_characters() {
        // Each of them would take its length squared, were it looked at again and again.
        for one in [
            "/\\/",
            "@(a) ",
            "\"\\u{",
            "a-",
            "--",
            "$a::",
            "::",
            "'",
            "\"",
            "\"${",
            "{",
            "# x\n",
            "/*",
            "@(a)",
            "1.",
            "A::",
            "/ ",
            "\\",
            "\u{e9}",
            "x",
            "\"$a::b ",
            "@(a)\na\n",
            "@(a) \"\n\n a\n\"\n",
        ] {
            let looked = |many: usize| match lex(&one.repeat(many)) {
                Ok(read) => read.looked,
                // What ends in an error was not read again.
                Err(_) => 0,
            };
            let (once, twice) = (looked(5_000), looked(10_000));
            assert!(
                twice <= once * 2 + 100 && once <= 5_000 * one.len() * 8,
                "{one}: {once}, {twice}"
            );
        }
    }

    #[test]
    fn what_is_not_closed_is_told_with_its_line() {
        let told = |text: &str| lex(text).unwrap_err().to_string();
        assert_eq!(told("\n'x"), "line 2: a string is not closed");
        assert_eq!(told("\"${x\""), "line 1: a string is not closed");
        assert_eq!(told("\n/* x"), "line 2: `/*` is not closed");
        assert_eq!(told(&"\"${".repeat(100)), "line 1: interpolations are nested too deep");
    }
}
