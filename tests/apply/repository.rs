//! A node with a repository of its own, for apt, dnf or zypper.

use crate::node::{Node, Ran, needs, ran};
use std::process::Command;

/// The package managers that a node may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Apt,
    Dnf,
    Zypper,
}

impl Kind {
    pub fn format(self) -> &'static str {
        match self {
            Kind::Apt => "deb",
            Kind::Dnf | Kind::Zypper => "rpm",
        }
    }

    /// A URL of a repository that is a directory of this machine.
    pub fn url(self, directory: &str) -> String {
        match self {
            Kind::Apt => format!("copy:{directory}"),
            Kind::Dnf | Kind::Zypper => format!("file://{directory}"),
        }
    }
}

/// A node whose repository is a directory, somewhere else.
pub struct Site {
    pub node: Node,
    pub kind: Kind,
    pub repository: String,
}

impl Site {
    /// A node that knows of its repository by the file system.
    pub fn new(kind: Kind) -> Self {
        match kind {
            Kind::Apt => needs("apt-ftparchive", "apt-utils"),
            Kind::Dnf => {
                needs("createrepo_c", "createrepo-c");
                needs("dnf", "dnf");
            }
            Kind::Zypper => {
                needs("createrepo_c", "createrepo-c");
                needs("zypper", "zypper");
            }
        }
        let node = Node::new();
        let repository = node.path("repository");
        let site = Site { node, kind, repository };
        site.know(&kind.url(&site.repository));
        site
    }

    /// Tells the node where its repository is.
    pub fn know(&self, url: &str) {
        let node = &self.node;
        match self.kind {
            Kind::Apt => {
                node.write("etc/os-release", "ID=debian\n");
                node.write("etc/apt/sources.list", &format!("deb [trusted=yes] {url} ./\n"));
            }
            Kind::Dnf => {
                node.write("etc/os-release", "ID=almalinux\nVERSION_ID=9.4\n");
                let repo = format!("[x]\nname=x\nbaseurl={url}\ngpgcheck=0\n");
                node.write("etc/yum.repos.d/x.repo", &repo);
            }
            Kind::Zypper => {
                node.write("etc/os-release", "ID=\"opensuse-leap\"\nID_LIKE=\"suse opensuse\"\n");
                let repo = format!("[x]\nname=x\nenabled=1\nbaseurl={url}\ngpgcheck=0\n");
                node.write("etc/zypp/repos.d/x.repo", &repo);
            }
        }
    }

    /// Bundles a release of the app `foo` with so many files, and publishes it.
    pub fn publish(&self, tag: &str, text: &str, files: usize) {
        self.bundle(tag, text, files);
        self.index();
    }

    /// Bundles a release into the repository, whose index does not know of it.
    pub fn bundle(&self, tag: &str, text: &str, files: usize) {
        let app = format!("foo/tags/{tag}");
        self.node.write(&format!("m/{app}/manifest.yaml"), "");
        let class = format!("class foo {{ notify {{ '{text}': }} }}\n");
        self.node.write(&format!("m/{app}/foo/manifests/init.pp"), &class);
        for file in 0..files {
            let name = format!("m/{app}/foo/files/{}/{file}", file % 20);
            self.node.write(&name, &format!("{text} {file}\n").repeat(20));
        }
        let (root, out) = (self.node.path("m"), &self.repository);
        let mut bundle = vec!["bundle", &app, "--module-root", &root, "--out", out];
        bundle.extend(["--format", self.kind.format()]);
        let built = self.node.run(&bundle);
        assert_eq!(built.code, 0, "{built}");
    }

    /// Makes the index of the repository anew.
    pub fn index(&self) {
        let script = match self.kind {
            Kind::Apt => "apt-ftparchive packages . > Packages",
            Kind::Dnf | Kind::Zypper => "createrepo_c --quiet .",
        };
        shell(script, &self.repository);
    }

    /// The package file of a release of `foo`.
    pub fn file(&self, tag: &str) -> String {
        let found = shell(&format!("ls $PWD/*-foo-{tag}[-_]*"), &self.repository);
        found.stdout.trim().to_owned()
    }

    /// What the package manager has of a release of `foo`; nothing where it has nothing.
    pub fn recorded(&self, tag: &str) -> String {
        let package = format!("localpuppet-foo-{tag}");
        let found = match self.kind {
            Kind::Apt => {
                let admindir = format!("--admindir={}", self.node.path("var/lib/dpkg"));
                let format = "--showformat=${db:Status-Abbrev}";
                ran(Command::new("dpkg-query").args([&admindir, "--show", format, &package]))
            }
            Kind::Dnf | Kind::Zypper => {
                let root = self.node.path("");
                let query = ["--root", &root, "--query", "--queryformat", "ii ", &package];
                ran(Command::new("rpm").args(query))
            }
        };
        if found.code == 0 { found.stdout.trim().to_owned() } else { String::new() }
    }

    /// True where nothing of a release of `foo` is there, and no command is in the middle of it.
    pub fn is_gone(&self, tag: &str) -> bool {
        let here = self.node.exists(&format!("usr/share/localpuppet/foo/{tag}"));
        let recorded = self.recorded(tag);
        !here && (recorded.is_empty() || recorded.ends_with('n')) && self.is_settled()
    }

    /// True where no command is in the middle of anything, or was cut off there.
    pub fn is_settled(&self) -> bool {
        let marks = std::fs::read_dir(self.node.path("var/lib/localpuppet/installing"));
        marks.map_or(true, |mut marks| marks.next().is_none())
    }
}

/// Runs a shell script that has to go well.
pub fn shell(script: &str, directory: &str) -> Ran {
    let ran = ran(Command::new("sh").args(["-ec", script]).current_dir(directory));
    assert_eq!(ran.code, 0, "{script}: {ran}");
    ran
}
