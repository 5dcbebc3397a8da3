//! Strings, heredocs, and the code that is in them (`lib/puppet/pops/parser/slurp_support.rb`,
//! `interpolation_support.rb`, `heredoc_support.rb`).

use super::{Kind, Lexer, Token, is_blank, is_word, variable_length};
use crate::model::puppet_code::Unreadable;
use std::ops::Range;

/// So deep may interpolations be in each other.
const DEEPEST: usize = 64;

impl Lexer<'_> {
    pub(super) fn single_quoted(&mut self, start: usize) -> Result<Kind, Unreadable> {
        self.at += 1;
        let mut text = String::new();
        loop {
            let rest = self.rest();
            let found = self.find(self.at, |rest| rest.find(['\'', '\\']));
            let end = found.ok_or_else(|| self.unreadable(start, "a string is not closed"))?;
            text.push_str(&rest[..end]);
            self.at += end + 1;
            if rest[end..].starts_with('\'') {
                return Ok(Kind::Text(Some(text)));
            }
            match self.rest().chars().next() {
                Some(next @ ('\'' | '\\')) => {
                    self.at += 1;
                    text.push(next);
                }
                _ => text.push('\\'),
            }
        }
    }

    pub(super) fn double_quoted(&mut self, start: usize) -> Result<Kind, Unreadable> {
        self.at += 1;
        let mut text = Some(String::new());
        loop {
            let rest = self.rest();
            let found = self.find(self.at, |rest| rest.find(['"', '\\', '$']));
            let end = found.ok_or_else(|| self.unreadable(start, "a string is not closed"))?;
            let here = self.at + end;
            self.at = here + 1;
            text.iter_mut().for_each(|text| text.push_str(&rest[..end]));
            match rest.as_bytes()[end] {
                b'"' => return Ok(Kind::Text(text)),
                b'\\' => {
                    let found = self.escape(here)?;
                    text = text.and_then(|text| Some(text + &found?));
                }
                _ if self.eat("{") => {
                    self.interpolation(here)?;
                    text = None;
                }
                _ if variable_length(self.rest()) > 0 => {
                    self.variable(here)?;
                    text = None;
                }
                _ => text.iter_mut().for_each(|text| text.push('$')),
            }
        }
    }

    /// What an escape in double quotes stands for; none for digits that are none.
    fn escape(&mut self, start: usize) -> Result<Option<String>, Unreadable> {
        let Some(c) = self.peek() else { return Ok(None) };
        self.at += c.len_utf8();
        let plain = match c {
            'n' => "\n",
            'r' => "\r",
            't' => "\t",
            's' => " ",
            '"' | '\'' | '\\' | '$' => return Ok(Some(c.to_string())),
            '\n' => "",
            'u' => return self.code_point(start).transpose(),
            c => return Ok(Some(format!("\\{c}"))),
        };
        Ok(Some(plain.to_owned()))
    }

    fn code_point(&mut self, start: usize) -> Option<Result<String, Unreadable>> {
        // No more than six digits.
        const LONGEST: usize = 7;
        let rest = self.rest();
        let end = rest.bytes().take(LONGEST + 1).position(|byte| byte == b'}');
        let (digits, length) = match end.filter(|_| rest.starts_with('{')) {
            Some(end) => (&rest[1..end], end + 1),
            None => (rest.get(..4)?, 4),
        };
        let code = u32::from_str_radix(digits, 16).ok()?;
        self.at += length;
        let text = char::from_u32(code).map(String::from);
        Some(text.ok_or_else(|| self.unreadable(start, "no character has this number")))
    }

    /// Reads the code of `${…}` up to its closing brace, and sets it aside.
    fn interpolation(&mut self, start: usize) -> Result<(), Unreadable> {
        if self.depth == DEEPEST {
            return Err(self.unreadable(start, "interpolations are nested too deep"));
        }
        self.depth += 1;
        let kept = self.out.tokens.len();
        let mut open = 0_usize;
        loop {
            match self.peek() {
                None => return Err(self.unreadable(start, "`${` is not closed")),
                Some('}') if open == 0 => break,
                Some(c) => {
                    open = match c {
                        '{' => open + 1,
                        '}' => open - 1,
                        _ => open,
                    };
                    self.token(c)?;
                }
            }
        }
        self.at += 1;
        self.depth -= 1;
        let mut inside = self.out.tokens.split_off(kept);
        self.first_is_variable(&mut inside)?;
        if !matches!(inside.as_slice(), [one] if one.kind == Kind::Variable) {
            self.out.interpolated.push(inside);
        }
        Ok(())
    }

    /// `${foo}`, `${foo[1]}` and `${foo.bar}` are of the variable.
    fn first_is_variable(&self, inside: &mut [Token]) -> Result<(), Unreadable> {
        let alone = match inside {
            [_] => true,
            [_, next, ..] => match next.kind {
                Kind::Mark('[') => !next.apart,
                Kind::Mark('.') => true,
                _ => false,
            },
            [] => false,
        };
        match inside.first_mut() {
            Some(first) if alone && matches!(first.kind, Kind::Name | Kind::Number) => {
                let name = &self.text[first.start..first.end];
                if matches!(name, "true" | "false") {
                    return Err(self.unreadable(first.start, "no variable may be this"));
                }
                self.named_variable(first.start, name)?;
                first.kind = Kind::Variable;
            }
            _ => {}
        }
        Ok(())
    }

    /// `@(TAG)`: the text is on the lines below, up to one that ends it.
    pub(super) fn heredoc(&mut self, start: usize) -> Result<Kind, Unreadable> {
        if self.in_heredoc {
            return Err(self.unreadable(start, "a heredoc may not begin in another's text"));
        }
        let line_end = self.line_end();
        let line = &self.text[self.at..line_end];
        let close = self.find(self.at, |_| line.find(')'));
        let close = close.ok_or_else(|| self.unreadable(start, "`@(` is not closed"))?;
        let head = Heredoc::read(&line[2..close]).map_err(|what| self.unreadable(start, what))?;
        let begin = self.jump.unwrap_or((line_end + 1).min(self.text.len()));
        let mut at = begin;
        for line in self.text[begin..].split_inclusive('\n') {
            let end = at;
            at += line.len();
            self.out.looked += line.len();
            if ends_heredoc(line, head.tag) {
                if head.interpolates {
                    self.template(begin..end, head.escapes_dollar)?;
                }
                self.jump = Some(at);
                self.at = start + close + 1;
                return Ok(Kind::Text(None));
            }
        }
        Err(self.unreadable(start, "a heredoc has no line that ends it"))
    }

    /// Reads the interpolations of a heredoc's text.
    fn template(&mut self, lines: Range<usize>, escapes_dollar: bool) -> Result<(), Unreadable> {
        let (text, line, begin) = (self.text, self.line.clone(), self.begin);
        self.text = &text[..lines.end];
        (self.at, self.line) = (lines.start, 0..0);
        let jump = self.jump.take();
        self.in_heredoc = true;
        while let Some(found) = self.find(self.at, |rest| rest.find(['$', '\\'])) {
            let here = self.at + found;
            self.at = here + 1;
            if text[here..].starts_with('\\') {
                let escaped = self.rest().chars().next().filter(|_| escapes_dollar);
                self.at += escaped.map_or(0, char::len_utf8);
            } else if self.eat("{") {
                self.interpolation(here)?;
            } else if variable_length(self.rest()) > 0 {
                self.variable(here)?;
            }
        }
        (self.text, self.line, self.begin, self.jump) = (text, line, begin, jump);
        self.in_heredoc = false;
        Ok(())
    }
}

/// What stands in `@(…)`.
struct Heredoc<'t> {
    tag: &'t str,
    interpolates: bool,
    escapes_dollar: bool,
}

impl<'t> Heredoc<'t> {
    /// `PATTERN_HEREDOC` of `lib/puppet/pops/parser/heredoc_support.rb`.
    fn read(head: &'t str) -> Result<Self, &'static str> {
        let (rest, escapes) = match head.split_once('/') {
            Some((rest, escapes)) => (rest, Some(escapes.trim_end_matches(is_blank))),
            None => (head, None),
        };
        let (tag, syntax) = match rest.split_once(':') {
            Some((tag, syntax)) => (tag, Some(syntax.trim_matches(is_blank))),
            None => (rest, None),
        };
        let is_syntax = |text: &str| {
            let is_one = |c: char| is_word(c) || c == '+';
            text.len() > 1
                && text.starts_with(|c: char| c.is_ascii_lowercase())
                && text.chars().all(is_one)
        };
        let escapes_are = |escapes: &str| {
            let twice = |(at, c)| escapes[..at].contains(c);
            !escapes.char_indices().any(|(at, c)| twice((at, c)) || !"trnsuL$".contains(c))
        };
        if !syntax.is_none_or(is_syntax) || !escapes.is_none_or(escapes_are) {
            return Err("expected `@(TAG)`, `@(TAG:SYNTAX)` or `@(TAG/ESCAPES)`");
        }
        let tag = tag.trim();
        let quoted = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
        let (tag, interpolates) = (quoted.unwrap_or(tag).trim(), quoted.is_some());
        let escapes_dollar = escapes.is_some_and(|all| all.is_empty() || all.contains('$'));
        match tag.is_empty() {
            true => Err("a heredoc has no end tag"),
            false => Ok(Heredoc { tag, interpolates, escapes_dollar }),
        }
    }
}

/// Whatever is before the tag: `endline_pattern` begins nowhere.
fn ends_heredoc(line: &str, tag: &str) -> bool {
    let line = line.strip_suffix('\n').unwrap_or(line);
    line.trim_end_matches(is_blank).ends_with(tag)
}
