//! Colour is for terminals, and for those who want it.

use super::{apply, on_terminal};

const REFUSED: &str = "localpuppet bundle foo/tags/r1 --module-root /nonexistent";

#[test]
fn what_went_wrong_is_coloured_on_a_terminal() {
    let seen = on_terminal(REFUSED, &[]);
    assert!(seen.starts_with("localpuppet: \u{1b}[1m\u{1b}[31merror:\u{1b}[0m "), "{seen:?}");
    let hint = on_terminal("localpuppet man bundel", &[]);
    assert!(hint.ends_with("  \u{1b}[36mhint:\u{1b}[0m did you mean `bundle`?\n"), "{hint:?}");
}

#[test]
fn there_is_no_colour_where_it_is_not_shown_or_not_wanted() {
    let plain = |line: &str, set: &[(&str, &str)]| {
        let seen = on_terminal(line, set);
        assert!(seen.starts_with("localpuppet: error: "), "{set:?}: {seen:?}");
        assert!(!seen.contains('\u{1b}'), "{set:?}: {seen:?}");
    };
    plain(REFUSED, &[("NO_COLOR", "1")]);
    plain(REFUSED, &[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")]);
    plain(REFUSED, &[("TERM", "dumb")]);
    plain(&format!("{REFUSED} 2>&1 | cat"), &[]);
    // no-color.org: where it is empty, it says nothing.
    assert!(on_terminal(REFUSED, &[("NO_COLOR", "")]).contains('\u{1b}'));
    let forced = on_terminal(&format!("{REFUSED} 2>&1 | cat"), &[("CLICOLOR_FORCE", "1")]);
    assert!(forced.contains('\u{1b}'), "{forced:?}");
}

#[test]
fn a_run_and_puppets_own_words_follow_the_same_rule() {
    let node = tempfile::tempdir().unwrap();
    let line = apply(node.path(), "class foo { notify { 'told': } }\n");

    let seen = on_terminal(&line, &[]);
    assert!(seen.contains("\u{1b}[mNotice: told\u{1b}[0m\n"), "{seen}");
    assert!(seen.contains("\u{1b}[32mlocalpuppet: `foo/trunk`: changed\u{1b}[0m\n"), "{seen}");
    let plain = on_terminal(&line, &[("NO_COLOR", "1")]);
    assert!(plain.contains("Notice: told\n") && !plain.contains('\u{1b}'), "{plain:?}");
    let status = on_terminal(&format!("localpuppet status --root {}", node.path().display()), &[]);
    assert!(status.starts_with("\u{1b}[32mlocalpuppet: "), "{status:?}");
}
