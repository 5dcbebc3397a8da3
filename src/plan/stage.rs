//! What a release needs to be there and whole.

use crate::model::package_manager::Recorded;

/// A release as its files on the node tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Files {
    /// There is no `bundle.json`, and without a mark nobody asks for more.
    Absent,
    /// Every file is what `bundle.json` says.
    Whole,
    /// There is something, and it is not that.
    Differ,
}

/// Whether the journal has a mark of a command that was cut off at a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    Marked,
    Unmarked,
}

/// What a release needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Nothing,
    Install,
    /// Drift, or somebody's hand: never mended in silence.
    Refuse,
    /// Our own work that was cut off: see [`mending`].
    Mend,
}

/// What a release needs, by its files.
pub fn step(files: Files, mark: Mark) -> Step {
    match (mark, files) {
        (Mark::Marked, _) => Step::Mend,
        (Mark::Unmarked, Files::Whole) => Step::Nothing,
        (Mark::Unmarked, Files::Differ) => Step::Refuse,
        (Mark::Unmarked, Files::Absent) => Step::Install,
    }
}

/// What to do for a release at whose package a command was cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mending {
    /// It went well all the same.
    Confirm,
    /// What there is of it has to go, in the database and on disk.
    Clear,
}

/// How a release is mended that is marked in the journal.
pub fn mending(files: Files, recorded: &Recorded) -> Mending {
    match (files, recorded) {
        (Files::Whole, Recorded::Installed(_)) => Mending::Confirm,
        _ => Mending::Clear,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_work_is_mended() {
        for (files, expected) in [
            (Files::Absent, Step::Install),
            (Files::Whole, Step::Nothing),
            (Files::Differ, Step::Refuse),
        ] {
            assert_eq!(step(files, Mark::Unmarked), expected);
            assert_eq!(step(files, Mark::Marked), Step::Mend);
        }
    }

    #[test]
    fn files_and_database_must_both_be_right_for_a_marked_release_to_stay() {
        let installed = Recorded::Installed("1".to_owned());
        let all = [Recorded::Absent, Recorded::Broken("half-installed".to_owned()), installed];
        for files in [Files::Absent, Files::Whole, Files::Differ] {
            for recorded in &all {
                let both = files == Files::Whole && matches!(recorded, Recorded::Installed(_));
                let expected = if both { Mending::Confirm } else { Mending::Clear };
                assert_eq!(mending(files, recorded), expected);
            }
        }
    }
}
