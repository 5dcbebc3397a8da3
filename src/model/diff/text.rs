//! Two texts in the form of `diff -u`.

use super::Text;
use similar::{Algorithm, TextDiff};

/// A larger file is not compared line by line.
pub const LARGEST_TEXT: u64 = 1 << 20;

/// Nor is one of more lines than these: of lines that are all alike, each asks for its own time.
const MOST_LINES: usize = 40_000;

/// Lines of a file that are the same are shown so far around those that are not.
const CONTEXT: usize = 3;

/// Compares two files, none for one that is not there.
pub fn unified(from: (&str, Option<&[u8]>), to: (&str, Option<&[u8]>)) -> Text {
    let text = |content: Option<&[u8]>| {
        let content = content.unwrap_or_default();
        let text = std::str::from_utf8(content).ok().filter(|text| !text.contains('\0'));
        text.map(str::to_owned)
    };
    let (Some(old), Some(new)) = (text(from.1), text(to.1)) else { return Text::Binary };
    if [&old, &new].into_iter().any(|text| text.lines().count() > MOST_LINES) {
        return Text::TooLarge;
    }
    let name = |(name, content): (&str, Option<&[u8]>)| match content {
        Some(_) => name.to_owned(),
        None => "/dev/null".to_owned(),
    };
    let (old_name, new_name) = (name(from), name(to));
    let diff = TextDiff::configure().algorithm(Algorithm::Myers).diff_lines(&old, &new);
    let unified =
        diff.unified_diff().context_radius(CONTEXT).header(&old_name, &new_name).to_string();
    Text::Unified(unified)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_text_or_has_too_many_lines_is_not_compared() {
        let compare = |old: &[u8], new: &[u8]| unified(("a", Some(old)), ("b", Some(new)));
        let many = "x\n".repeat(MOST_LINES + 1);
        assert_eq!(compare(b"x", b"\0"), Text::Binary);
        assert_eq!(compare(b"x", b"\xff"), Text::Binary);
        assert_eq!(compare(b"x", many.as_bytes()), Text::TooLarge);
        let text = "--- a\n+++ b\n@@ -1 +1 @@\n-x\n+y\n\\ No newline at end of file\n";
        assert_eq!(compare(b"x\n", b"y"), Text::Unified(text.to_owned()));
    }
}
