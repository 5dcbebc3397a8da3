//! The way back of an installed release that is not as it was built.

use crate::model::command::quote;
use crate::model::value::printable;
use crate::model::verify::{Difference, What};

/// What makes a release that drifted what it was.
#[derive(Debug, PartialEq, Eq)]
pub enum WayBack {
    /// Of these few, as a shell reads them: nothing else is wrong.
    Removal(Vec<String>),
    /// Its package has what was changed or lost.
    Reinstallation,
    /// The same with nothing there: package managers leave directories as they are, and what is
    /// not their own.
    Renewal,
}

/// The way back of a release in that directory.
pub fn way_back(directory: &str, differences: &[Difference]) -> WayBack {
    const FEW: usize = 5;
    let is_left = |difference: &Difference| match &difference.what {
        What::Added | What::Owner { .. } => true,
        // That of a directory, or of a program.
        What::Mode { expected, .. } => *expected == 0o755,
        What::Kind { found, .. } => *found == "directory",
        _ => false,
    };
    let is_added = |difference: &Difference| {
        difference.what == What::Added && printable(&difference.path) == difference.path
    };
    if differences.len() <= FEW && differences.iter().all(is_added) {
        let path = |difference: &Difference| quote(&format!("{directory}/{}", difference.path));
        return WayBack::Removal(differences.iter().map(path).collect());
    }
    match differences.iter().any(is_left) {
        true => WayBack::Renewal,
        false => WayBack::Reinstallation,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_is_one_that_a_package_manager_can_go() {
        let way_back = |differences: &[(&str, What)]| {
            let difference = |(path, what): &(&str, What)| Difference {
                path: (*path).to_owned(),
                what: what.clone(),
            };
            let differences: Vec<_> = differences.iter().map(difference).collect();
            super::way_back("/r/foo/r1", &differences)
        };
        let mode = |expected| What::Mode { expected, found: 0o700 };
        let kind = |found| What::Kind { expected: "symbolic link", found };
        let lost =
            [("a", What::Content), ("b", What::Missing), ("c", mode(0o644)), ("d", kind("file"))];
        assert_eq!(way_back(&lost), WayBack::Reinstallation);
        let added = [("a b", What::Added), ("-d", What::Added)];
        let paths = vec!["'/r/foo/r1/a b'".to_owned(), "/r/foo/r1/-d".to_owned()];
        assert_eq!(way_back(&added), WayBack::Removal(paths));
        for left in [mode(0o755), kind("directory"), What::Owner { user: 1, group: 0 }, What::Added]
        {
            assert_eq!(way_back(&[("a", What::Content), ("b", left)]), WayBack::Renewal);
        }
        assert_eq!(way_back(&[("a\nb", What::Added)]), WayBack::Renewal);
        let many = ["a", "b", "c", "d", "e", "f"].map(|path| (path, What::Added));
        assert_eq!(way_back(&many), WayBack::Renewal);
    }
}
