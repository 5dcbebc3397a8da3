//! How many cases are made up.

/// A third of them, or all where `BREADTH=all`, as `make compare` has it; those of fewer are the
/// first ones of more.
pub fn breadth(all: usize) -> usize {
    let is_whole = std::env::var("BREADTH").is_ok_and(|breadth| breadth == "all");
    if is_whole { all } else { all / 3 }
}
