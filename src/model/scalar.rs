//! What a scalar means to Psych: its `scalar_scanner.rb`, and what `to_ruby.rb`
//! does with the tags of scalars.
//!
//! Each pattern of Ruby's stands in the comment of the function that reads it.

use super::value::{Value, key_text};
use super::yaml::{Finding, Mark};
use std::fmt;

/// Longest decimal integer; Ruby knows no bound.
const LONGEST_INTEGER: usize = 1000;
/// Longest other number. Ruby's own reading loses digits beyond (`util.c`, `ruby_strtod`).
const LONGEST_NUMBER: usize = 60;

/// What helps against YAML taking a word for something else.
pub const QUOTE: &str = "quote it to give Puppet a string";

/// Why a scalar has no value.
#[derive(Debug, PartialEq, Eq)]
pub enum Refused {
    /// A date or a time: Psych knows it, Puppet does not permit it.
    Time(&'static str),
    /// A Ruby symbol.
    Symbol,
    /// A symbol too, and more likely meant as a class of the top scope.
    TopScope,
    /// Psych takes it for a number and then cannot read it.
    NotANumber,
    /// More digits than this program reads.
    TooLong,
    /// The tag makes a Ruby object of it, or is not the tag of such a value.
    Tag(String),
    /// `!!binary` of other bytes than ASCII, which to Ruby is no text.
    Binary(String),
    /// The tag takes the quotes off what then is a number, a boolean or null.
    Unquoted(String),
}

impl Refused {
    /// The finding, for a scalar that stands there.
    pub fn at(self, mark: Mark, path: &impl fmt::Display) -> Finding {
        let (found, hint) = match self {
            Refused::Time(kind) => (kind.to_owned(), QUOTE),
            Refused::Symbol => ("a symbol".to_owned(), QUOTE),
            Refused::TopScope => {
                let hint = "take `::` off the name of a class; quote what shall be a string";
                ("a symbol".to_owned(), hint)
            }
            Refused::NotANumber => {
                ("what Ruby takes for a number and cannot read".to_owned(), QUOTE)
            }
            Refused::TooLong => ("a very long number".to_owned(), QUOTE),
            Refused::Tag(tag) => (tagged("a scalar", &tag), "remove the tag"),
            Refused::Binary(tag) => {
                let found = tagged("a scalar", &tag) + " that is not ASCII";
                (found, "write the text itself, or `!!str` and let the class decode it")
            }
            Refused::Unquoted(tag) => {
                let found =
                    tagged("a quoted scalar", &tag) + ", which Ruby reads without its quotes";
                (found, "remove the tag, or write `!!str`")
            }
        };
        Finding::new(mark, DATA, found).at(path.to_string()).hint(hint)
    }
}

/// What a scalar is, by its tag (`deserialize` of `to_ruby.rb`).
pub fn scalar(text: &str, plain: bool, tag: Option<&str>) -> Result<Value, Refused> {
    let Some(tag) = tag else {
        return if plain { untagged(text) } else { Ok(Value::String(text.to_owned())) };
    };
    let refused = || Refused::Tag(tag.to_owned());
    let core = tag.strip_prefix(CORE);
    match (core, tag) {
        (Some("str"), _) | (_, "!str") => return Ok(Value::String(text.to_owned())),
        (Some("binary"), _) | (_, "!binary") => {
            return binary(text).ok_or_else(|| Refused::Binary(tag.to_owned()));
        }
        (Some("float"), _) | (_, "!float") => return float_of(text).ok_or_else(refused),
        (Some("int" | "bool" | "null"), _) => {}
        (Some(_), _) => return Err(refused()),
        (None, _) if is_special(tag) => return Err(refused()),
        (None, _) => {}
    }
    let value = untagged(text)?;
    match (core, &value) {
        (Some("int"), Value::Integer(_))
        | (Some("bool"), Value::Boolean(_))
        | (Some("null"), Value::Null) => Ok(value),
        (Some(_), _) => Err(refused()),
        (None, Value::String(_)) => Ok(value),
        (None, _) if plain => Ok(value),
        (None, _) => Err(Refused::Unquoted(tag.to_owned())),
    }
}

/// Ruby's `unpack("m")`: what is no digit of base 64 is passed over; `=` ends it,
/// where the second half of a group may stand.
fn binary(text: &str) -> Option<Value> {
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let mut digits = Vec::new();
    for byte in text.bytes() {
        if byte == b'=' && digits.len() % 4 > 1 {
            break;
        }
        digits.extend(digit(byte));
    }
    let mut decoded = String::new();
    for group in digits.chunks(4) {
        let bits = group.iter().fold(0_u32, |bits, &digit| bits << 6 | u32::from(digit));
        let bits = bits << (6 * (4 - group.len()));
        for byte in bits.to_be_bytes().into_iter().skip(1).take(group.len() - 1) {
            decoded.push(byte.is_ascii().then_some(char::from(byte))?);
        }
    }
    Some(Value::String(decoded))
}

/// `Float(tokenize(text))`, for decimal numbers; none for what only Ruby would take.
fn float_of(text: &str) -> Option<Value> {
    let text = match untagged(text).ok()? {
        Value::Float(value) => return Some(Value::Float(value)),
        Value::Integer(text) | Value::String(text) => text,
        _ => return None,
    };
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(&text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => {
            (mantissa, exponent.strip_prefix(['-', '+']).unwrap_or(exponent))
        }
        None => (unsigned, "0"),
    };
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let decimal = digits(whole) && digits(part) && digits(exponent) && text.len() <= LONGEST_NUMBER;
    text.parse().ok().filter(|_| decimal).map(Value::Float)
}

/// `tokenize` of `scalar_scanner.rb`, condition by condition and in its order.
pub fn untagged(text: &str) -> Result<Value, Refused> {
    let string = || Ok(Value::String(text.to_owned()));
    if text.is_empty() {
        return Ok(Value::Null);
    }
    if begins_as_word(text) || text.contains('\n') {
        return Ok(word(text));
    }
    if is_time(text) {
        return Err(Refused::Time("a time"));
    }
    if is_date(text) {
        return Err(Refused::Time("a date"));
    }
    let lower = text.to_ascii_lowercase();
    match lower.as_str() {
        ".inf" | "+.inf" => return Ok(Value::Float(f64::INFINITY)),
        "-.inf" => return Ok(Value::Float(f64::NEG_INFINITY)),
        ".nan" => return Ok(Value::Float(f64::NAN)),
        _ => {}
    }
    if text.starts_with(':') && text.len() > 1 {
        return Err(if text.starts_with("::") { Refused::TopScope } else { Refused::Symbol });
    }
    if !text.is_ascii() {
        return string();
    }
    if let Some(value) = sexagesimal(text) {
        return value;
    }
    if is_float(text) {
        return float(text);
    }
    match integer(text) {
        Some(value) => value,
        None => string(),
    }
}

/// `%r{^[^\d.:-]?[[:alpha:]_\s!@#$%\^&*(){}<>|/\\~;=]+}`, on one line.
fn begins_as_word(text: &str) -> bool {
    let of_word = |c: char| {
        c.is_alphabetic() || matches!(c, ' ' | '\t'..='\r') || "_!@#$%^&*(){}<>|/\\~;=".contains(c)
    };
    let mut chars = text.chars();
    let (first, second) = (chars.next(), chars.next());
    first.is_some_and(of_word)
        || (first.is_some_and(|c| !c.is_ascii_digit() && !".:-".contains(c))
            && second.is_some_and(of_word))
}

/// Booleans, null, or a string; `^` and `$` of the patterns mean lines.
fn word(text: &str) -> Value {
    let string = || Value::String(text.to_owned());
    if text.chars().nth(5).is_some() {
        return string();
    }
    let other = |rest: &str| rest.chars().next().is_some_and(|c| !"ytonf~YTONF~".contains(c));
    let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1));
    if starts.filter_map(|at| text.get(at..)).any(other) {
        return string();
    }
    // Ruby ignores case by Unicode: `ſ` is an `s`, `ﬀ` is `ff`.
    let lower = text.to_lowercase().replace('ſ', "s").replace('ﬀ', "ff");
    let has = |words: &[&str]| lower.split('\n').any(|line| words.contains(&line));
    if text == "~" || has(&["null"]) {
        Value::Null
    } else if has(&["yes", "true", "on"]) {
        Value::Boolean(true)
    } else if has(&["no", "false", "off"]) {
        Value::Boolean(false)
    } else {
        string()
    }
}

/// Takes characters off the front of a text, as a pattern does.
#[derive(Clone, Copy)]
struct Cursor<'t>(&'t str);

impl Cursor<'_> {
    /// As many as `most` characters of a set; how many there were.
    fn take(&mut self, most: usize, of: impl Fn(char) -> bool) -> usize {
        let end = self.0.char_indices().take(most).take_while(|&(_, c)| of(c)).count();
        let mut rest = self.0.chars();
        rest.by_ref().take(end).for_each(drop);
        self.0 = rest.as_str();
        end
    }

    fn one(&mut self, of: impl Fn(char) -> bool) -> bool {
        self.take(1, of) == 1
    }

    fn digits(&mut self, most: usize) -> usize {
        self.take(most, |c| c.is_ascii_digit())
    }
}

/// `TIME`: `-?\d{4}-\d{1,2}-\d{1,2}(?:[Tt]|\s+)\d{1,2}:\d\d:\d\d(?:\.\d*)?` and a zone.
fn is_time(text: &str) -> bool {
    let mut c = Cursor(text);
    let space = |c: char| matches!(c, ' ' | '\t'..='\r');
    c.one(|c| c == '-');
    let date = c.digits(4) == 4
        && c.one(|c| c == '-')
        && c.digits(2) > 0
        && c.one(|c| c == '-')
        && c.digits(2) > 0;
    let time = date
        && (c.one(|c| c == 'T' || c == 't') || c.take(usize::MAX, space) > 0)
        && c.digits(2) > 0
        && c.one(|c| c == ':')
        && c.digits(2) == 2
        && c.one(|c| c == ':')
        && c.digits(2) == 2;
    if !time {
        return false;
    }
    if c.one(|c| c == '.') {
        c.digits(usize::MAX);
    }
    if c.0.is_empty() {
        return true;
    }
    c.take(usize::MAX, space);
    is_zone(c)
}

/// `Z`, or `[-+]\d{1,2}:?(?:\d\d)?`: without a colon three digits are one and two.
fn is_zone(mut c: Cursor<'_>) -> bool {
    if c.one(|c| c == 'Z') {
        return c.0.is_empty();
    }
    let sign = c.one(|c| c == '-' || c == '+');
    let hours = c.digits(2);
    let colon = c.one(|c| c == ':');
    let minutes = c.digits(2);
    let joined = hours == 2 && !colon && minutes == 1;
    sign && hours > 0 && c.0.is_empty() && (minutes != 1 || joined)
}

/// `\d{4}-(?:1[012]|0\d|\d)-(?:[12]\d|3[01]|0\d|\d)`
fn is_date(text: &str) -> bool {
    let mut parts = text.split('-');
    let (Some(year), Some(month), Some(day), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let is_of = |text: &str, bounds: &[&str]| match text.len() {
        1 => true,
        2 => bounds.iter().any(|bound| text >= "00" && text <= *bound),
        _ => false,
    };
    [year, month, day].into_iter().all(digits)
        && year.len() == 4
        && is_of(month, &["12"])
        && is_of(day, &["31"])
}

/// `[-+]?[0-9][0-9_]*(:[0-5]?[0-9]){1,2}`, and with a fraction `\.[0-9_]*`; none for other texts.
fn sexagesimal(text: &str) -> Option<Result<Value, Refused>> {
    let mut c = Cursor(text);
    c.one(|c| c == '-' || c == '+');
    if !c.one(|c| c.is_ascii_digit()) {
        return None;
    }
    c.take(usize::MAX, |c| c.is_ascii_digit() || c == '_');
    let mut parts = 0;
    while c.0.starts_with(':') {
        c.one(|c| c == ':');
        let part = c;
        let digits = c.digits(2);
        let high = digits == 2 && !part.0.starts_with(|c| matches!(c, '0'..='5'));
        if digits == 0 || high {
            return None;
        }
        parts += 1;
    }
    let fraction = c.one(|c| c == '.');
    if fraction {
        c.take(usize::MAX, |c| c.is_ascii_digit() || c == '_');
    }
    if !(1..=2).contains(&parts) || !c.0.is_empty() {
        return None;
    }
    if text.len() > LONGEST_NUMBER {
        return Some(Err(Refused::TooLong));
    }
    Some(if fraction { sexagesimal_float(text) } else { sexagesimal_integer(text) })
}

/// `n.to_i * 60 ** (e - 2).abs`, summed: the sign is that of the first part alone.
fn sexagesimal_integer(text: &str) -> Result<Value, Refused> {
    let mut sum = 0_i128;
    for (part, scale) in text.split(':').zip([3600, 60, 1]) {
        let number: i128 = ruby_prefix(part, false).parse().map_err(|_| Refused::TooLong)?;
        let scaled = number.checked_mul(scale).and_then(|scaled| sum.checked_add(scaled));
        sum = scaled.ok_or(Refused::TooLong)?;
    }
    Ok(Value::Integer(sum.to_string()))
}

fn sexagesimal_float(text: &str) -> Result<Value, Refused> {
    let mut sum = 0.0;
    for (part, scale) in text.split(':').zip([3600.0, 60.0, 1.0]) {
        let number: f64 = ruby_prefix(part, true).parse().map_err(|_| Refused::TooLong)?;
        sum += number * scale;
    }
    Ok(Value::Float(sum))
}

/// What `String#to_i` and `#to_f` read: digits with single `_` between them.
fn ruby_prefix(text: &str, fraction: bool) -> String {
    let mut read = String::new();
    let mut chars = text.chars().peekable();
    if let Some(sign) = chars.next_if(|&c| c == '-' || c == '+') {
        read.push(sign);
    }
    let mut point = !fraction;
    while let Some(c) = chars.next() {
        let digit_next = chars.peek().is_some_and(char::is_ascii_digit);
        match c {
            '0'..='9' => read.push(c),
            '_' if digit_next && read.ends_with(|c: char| c.is_ascii_digit()) => {}
            '.' if !point && digit_next => {
                point = true;
                read.push('.');
            }
            _ => break,
        }
    }
    read
}

/// `FLOAT`: `[-+]?([0-9][0-9_,]*)?\.[0-9]*([eE][-+][0-9]+)?`
fn is_float(text: &str) -> bool {
    let mut c = Cursor(text);
    c.one(|c| c == '-' || c == '+');
    if c.one(|c| c.is_ascii_digit()) {
        c.take(usize::MAX, |c| c.is_ascii_digit() || c == '_' || c == ',');
    }
    if !c.one(|c| c == '.') {
        return false;
    }
    c.digits(usize::MAX);
    if c.one(|c| c == 'e' || c == 'E') {
        return c.one(|c| c == '-' || c == '+') && c.digits(usize::MAX) > 0 && c.0.is_empty();
    }
    c.0.is_empty()
}

/// `Float(string.delete(',_').gsub(/\.([Ee]|$)/, '\1'))`, which raises for `.e+1`.
fn float(text: &str) -> Result<Value, Refused> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if unsigned == "." {
        return Ok(Value::String(text.to_owned()));
    }
    if unsigned.starts_with(".e") || unsigned.starts_with(".E") {
        return Err(Refused::NotANumber);
    }
    if text.len() > LONGEST_NUMBER {
        return Err(Refused::TooLong);
    }
    let number = text.replace([',', '_'], "");
    number.parse().map(Value::Float).map_err(|_| Refused::NotANumber)
}

/// `INTEGER_LEGACY`, and `Integer(string.delete(',_'))`, which raises for `0x_`; none for other texts.
fn integer(text: &str) -> Option<Result<Value, Refused>> {
    let (minus, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (radix, digits) = match unsigned.as_bytes() {
        [b'0', b'b', ..] => (2, unsigned.get(2..)?),
        [b'0', b'x', ..] => (16, unsigned.get(2..)?),
        [b'0', _, ..] => (8, unsigned.get(1..)?),
        _ => (10, unsigned),
    };
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix) || c == ',' || c == '_') {
        return None;
    }
    // Decimal digits may be parted by single marks only, and not end with one.
    let parted = |c: char| c == ',' || c == '_';
    if radix == 10 && digits.split(parted).any(str::is_empty) {
        return None;
    }
    let digits = digits.replace([',', '_'], "");
    if digits.is_empty() && radix != 8 {
        return Some(Err(Refused::NotANumber));
    }
    let longest = if radix == 10 { LONGEST_INTEGER } else { LONGEST_NUMBER };
    if text.len() > longest {
        return Some(Err(Refused::TooLong));
    }
    let decimal = if radix == 10 { digits } else { to_decimal(&digits, radix) };
    let sign = if minus && decimal != "0" { "-" } else { "" };
    Some(Ok(Value::Integer(format!("{sign}{decimal}"))))
}

/// Digits of another radix as decimal digits, however many.
fn to_decimal(digits: &str, radix: u32) -> String {
    const BASE: u64 = 1_000_000_000;
    let mut limbs = vec![0_u64];
    for digit in digits.chars().filter_map(|c| c.to_digit(radix)) {
        let mut carry = u64::from(digit);
        for limb in &mut limbs {
            let value = *limb * u64::from(radix) + carry;
            *limb = value % BASE;
            carry = value / BASE;
        }
        if carry > 0 {
            limbs.push(carry);
        }
    }
    let mut limbs = limbs.into_iter().rev();
    let first = limbs.next().unwrap_or_default().to_string();
    limbs.fold(first, |text, limb| format!("{text}{limb:09}"))
}

/// What a value can be.
pub const DATA: &str = "a string, number, boolean, list or map";

/// The namespace of `!!`.
pub const CORE: &str = "tag:yaml.org,2002:";

/// A kind of node and its tag, as an error shows them.
pub fn tagged(kind: &str, tag: &str) -> String {
    let tag = match tag.strip_prefix(CORE) {
        Some(name) => format!("!!{name}"),
        None => tag.to_owned(),
    };
    format!("{kind} tagged `{}`", key_text(&Value::String(tag)))
}

/// True for the tags without `!!` that `to_ruby.rb` knows.
pub fn is_special(tag: &str) -> bool {
    const NAMES: [&str; 5] = ["!str", "!float", "!binary", "!omap", "!set"];
    let is_of = |prefix: &str| tag.starts_with(prefix);
    NAMES.contains(&tag) || ["!ruby/", "!str:", "!seq:", "!map:"].into_iter().any(is_of)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_beyond_64_bits_are_exact() {
        let read = |text: &str| untagged(text).unwrap();
        let integer = |text: &str| Value::Integer(text.into());
        assert_eq!(read("0xffffffffffffffffffff"), integer("1208925819614629174706175"));
        let negative = "-123456789012345678901234567890";
        assert_eq!(read(negative), integer(negative));
        assert_eq!(read("0644"), integer("420"));
        assert_eq!(untagged(&"9".repeat(1001)), Err(Refused::TooLong));
    }
}
