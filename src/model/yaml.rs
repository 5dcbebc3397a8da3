//! YAML as a bounded tree of nodes that know where they stand.
//!
//! Below is a port of libyaml, the scanner and parser that Ruby's Psych stands
//! on, so what is a syntax error here is one for Puppet. Nothing is resolved
//! in this file: a plain `0644` is a scalar with that text, and what it means
//! is for the reader to say ([`super::psych`] says it for an ENC).

use libyaml_safer::{Encoding, Event, EventData, Parser, ScalarStyle, Scanner, TokenData};
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::rc::Rc;

/// How much one document may be. Aliases count as often as they are used.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of the document.
    pub bytes: usize,
    /// Collections within collections.
    pub depth: usize,
    /// Scalars and collections.
    pub nodes: usize,
    /// Bytes of all scalars and tags together.
    pub text: usize,
}

impl Limits {
    /// Enough for every document of this program; small enough for any node.
    pub const DEFAULT: Limits =
        Limits { bytes: 4 << 20, depth: 64, nodes: 500_000, text: 16 << 20 };
}

/// A place in a document; both numbers count from 1, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    pub line: u64,
    pub column: u64,
}

/// Where things stand, by the keys that lead there: `classes.apache.port`.
pub type Places = std::collections::BTreeMap<String, Place>;

/// Where a thing stands, and what is written for it.
#[derive(Debug)]
pub struct Place {
    pub mark: Mark,
    pub node: Rc<Node>,
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// One thing that is wrong with a document. Names keys and types, never values.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Finding {
    /// Where; none where the document as a whole is meant.
    pub mark: Option<Mark>,
    /// The keys that lead there, between dots: `classes.apache.port`; may be empty.
    pub path: String,
    pub expected: String,
    pub found: String,
    /// What to write instead.
    pub hint: Option<String>,
}

impl Finding {
    /// A finding without a path and without a hint.
    pub fn new(
        mark: impl Into<Option<Mark>>,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Self {
        Finding {
            mark: mark.into(),
            path: String::new(),
            expected: expected.into(),
            found: found.into(),
            hint: None,
        }
    }

    /// The same finding, at these keys.
    pub fn at(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    /// The same finding, with what to write instead.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(mark) = self.mark {
            write!(f, "{mark}: ")?;
        }
        if !self.path.is_empty() {
            write!(f, "`{}`: ", self.path)?;
        }
        write!(f, "expected {}, found {}", self.expected, self.found)?;
        match &self.hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Finding {}

/// A scalar, a collection, or an alias to one, where it stands.
#[derive(Debug)]
pub struct Node {
    pub mark: Mark,
    /// The tag, with its handle spelled out: `tag:yaml.org,2002:str`, `!foo`.
    pub tag: Option<String>,
    pub value: Value,
}

/// What a node holds.
#[derive(Debug)]
pub enum Value {
    Scalar {
        text: String,
        /// Without quotes and not a block: what is written may mean a number or a boolean.
        plain: bool,
    },
    Sequence(Vec<Rc<Node>>),
    Mapping(Vec<(Rc<Node>, Rc<Node>)>),
    Alias(Rc<Node>),
}

impl Node {
    /// The node itself, or the one that it is an alias to.
    pub fn target(&self) -> &Node {
        match &self.value {
            Value::Alias(target) => target,
            _ => self,
        }
    }
}

/// The only document in `text`; none where there are but comments.
///
/// Never more memory than `limits` allow, and never a deep recursion. Refuses,
/// beyond what libyaml does: anything after the first document (Psych never
/// reads it), an alias to a collection that holds the alias, a tag that a comma
/// touches, a last line of spaces in a block scalar, and a key of more than 1024
/// bytes that no `?` announces (libyaml counts characters).
pub fn compose(text: &[u8], limits: Limits) -> Result<Option<Rc<Node>>, Finding> {
    if text.len() > limits.bytes {
        let expected = format!("at most {} bytes", limits.bytes);
        return Err(Finding::new(None, expected, format!("{}", text.len())));
    }
    let text = Text::decode(text)?;
    refuse_tags_before_commas(&text.text)?;
    let mut parser = Parser::new();
    // Told, and not guessed: the port's guess stops at a first byte 0xEF that begins no mark.
    parser.set_encoding(Encoding::Utf8);
    parser.set_input(text.text.as_bytes());
    let anchors = HashMap::new();
    let spent = Weight::default();
    Composer { parser, text: &text, limits, anchors, spent }.stream()
}

/// A document as the scanner gets it: UTF-8, no byte order mark, a line break at the end.
struct Text {
    text: String,
    /// The last line came without a line break, and got one.
    completed: bool,
}

impl Text {
    /// libyaml takes UTF-8, and UTF-16 after its byte order mark.
    ///
    /// The port reads past the end of a last line without a line break, and
    /// miscounts UTF-16, so it gets neither.
    fn decode(bytes: &[u8]) -> Result<Self, Finding> {
        let mut text = match bytes {
            [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes)?,
            [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes)?,
            [0xef, 0xbb, 0xbf, rest @ ..] => utf8(rest)?,
            _ => utf8(bytes)?,
        };
        if let Some((at, c)) = text.char_indices().find(|&(_, c)| !is_allowed(c)) {
            let mark = mark_after(&text[..at]);
            let kind = if c.is_control() { "control character" } else { "character" };
            let found = format!("the {kind} U+{:04X}", u32::from(c));
            return Err(Finding::new(mark, "text", found).hint(match c {
                // As text in UTF-16 or UTF-32 without its byte order mark has it.
                '\0' => "save it as UTF-8",
                _ => "take it out, or write it as an escape in double quotes",
            }));
        }
        let completed = !text.is_empty() && !text.ends_with(is_break);
        if completed {
            text.push('\n');
        }
        Ok(Text { text, completed })
    }

    /// A block scalar on a last line that came without a line break has none either.
    fn block_scalar(&self, mut value: String, mark: Mark, end: u64) -> Result<String, Finding> {
        if !self.completed || end < self.text.len() as u64 {
            return Ok(value);
        }
        let last = self.text.trim_end_matches('\n').rsplit(is_break).next();
        if last.is_some_and(|line| line.chars().all(|c| c == ' ')) {
            let expected = "a line break after the last line of a block scalar";
            return Err(Finding::new(mark, expected, "only spaces on it"));
        }
        if value.ends_with('\n') {
            value.pop();
        }
        Ok(value)
    }
}

fn utf8(bytes: &[u8]) -> Result<String, Finding> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(error) => {
            let good = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let mark = mark_after(&String::from_utf8_lossy(good));
            Err(Finding::new(mark, "UTF-8", "other bytes").hint("save it as UTF-8"))
        }
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, Finding> {
    let refused = || Finding::new(None, "UTF-16 after its byte order mark", "other bytes");
    let pairs = bytes.chunks_exact(2);
    if !pairs.remainder().is_empty() {
        return Err(refused());
    }
    let units: Vec<u16> = pairs.map(|pair| pair.try_into().map_or(0, unit)).collect();
    String::from_utf16(&units).map_err(|_| refused())
}

fn mark_after(text: &str) -> Mark {
    let line = text.rsplit('\n').next().unwrap_or_default();
    let breaks = text.bytes().filter(|&b| b == b'\n').count();
    Mark { line: breaks as u64 + 1, column: line.chars().count() as u64 + 1 }
}

/// What libyaml lets into a document (`reader.c`, after YAML 1.1, 5.1).
fn is_allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{d7ff}'
        | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// The port has no answer to a tag that a comma touches, `[!foo, bar]`, and stops the program.
///
/// So it first scans a copy with a space before each comma that may do so:
/// which changes no token but the scalars, and shows the tags among them.
fn refuse_tags_before_commas(text: &str) -> Result<(), Finding> {
    let (copy, spaces) = with_spaces_before_commas(text);
    if spaces.is_empty() {
        return Ok(());
    }
    let mut scanner = Scanner::new();
    scanner.set_encoding(Encoding::Utf8);
    scanner.set_input(copy.as_bytes());
    loop {
        let token = Scanner::scan(&mut scanner).map_err(|error| syntax(&error))?;
        match token.data {
            TokenData::StreamEnd => return Ok(()),
            TokenData::Tag { .. } if spaces.contains(&token.end_mark.index) => {
                let found = "a tag and a comma without a space between them";
                return Err(Finding::new(mark(token.start_mark), "a value after the tag", found));
            }
            _ => {}
        }
    }
}

/// A space before each comma that follows a `!` in the same word, and where they are.
fn with_spaces_before_commas(text: &str) -> (String, HashSet<u64>) {
    let mut copy = String::new();
    let mut spaces = HashSet::new();
    if !text.contains('!') {
        return (copy, spaces);
    }
    let (mut tag, mut verbatim) = (false, false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        tag = !c.is_whitespace() && (tag || c == '!');
        match c {
            // In `!<tag:yaml.org,2002:str>` commas are letters like others.
            '!' => verbatim = chars.peek() == Some(&'<'),
            '>' => verbatim = false,
            ',' if tag && !verbatim => {
                spaces.insert(copy.len() as u64);
                copy.push(' ');
            }
            _ => {}
        }
        copy.push(c);
    }
    (copy, spaces)
}

fn syntax(error: &libyaml_safer::Error) -> Finding {
    let problem = match error.context() {
        Some(context) => format!("{} {context}", error.problem()),
        None => error.problem().to_owned(),
    };
    let place = error.problem_mark().map(mark);
    let begin = error.context_mark().map(mark);
    let begins = match (begin, place) {
        (Some(begin), Some(place)) if begin.line < place.line => format!(", from {begin}"),
        _ => String::new(),
    };
    let finding = Finding::new(place, "YAML", format!("a syntax error: {problem}{begins}"));
    match MENDED.iter().find(|(said, _)| problem.contains(said)) {
        Some((_, hint)) => finding.hint(*hint),
        None => finding,
    }
}

/// What is written instead of what libyaml says this of.
const MENDED: [(&str, &str); 9] = [
    ("mapping values are not", "indent the keys of a map alike; quote a value with `: ` in it"),
    ("did not find expected key", "indent the keys of a map alike; close what a quote opens"),
    ("did not find expected '-'", "indent the items of a list alike"),
    ("cannot start any token", "quote a value that begins so"),
    ("',' or ']'", "close the list: `]`"),
    ("',' or '}'", "close the map: `}`"),
    ("scanning a quoted scalar", "close the quote"),
    ("a tab character", "indent with spaces"),
    (
        "invalid Unicode character escape",
        "write the character itself: YAML makes no pair of `\\u` and `\\u`",
    ),
];

fn mark(mark: libyaml_safer::Mark) -> Mark {
    Mark { line: mark.line + 1, column: mark.column + 1 }
}

/// What a node costs once its aliases are followed.
#[derive(Clone, Copy, Default)]
struct Weight {
    nodes: usize,
    text: usize,
    /// Collections within collections, this one among them.
    height: usize,
}

enum Anchor {
    /// The collection of this anchor has not ended yet.
    Open,
    Set(Rc<Node>, Weight),
}

struct Composer<'a> {
    parser: Parser<&'a [u8]>,
    text: &'a Text,
    limits: Limits,
    anchors: HashMap<String, Anchor>,
    spent: Weight,
}

impl Composer<'_> {
    fn next(&mut self) -> Result<Event, Finding> {
        self.parser.parse().map_err(|error| {
            let at = error.problem_mark().and_then(|at| {
                self.text.text.lines().nth(at.line as usize)?.chars().nth(at.column as usize)
            });
            match (error.problem_mark(), at) {
                (Some(at), Some('\t')) if error.problem().contains("cannot start") => {
                    Finding::new(mark(at), "spaces", "a tab").hint("indent with spaces")
                }
                _ => syntax(&error),
            }
        })
    }

    fn stream(mut self) -> Result<Option<Rc<Node>>, Finding> {
        let Some(root) = self.document()? else {
            return Ok(None);
        };
        // Psych looks no further than the first document, so nothing may stand there.
        loop {
            let (mark, found) = match self.document() {
                Ok(None) => return Ok(Some(root)),
                Ok(Some(node)) if node.is_absent() => continue,
                Ok(Some(node)) => (Some(node.mark), "another one".to_owned()),
                Err(error) => (error.mark, error.found),
            };
            let hint = "Puppet would read the first one only";
            return Err(Finding::new(mark, "one document", found).hint(hint));
        }
    }

    /// The next document; none at the end of the stream.
    fn document(&mut self) -> Result<Option<Rc<Node>>, Finding> {
        loop {
            match self.next()?.data {
                EventData::StreamEnd => return Ok(None),
                EventData::DocumentStart { .. } => {
                    self.anchors.clear();
                    let event = self.next()?;
                    return Ok(Some(self.node(event, 0)?.0));
                }
                _ => {}
            }
        }
    }

    /// The node that begins with `event`, inside of `depth` collections.
    fn node(&mut self, event: Event, depth: usize) -> Result<(Rc<Node>, Weight), Finding> {
        let mark = mark(event.start_mark);
        match event.data {
            EventData::Alias { anchor } => self.alias(mark, &anchor, depth),
            EventData::Scalar { anchor, tag, value, style, .. } => {
                let block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
                let text = match block {
                    true => self.text.block_scalar(value, mark, event.end_mark.index)?,
                    false => value,
                };
                let plain = style == ScalarStyle::Plain;
                self.finish(mark, anchor, tag, Value::Scalar { text, plain }, Weight::default())
            }
            EventData::SequenceStart { anchor, tag, .. } => {
                self.open(mark, anchor.as_deref(), depth)?;
                let (items, inside) = self.items(depth + 1)?;
                self.finish(mark, anchor, tag, Value::Sequence(items), inside)
            }
            EventData::MappingStart { anchor, tag, .. } => {
                self.open(mark, anchor.as_deref(), depth)?;
                let (items, inside) = self.items(depth + 1)?;
                let mut items = items.into_iter();
                let pairs = std::iter::from_fn(|| items.next().zip(items.next())).collect();
                self.finish(mark, anchor, tag, Value::Mapping(pairs), inside)
            }
            _ => Err(Finding::new(mark, "a value", "the end of the document")),
        }
    }

    /// What stands in a collection: its items, or its keys and values in turn.
    fn items(&mut self, depth: usize) -> Result<(Vec<Rc<Node>>, Weight), Finding> {
        let mut items = Vec::new();
        let mut inside = Weight { height: 1, ..Weight::default() };
        loop {
            let event = self.next()?;
            if matches!(event.data, EventData::SequenceEnd | EventData::MappingEnd) {
                return Ok((items, inside));
            }
            let (item, weight) = self.node(event, depth)?;
            inside.nodes += weight.nodes;
            inside.text += weight.text;
            inside.height = inside.height.max(weight.height + 1);
            items.push(item);
        }
    }

    fn open(&mut self, mark: Mark, anchor: Option<&str>, depth: usize) -> Result<(), Finding> {
        self.check_depth(mark, depth + 1)?;
        if let Some(anchor) = anchor {
            self.anchors.insert(anchor.to_owned(), Anchor::Open);
        }
        Ok(())
    }

    fn check_depth(&self, mark: Mark, depth: usize) -> Result<(), Finding> {
        if depth <= self.limits.depth {
            return Ok(());
        }
        let expected = format!("at most {} levels", self.limits.depth);
        Err(Finding::new(mark, expected, "more"))
    }

    fn alias(
        &mut self,
        mark: Mark,
        anchor: &str,
        depth: usize,
    ) -> Result<(Rc<Node>, Weight), Finding> {
        let (target, weight) = match self.anchors.get(anchor) {
            Some(Anchor::Set(target, weight)) => (target.clone(), *weight),
            Some(Anchor::Open) => {
                let found = format!("the alias `*{anchor}` inside of `&{anchor}`");
                return Err(Finding::new(mark, "a value that ends", found));
            }
            None => {
                let found = format!("the alias `*{anchor}` without it");
                let finding = Finding::new(mark, format!("the anchor `&{anchor}` before"), found);
                return Err(finding.hint("quote what begins with `*` and is no alias"));
            }
        };
        self.check_depth(mark, depth + weight.height)?;
        self.spend(mark, weight)?;
        Ok((Rc::new(Node { mark, tag: None, value: Value::Alias(target) }), weight))
    }

    fn finish(
        &mut self,
        mark: Mark,
        anchor: Option<String>,
        tag: Option<String>,
        value: Value,
        inside: Weight,
    ) -> Result<(Rc<Node>, Weight), Finding> {
        let scalar = match &value {
            Value::Scalar { text, .. } => text.len(),
            _ => 0,
        };
        let own = Weight {
            nodes: 1,
            text: scalar + tag.as_ref().map_or(0, String::len),
            height: inside.height,
        };
        self.spend(mark, own)?;
        let weight = Weight {
            nodes: inside.nodes + own.nodes,
            text: inside.text + own.text,
            height: inside.height,
        };
        let node = Rc::new(Node { mark, tag, value });
        if let Some(anchor) = anchor {
            self.anchors.insert(anchor, Anchor::Set(node.clone(), weight));
        }
        Ok((node, weight))
    }

    fn spend(&mut self, mark: Mark, weight: Weight) -> Result<(), Finding> {
        self.spent.nodes = self.spent.nodes.saturating_add(weight.nodes);
        self.spent.text = self.spent.text.saturating_add(weight.text);
        let (limits, counted) = (self.limits, "with aliases counted as often as they are used");
        if self.spent.nodes > limits.nodes {
            let expected = format!("at most {} values, {counted}", limits.nodes);
            return Err(Finding::new(mark, expected, "more"));
        }
        if self.spent.text > limits.text {
            let expected = format!("at most {} bytes of values, {counted}", limits.text);
            return Err(Finding::new(mark, expected, "more"));
        }
        Ok(())
    }
}

/// A key of a map, and its value.
pub type Pair = (Rc<Node>, Rc<Node>);

impl Node {
    /// Nothing is written here: `key:`, or a document of `---` alone.
    pub fn is_absent(&self) -> bool {
        let empty = matches!(&self.value, Value::Scalar { text, plain: true } if text.is_empty());
        empty && self.tag.is_none()
    }

    /// The keys and values of a map, in order; `path` is where it stands.
    pub fn pairs(&self, expected: &str, path: &str) -> Result<&[Pair], Finding> {
        match &self.target().value {
            Value::Mapping(pairs) => Ok(pairs),
            value => Err(Finding::new(self.mark, expected, value.kind()).at(path)),
        }
    }

    /// A text that is not empty, quoted or not.
    pub fn text(&self, path: &str) -> Result<&str, Finding> {
        match &self.target().value {
            Value::Scalar { text, .. } if !text.is_empty() => Ok(text),
            value => Err(Finding::new(self.mark, "a text", value.kind()).at(path)),
        }
    }
}

impl Value {
    /// What it is, in words.
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Scalar { text, plain: true } if text.is_empty() => "nothing",
            Value::Scalar { .. } => "a text",
            Value::Sequence(_) => "a list",
            Value::Mapping(_) => "a map",
            Value::Alias(_) => "an alias",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn refused(text: impl AsRef<[u8]>) -> String {
        compose(text.as_ref(), Limits::DEFAULT).unwrap_err().to_string()
    }

    fn last_scalar(text: impl AsRef<[u8]>) -> String {
        let mut node = compose(text.as_ref(), Limits::DEFAULT).unwrap().unwrap();
        loop {
            let next = match &node.target().value {
                Value::Scalar { text, .. } => return text.clone(),
                Value::Sequence(items) => items.last().unwrap().clone(),
                Value::Mapping(pairs) => pairs.last().unwrap().1.clone(),
                Value::Alias(target) => target.clone(),
            };
            node = next;
        }
    }

    #[test]
    fn syntax_errors_have_a_place_and_the_words_of_libyaml() {
        assert_eq!(
            refused("a: 1\n\tb: 2\n"),
            "line 2, column 1: expected YAML, found a syntax error: \
             found a tab character that violates indentation while scanning a plain scalar, \
             from line 1, column 4; indent with spaces"
        );
        assert_eq!(
            refused(b"a: b\nk: \xff"),
            "line 2, column 4: expected UTF-8, found other bytes; save it as UTF-8"
        );
        assert_eq!(
            refused("a: \u{7}"),
            "line 1, column 4: expected text, found the control character U+0007; \
             take it out, or write it as an escape in double quotes"
        );
    }

    #[test]
    fn a_tab_is_called_one() {
        assert_eq!(
            refused("a:\n\tb: 2\n"),
            "line 2, column 1: expected spaces, found a tab; indent with spaces"
        );
    }

    #[test]
    fn encodings_are_those_of_libyaml() {
        assert_eq!(last_scalar("\u{feff}a: é\r\nb: ü"), "ü");
        let le: Vec<u8> = "\u{feff}a: 😀".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let be: Vec<u8> = "\u{feff}a: 😀".encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!((last_scalar(le), last_scalar(be)), ("😀".into(), "😀".into()));
        assert_eq!(
            refused(b"\xff\xfea"),
            "expected UTF-16 after its byte order mark, found other bytes"
        );
    }

    #[test]
    fn a_block_scalar_without_a_last_line_break_has_none() {
        for (text, value) in [
            ("a: |\n  x", "x"),
            ("a: |\n  x\n", "x\n"),
            ("a: |+\n  x", "x"),
            ("a: |-\n  x", "x"),
            ("a: >\n  x\n  y", "x y"),
            ("a: |\n  x\n# c", "x\n"),
        ] {
            assert_eq!(last_scalar(text), value, "{text:?}");
        }
        assert!(refused("a: |\n  x\n ").contains("only spaces on it"));
    }

    #[test]
    fn bombs_are_refused() {
        let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(100_000), "*a, ".repeat(50_000));
        assert!(refused(&long).contains("bytes of values"));
        let mut laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for n in 1..12 {
            let alias = format!("*a{}, ", n - 1).repeat(10);
            laughs.push_str(&format!("a{n}: &a{n} [{alias}]\n"));
        }
        assert!(refused(&laughs).contains("values, with aliases"));
        assert!(refused("[".repeat(1 << 20)).contains("at most 64 levels"));
        assert!(refused("- ".repeat(1 << 20)).contains("at most 64 levels"));
        let mut nested = "a0: &a0 [x]\n".to_owned();
        for n in 1..80 {
            nested.push_str(&format!("a{n}: &a{n} [*a{}]\n", n - 1));
        }
        assert!(refused(&nested).contains("at most 64 levels"));
        assert!(refused(vec![b'#'; 5 << 20]).contains("at most 4194304 bytes"));
        assert!(refused("&a [*a]").contains("`*a` inside of `&a`"));
    }

    #[test]
    fn a_second_document_is_refused_unless_it_is_empty() {
        assert_eq!(
            refused("a: 1\n---\nb: 2\n"),
            "line 3, column 1: expected one document, found another one; \
             Puppet would read the first one only"
        );
        assert_eq!(last_scalar("a: 1\n---\n...\n"), "1");
        assert!(compose(b"# nothing\n", Limits::DEFAULT).unwrap().is_none());
    }

    #[test]
    fn a_comma_at_a_tag_is_refused_and_elsewhere_it_is_not() {
        assert!(refused("[!foo, bar]").contains("a tag and a comma"));
        assert!(refused("{a: !!str, b: c}").contains("a tag and a comma"));
        assert_eq!(last_scalar("a: 'hey !foo, bar!,x'"), "hey !foo, bar!,x");
        assert_eq!(last_scalar("a: hey !foo, bar"), "hey !foo, bar");
        assert_eq!(last_scalar("[a, hey !foo, !x bar]"), "bar");
        assert_eq!(last_scalar("[!<tag:yaml.org,2002:str> 5]"), "5");
        assert!(refused("[a!<b,!c,d]").contains("a tag and a comma"));
        assert!(refused("[!<a,b>,d]").contains("a tag and a comma"));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

        #[test]
        fn no_bytes_stop_the_program(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = compose(&bytes, Limits::DEFAULT);
        }

        #[test]
        fn no_yaml_stops_the_program(text in "([-?:,{}&*!|>'\"%@`#~ \\[\\]\\\\ab0<=\n\t+.\r\u{85}\u{2028}é%]|- |: |\\? |---|\\.\\.\\.|!!|!<|!a|,|%TAG|%YAML|&a |\\*a|\\\\x|\\\\U0001|\n  ){0,40}") {
            let _ = compose(text.as_bytes(), Limits::DEFAULT);
        }
    }
}
