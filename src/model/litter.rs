//! What lies in a checkout and is no part of a release.

/// Why a path of that name is left out; none where it is released.
pub fn reason(name: &str) -> Option<&'static str> {
    const VERSION_CONTROL: [&str; 18] = [
        ".git",
        ".gitignore",
        ".gitattributes",
        ".gitmodules",
        ".gitkeep",
        ".svn",
        ".hg",
        ".hgignore",
        ".hgtags",
        ".hgsub",
        ".hgsubstate",
        ".bzr",
        ".bzrignore",
        ".cvsignore",
        "CVS",
        "RCS",
        "_darcs",
        ".jj",
    ];
    let swap =
        name.starts_with('.') && [".swp", ".swo", ".swn"].iter().any(|end| name.ends_with(end));
    if VERSION_CONTROL.contains(&name) {
        Some("version control")
    } else if swap || name.ends_with('~') || name.starts_with(".#") || is_autosave(name) {
        Some("editor backup")
    } else {
        None
    }
}

fn is_autosave(name: &str) -> bool {
    name.len() > 2 && name.starts_with('#') && name.ends_with('#')
}

#[cfg(test)]
mod tests {
    use super::reason;

    #[test]
    fn litter_is_told_from_content() {
        for name in [".git", ".svn", "CVS", "init.pp~", "#init.pp#", ".#init.pp", ".init.pp.swp"] {
            assert!(reason(name).is_some(), "{name}");
        }
        for name in ["git", ".fixtures.yml", "init.pp", "x.swp", "#", "a#", "Svn", ".gitlab-ci.yml"]
        {
            assert!(reason(name).is_none(), "{name}");
        }
    }
}
