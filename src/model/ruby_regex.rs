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
        Some(translated.regex.is_match(text))
    }
}

fn translated(pattern: &str) -> Option<Translated> {
    let mut out = Out { text: String::from("(?m)"), ascii_only: false, class: 0 };
    let mut chars = pattern.chars().peekable();
    let mut last = None;
    while let Some(c) = chars.next() {
        let next = chars.peek().copied();
        match c {
            '\\' => out.escape(chars.next()?)?,
            '[' if out.class > 0 && next == Some(':') => {
                out.ascii_only = true;
                out.text.push(c);
                // `[:alpha:]`, to its end.
                for c in chars.by_ref() {
                    out.text.push(c);
                    if c == ']' {
                        break;
                    }
                }
            }
            '[' => {
                out.class += 1;
                out.text.push(c);
                if next == Some('^') {
                    out.text.extend(chars.next());
                }
                if chars.peek() == Some(&']') {
                    return None;
                }
            }
            ']' if out.class > 0 => {
                out.class -= 1;
                out.text.push(c);
            }
            '-' | '~' if out.class > 0 && next == Some(c) => return None,
            '(' if out.class == 0 && next == Some('?') => {
                chars.next();
                out.group(&mut chars)?;
            }
            // Possessive, which gives nothing back.
            '+' if out.class == 0 && matches!(last, Some('+' | '*' | '?')) => return None,
            c => out.text.push(c),
        }
        last = (c != '\\').then_some(c);
    }
    let regex = Regex::new(&out.text).ok()?;
    Some(Translated { regex, ascii_only: out.ascii_only })
}

struct Out {
    text: String,
    ascii_only: bool,
    /// How many classes are open.
    class: usize,
}

impl Out {
    fn escape(&mut self, c: char) -> Option<()> {
        let inside = self.class > 0;
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
            'Z' if !inside => r"(?:\n?\z)".to_owned(),
            'b' | 'B' if !inside => {
                self.ascii_only = true;
                format!("\\{c}")
            }
            'e' => r"\x1B".to_owned(),
            'n' | 't' | 'r' | 'f' | 'v' | 'a' | 'x' | 'p' | 'P' => format!("\\{c}"),
            '<' | '>' => c.to_string(),
            c if c.is_ascii_punctuation() || c == ' ' => match c {
                ' ' => " ".to_owned(),
                c => format!("\\{c}"),
            },
            _ => return None,
        };
        self.text.push_str(&found);
        Some(())
    }

    /// What stands behind `(?`.
    fn group(&mut self, chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<()> {
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
                end @ (':' | ')') => {
                    self.text.push_str(&format!("(?{flags}{end}"));
                    return Some(());
                }
                _ => return None,
            }
        }
    }
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
        assert_eq!(matches(r"\A\/([^\n\/\0]+\/*)*\z", "/etc"), None);
        assert_eq!(matches(r"(?i:abc)", "xABC"), Some(true));
        assert_eq!(matches(r"(?i:É)", "é"), None);
        assert_eq!(matches(r"\A[^\s]\W\z", "a-"), Some(true));
        assert_eq!(matches(r"a.b", "a\nb"), Some(false));
        assert_eq!(matches(r"(?m:a.b)", "a\nb"), Some(true));
        for pattern in ["(?=a)", "(?<!a)b", r"(a)\1", "a++", r"\Gx", "[]a]", "a{,2}b(", "(?x: a)"] {
            assert_eq!(matches(pattern, "a"), None, "{pattern}");
        }
    }
}
