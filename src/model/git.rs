//! What git prints for programs: the refs of a repository, the paths of a tree.

use std::collections::BTreeMap;

/// Refs with the objects that they name, as `git ls-remote` prints them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refs {
    named: BTreeMap<String, String>,
}

impl Refs {
    /// Reads what `git ls-remote` printed; a line that is none is left out.
    pub fn parse(text: &str) -> Self {
        let line = |line: &str| {
            let (object, name) = line.split_once('\t')?;
            is_object(object).then(|| (name.to_owned(), object.to_owned()))
        };
        Refs { named: text.lines().filter_map(line).collect() }
    }

    /// The object that a ref names: of an annotated tag, the tag's own.
    pub fn object(&self, name: &str) -> Option<&str> {
        self.named.get(name).map(String::as_str)
    }

    /// What it comes to in the end: of an annotated tag, what was tagged.
    pub fn target(&self, name: &str) -> Option<&str> {
        self.object(&format!("{name}^{{}}")).or_else(|| self.object(name))
    }

    /// The names of refs that begin so, with the beginning taken off.
    pub fn below<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = &'a str> {
        let names = self.named.keys().filter_map(move |name| name.strip_prefix(prefix));
        names.filter(|name| !name.ends_with("^{}"))
    }

    /// True where the repository names objects by SHA-256.
    pub fn is_sha256(&self) -> bool {
        self.named.values().next().is_some_and(|object| object.len() == 64)
    }
}

/// True for the whole name of an object, by SHA-1 or SHA-256.
pub fn is_object(text: &str) -> bool {
    let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    matches!(text.len(), 40 | 64) && text.bytes().all(digit)
}

/// One path of a tree that is no directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    pub kind: LeafKind,
    pub object: String,
    /// Below the tree; bytes, which need not be UTF-8.
    pub path: Vec<u8>,
}

/// What a path of a tree is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeafKind {
    Plain,
    Executable,
    Symlink,
    /// A commit of another repository.
    Submodule,
}

/// Reads what `git ls-tree -r -z` printed; the error says what is none of it. Whoever made the
/// repository made the paths: those that would lead elsewhere are refused.
pub fn leaves(text: &[u8]) -> Result<Vec<Leaf>, String> {
    text.split(|&byte| byte == 0).filter(|line| !line.is_empty()).map(leaf).collect()
}

fn leaf(line: &[u8]) -> Result<Leaf, String> {
    let shown = || format!("`{}` is no path of a tree", String::from_utf8_lossy(line));
    let tab = line.iter().position(|&byte| byte == b'\t').ok_or_else(shown)?;
    let (head, path) = (String::from_utf8_lossy(&line[..tab]), line[tab + 1..].to_vec());
    let words: Vec<&str> = head.split(' ').collect();
    let &[mode, _, object] = words.as_slice() else { return Err(shown()) };
    let kind = match mode {
        "100644" | "100664" => LeafKind::Plain,
        "100755" => LeafKind::Executable,
        "120000" => LeafKind::Symlink,
        "160000" => LeafKind::Submodule,
        _ => return Err(shown()),
    };
    let is_normal = |part: &[u8]| !matches!(part, b"" | b"." | b"..");
    if !is_object(object) || !path.split(|&byte| byte == b'/').all(is_normal) {
        return Err(shown());
    }
    Ok(Leaf { kind, object: object.to_owned(), path })
}

/// How the pointer begins that git-lfs puts in the place of a file.
const LFS: &[u8] = b"version https://git-lfs.github.com/spec/v1\n";

/// True for the content of such a pointer, which is never longer than 1024 bytes.
pub fn is_lfs_pointer(content: &[u8]) -> bool {
    content.len() < 1024 && content.starts_with(LFS)
}

/// The name that a tag object has for itself, which a ref of another name may lead to.
pub fn own_name(tag: &str) -> Option<&str> {
    let head = tag.split("\n\n").next()?;
    head.lines().find_map(|line| line.strip_prefix("tag "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refs_are_read_and_tags_peeled() {
        let (a, b, c) = ("a".repeat(40), "b".repeat(40), "c".repeat(40));
        let text = format!(
            "ref: refs/heads/main\tHEAD\n{a}\tHEAD\n{a}\trefs/heads/r1\n{b}\trefs/tags/r1\n{c}\trefs/tags/r1^{{}}\nx\ty\n"
        );
        let refs = Refs::parse(&text);
        assert_eq!(refs.object("HEAD"), Some(a.as_str()));
        assert_eq!(refs.object("refs/tags/r1"), Some(b.as_str()));
        assert_eq!(refs.target("refs/tags/r1"), Some(c.as_str()));
        assert_eq!(refs.target("refs/heads/r1"), Some(a.as_str()));
        assert_eq!(refs.target("refs/tags/r2"), None);
        assert_eq!(refs.below("refs/tags/").collect::<Vec<_>>(), ["r1"]);
        assert!(!refs.is_sha256() && Refs::parse(&format!("{}\tHEAD", "0".repeat(64))).is_sha256());
    }

    #[test]
    fn a_tree_that_leads_elsewhere_is_refused() {
        let line = |mode: &str, path: &str| format!("{mode} blob {}\t{path}\0", "a".repeat(40));
        let read = |text: String| leaves(text.as_bytes());
        let found = read(line("100755", "a b/\"c") + &line("160000", "d")).unwrap();
        assert_eq!(
            (found[0].kind, found[0].path.as_slice()),
            (LeafKind::Executable, &b"a b/\"c"[..])
        );
        assert_eq!(found[1].kind, LeafKind::Submodule);
        for path in ["../x", "a/../b", "/etc/passwd", "a//b", "./a", "a/"] {
            assert!(read(line("100644", path)).is_err(), "{path}");
        }
        for mode in ["040000", "100600 x", ""] {
            assert!(read(line(mode, "a")).is_err(), "{mode}");
        }
        assert!(leaves(b"100644 blob abc\tx\0").is_err());
    }

    #[test]
    fn pointers_and_names_of_tags_are_told() {
        assert!(is_lfs_pointer(
            b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"
        ));
        assert!(!is_lfs_pointer(b"# version https://git-lfs.github.com/spec/v1\n"));
        assert!(!is_lfs_pointer(&[LFS, &[b'x'; 1000]].concat()));
        assert_eq!(own_name("object a\ntype commit\ntag r1\ntagger x\n\ntag r2\n"), Some("r1"));
        assert_eq!(own_name("object a\n\ntag r2\n"), None);
    }
}
