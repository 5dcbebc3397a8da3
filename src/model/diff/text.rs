//! Two texts in the form of `diff -u`.

use super::Text;
use similar::{Algorithm, TextDiff};

/// A larger file is not compared line by line.
pub const LARGEST_TEXT: u64 = 1 << 20;

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
    let name = |(name, content): (&str, Option<&[u8]>)| match content {
        Some(_) => name.to_owned(),
        None => "/dev/null".to_owned(),
    };
    let (old_name, new_name) = (name(from), name(to));
    // Histogram-like shortcuts are not needed: Myers' time grows with what differs.
    let diff = TextDiff::configure().algorithm(Algorithm::Myers).diff_lines(&old, &new);
    let unified =
        diff.unified_diff().context_radius(CONTEXT).header(&old_name, &new_name).to_string();
    Text::Unified(unified)
}
