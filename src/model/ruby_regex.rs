//! Ruby's regular expressions, as far as another engine matches the same.
//!
//! Ruby's `^` and `$` are those of a line, its `\d`, `\w` and `\s` are ASCII,
//! and it looks around and back. What cannot be matched the same is not
//! matched at all.

use regex::Regex;
use std::collections::HashMap;

/// Expressions that were translated once.
#[derive(Debug, Default)]
pub struct Patterns {
    known: HashMap<String, Option<Translated>>,
}

#[derive(Debug)]
struct Translated {
    regex: Regex,
    /// Matches other letters than Ruby does beyond ASCII.
    ascii_only: bool,
    /// Has a `^`, which Ruby does not match behind a newline that ends the text.
    line_start: bool,
}

impl Patterns {
    /// Whether a text matches somewhere; none where only Ruby can tell.
    pub fn is_match(&mut self, pattern: &str, text: &str) -> Option<bool> {
        if !self.known.contains_key(pattern) {
            self.known.insert(pattern.to_owned(), translated(pattern));
        }
        let translated = self.known.get(pattern)?.as_ref()?;
        if translated.ascii_only && !text.is_ascii() {
            return None;
        }
        if !translated.line_start || !text.ends_with('\n') {
            return Some(translated.regex.is_match(text));
        }
        match translated.regex.find(text) {
            None => Some(false),
            // It does not reach where the two differ.
            Some(found) if found.end() < text.len() => Some(true),
            Some(_) => None,
        }
    }
}

fn translated(pattern: &str) -> Option<Translated> {
    let text = String::from("(?m)");
    let mut out = Out { text, ascii_only: false, line_start: false, classes: Vec::new() };
    let mut chars = pattern.chars().peekable();
    let mut last = None;
    while let Some(c) = chars.next() {
        match out.classes.is_empty() {
            false => out.inside(c, &mut chars)?,
            true => out.outside(c, last, &mut chars)?,
        }
        last = (c != '\\').then_some(c);
    }
    // `ß` is `ss` where case is ignored.
    if out.text.contains("(?i") && !pattern.is_ascii() {
        return None;
    }
    let regex = Regex::new(&out.text).ok()?;
    Some(Translated { regex, ascii_only: out.ascii_only, line_start: out.line_start })
}

type Chars<'p> = std::iter::Peekable<std::str::Chars<'p>>;

struct Out {
    text: String,
    ascii_only: bool,
    line_start: bool,
    /// The classes that are open, each by what stands last in it.
    classes: Vec<Last>,
}

/// What stands in a class before a `-`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    Nothing,
    /// A character, which may begin a range.
    One,
    /// The `-` of a range.
    Dash,
    /// A whole range.
    Range,
    /// A set of characters, as `\w` is.
    Set,
}

impl Out {
    fn outside(&mut self, c: char, last: Option<char>, chars: &mut Chars<'_>) -> Option<()> {
        match c {
            '\\' => return self.escape(chars),
            '[' => return self.open(chars),
            '(' if chars.peek() == Some(&'?') => {
                chars.next();
                return self.group(chars);
            }
            // Possessive, which gives nothing back.
            '+' if matches!(last, Some('+' | '*' | '?')) => return None,
            '{' => return self.times(chars),
            '^' => self.line_start = true,
            _ => {}
        }
        self.text.push(c);
        Some(())
    }

    /// `{n}`, `{n,}`, `{n,m}` and `{,m}`; any other `{` is a character in Ruby.
    fn times(&mut self, chars: &mut Chars<'_>) -> Option<()> {
        let mut inside = String::new();
        while !inside.ends_with('}') {
            inside.push(chars.next()?);
        }
        let inside = inside.trim_end_matches('}');
        let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let (from, to) = inside.split_once(',').unwrap_or((inside, inside));
        if !is_number(from) || !is_number(to) || (from.is_empty() && to.is_empty()) {
            return None;
        }
        // `a{2}?` may be left out in Ruby, elsewhere it is lazy.
        if !inside.contains(',') && chars.peek() == Some(&'?') {
            return None;
        }
        let missing = if from.is_empty() { "0" } else { "" };
        self.text.push_str(&format!("{{{missing}{inside}}}"));
        Some(())
    }

    fn open(&mut self, chars: &mut Chars<'_>) -> Option<()> {
        self.put(Last::Set)?;
        self.classes.push(Last::Nothing);
        self.text.push('[');
        if chars.peek() == Some(&'^') {
            self.text.extend(chars.next());
        }
        (chars.peek() != Some(&']')).then_some(())
    }

    /// Notes what stands in the innermost class now; none where Ruby takes no such range.
    fn put(&mut self, what: Last) -> Option<()> {
        let Some(last) = self.classes.last_mut() else { return Some(()) };
        *last = match (*last, what) {
            (Last::Dash, Last::One) => Last::Range,
            (Last::Dash, _) => return None,
            _ => what,
        };
        Some(())
    }

    /// A character of a class.
    fn inside(&mut self, c: char, chars: &mut Chars<'_>) -> Option<()> {
        let next = chars.peek().copied();
        match c {
            '\\' => return self.escape(chars),
            '[' if next == Some(':') => {
                self.put(Last::Set)?;
                self.ascii_only = true;
                // `[:alpha:]`, to its end.
                self.text.push(c);
                for c in chars.by_ref() {
                    self.text.push(c);
                    if c == ']' {
                        break;
                    }
                }
                return Some(());
            }
            '[' => return self.open(chars),
            ']' => {
                self.classes.pop();
            }
            '-' | '~' | '&' if next == Some(c) => return None,
            '-' if next == Some(']') => self.put(Last::One)?,
            '-' => match self.classes.last()? {
                Last::Nothing => self.put(Last::Set)?,
                Last::One => self.put(Last::Dash)?,
                _ => return None,
            },
            _ => self.put(Last::One)?,
        }
        self.text.push(c);
        Some(())
    }

    fn escape(&mut self, chars: &mut Chars<'_>) -> Option<()> {
        let c = chars.next()?;
        let inside = !self.classes.is_empty();
        let is_set = matches!(c, 'd' | 'D' | 'w' | 'W' | 's' | 'S' | 'h' | 'H');
        self.put(if is_set { Last::Set } else { Last::One })?;
        let set = |positive: &str, negated: bool| match (negated, inside) {
            (false, true) => positive.to_owned(),
            (false, false) => format!("[{positive}]"),
            (true, _) => format!("[^{positive}]"),
        };
        let found = match c {
            'd' | 'D' => set("0-9", c == 'D'),
            'w' | 'W' => set("0-9A-Za-z_", c == 'W'),
            's' | 'S' => set(r"\t\n\x0B\f\r ", c == 'S'),
            'h' | 'H' => set("0-9A-Fa-f", c == 'H'),
            'A' | 'z' if !inside => format!("\\{c}"),
            // What follows would have to match the newline again.
            'Z' if !inside && matches!(chars.peek(), None | Some(')' | '|')) => {
                r"(?:\n?\z)".to_owned()
            }
            'b' | 'B' if !inside => {
                self.ascii_only = true;
                format!("\\{c}")
            }
            'e' => r"\x1B".to_owned(),
            '0' if !chars.peek().is_some_and(char::is_ascii_digit) => r"\x00".to_owned(),
            'x' => {
                let digits = [chars.next()?, chars.next()?];
                let is_ascii = matches!(digits, ['0'..='7', low] if low.is_ascii_hexdigit());
                if !is_ascii {
                    return None;
                }
                format!("\\x{}", String::from_iter(digits))
            }
            'n' | 't' | 'r' | 'f' | 'v' | 'a' => format!("\\{c}"),
            '<' | '>' | ' ' => c.to_string(),
            c if c.is_ascii_punctuation() => format!("\\{c}"),
            _ => return None,
        };
        self.text.push_str(&found);
        Some(())
    }

    /// What stands behind `(?`.
    fn group(&mut self, chars: &mut Chars<'_>) -> Option<()> {
        let mut flags = String::new();
        loop {
            match chars.next()? {
                '<' if flags.is_empty() => {
                    // A name, and no look behind.
                    if matches!(chars.peek()?, '=' | '!') {
                        return None;
                    }
                    self.text.push_str("(?<");
                    return Some(());
                }
                // Ruby's `m` is what others call `s`.
                'm' => flags.push('s'),
                'i' => {
                    flags.push('i');
                    self.ascii_only = true;
                }
                '-' => flags.push('-'),
                ':' => {
                    self.text.push_str(&format!("(?{flags}:"));
                    return Some(());
                }
                // `(?i)` with it: it reaches over `|` in Ruby.
                _ => return None,
            }
        }
    }
}

/// False for what Ruby is sure to refuse: parentheses that are no pairs, a class that is not
/// closed, and nothing to repeat.
pub fn may_be_taken(regex: &str) -> bool {
    let (mut open, mut classes) = (0_usize, 0_usize);
    let mut before = '(';
    let mut characters = regex.chars().peekable();
    while let Some(c) = characters.next() {
        let is_inside = classes > 0;
        match c {
            '\\' => drop(characters.next()),
            '[' => {
                classes += 1;
                characters.next_if_eq(&'^');
                // Right behind it a `]` is a character, where another one closes the class.
                if characters.next_if_eq(&']').is_some() && !characters.clone().any(|c| c == ']') {
                    return false;
                }
            }
            ']' => classes = classes.saturating_sub(1),
            '(' if !is_inside => {
                open += 1;
                if characters.next_if_eq(&'?').is_some() {
                    before = characters.next().filter(|c| !":=!>".contains(*c)).unwrap_or('(');
                    continue;
                }
            }
            ')' if !is_inside => match open.checked_sub(1) {
                Some(less) => open = less,
                None => return false,
            },
            '*' | '+' | '?' if !is_inside && matches!(before, '(' | '|') => return false,
            _ => {}
        }
        before = c;
    }
    open == 0 && classes == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_matched_is_matched_as_ruby_does() {
        let mut patterns = Patterns::default();
        let mut matches = |pattern: &str, text: &str| patterns.is_match(pattern, text);
        assert_eq!(matches(r"^\d+$", "x\n12\ny"), Some(true));
        assert_eq!(matches(r"\A\d+\Z", "12\n"), Some(true));
        assert_eq!(matches(r"\A\d+\z", "12\n"), Some(false));
        assert_eq!(matches(r"\A\d\z", "٣"), Some(false));
        assert_eq!(matches(r"\A[\h:]+\z", "fe:80"), Some(true));
        assert_eq!(matches(r"\A\/([^\n\/\0]+\/*)*\z", "/etc"), Some(true));
        assert_eq!(matches(r"(?i:abc)", "xABC"), Some(true));
        assert_eq!(matches(r"(?i:É)", "é"), None);
        assert_eq!(matches(r"\A[^\s]\W\z", "a-"), Some(true));
        assert_eq!(matches(r"a.b", "a\nb"), Some(false));
        assert_eq!(matches(r"(?m:a.b)", "a\nb"), Some(true));
        assert_eq!(matches(r"^[a-z]*$", "ABC\n"), None);
        assert_eq!(matches(r"^[a-z]+$", "abc\n"), Some(true));
        assert_eq!(matches(r"^[a-z]+$", "ABC\n"), Some(false));
        assert_eq!(matches(r"\A[\w.-]{,2}\z", "a-"), Some(true));
        assert_eq!(matches(r"\A[-\w]+\z", "a-"), Some(true));
        for pattern in [
            r"\A(?i)yes|no\z",
            "a{2}?b",
            "a{ 2}",
            "a{2",
            r"[\w-~]",
            r"[\w\s-:]",
            r"[\s-a]",
            r"[+-\w]",
            r"\x{61}",
            r"\01",
            r"\A\Z\n",
        ] {
            assert_eq!(matches(pattern, "a"), None, "{pattern}");
        }
        for pattern in ["(?=a)", "(?<!a)b", r"(a)\1", "a++", r"\Gx", "[]a]", "a{,2}b(", "(?x: a)"] {
            assert_eq!(matches(pattern, "a"), None, "{pattern}");
        }
    }
}
