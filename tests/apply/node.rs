//! A node below a temporary root: releases installed by hand, the program run on it.

use localpuppet::model::app::{AppPath, Release};
use localpuppet::model::bundle::Bundle;
use localpuppet::model::digest::Sha256Digest;
use localpuppet::model::links::Links;
use localpuppet::model::module::{self, Metadata};
use localpuppet::model::tree::{Mode, Node as TreeNode};
use localpuppet::model::version::Version;
use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;

/// A root of its own.
pub struct Node {
    root: tempfile::TempDir,
}

/// Where a node keeps what Puppet said of the machine's agent, which is the same
/// for every root; to ask takes as long as a short run.
const AGENT: &str = "var/lib/localpuppet/agent.json";

/// A program that stands for Puppet where a test is not about what Puppet does.
pub const STAND_IN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/apply/puppet");

/// What the first node that needed it was told.
static TOLD: OnceLock<String> = OnceLock::new();

/// What a program said and how it ended.
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl fmt::Display for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "exit {}\n--- stdout\n{}--- stderr\n{}", self.code, self.stdout, self.stderr)
    }
}

impl Node {
    /// An empty root.
    pub fn new() -> Self {
        needs("puppet", "puppet-agent");
        let node = Node { root: tempfile::tempdir().unwrap() };
        if let Some(told) = TOLD.get() {
            node.know_the_agent(told);
        }
        node
    }

    fn know_the_agent(&self, told: &str) {
        self.write(AGENT, told);
        let state = self.path("var/lib/localpuppet");
        fs::set_permissions(state, fs::Permissions::from_mode(0o700)).unwrap();
    }

    /// A path below the root.
    pub fn path(&self, name: &str) -> String {
        self.root.path().join(name).to_str().unwrap().to_owned()
    }

    pub fn exists(&self, name: &str) -> bool {
        self.root.path().join(name).exists()
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub fn write(&self, name: &str, text: &str) {
        write(Path::new(&self.path(name)), text);
    }

    /// What localpuppet keeps is the owner's alone.
    pub fn assert_private(&self, name: &str) {
        let find = |arguments: &[&str]| {
            let found = ran(Command::new("find").arg(self.path(name)).args(arguments));
            assert_eq!(found.stdout, "", "{found}");
        };
        find(&["-maxdepth", "0", "-perm", "/077"]);
        find(&["-name", "enc.yaml", "-perm", "/077"]);
    }

    /// Installs a release as its package would; returns what it says of itself.
    pub fn install(&self, app: &str, files: &[(&str, &str)]) -> Bundle {
        install(self.root.path(), app, files)
    }

    /// Writes the node's ENC where `apply` looks for it.
    pub fn enc(&self, app: &str, classes: serde_json::Value) {
        let enc = serde_json::json!({"app": app, "classes": classes});
        self.write("etc/puppet/input.yaml", &enc.to_string());
    }

    /// From here on a program stands for Puppet, which starts at once; a name in this root.
    pub fn stand_in(&self) -> String {
        let program = self.path("puppet");
        std::os::unix::fs::symlink(STAND_IN, &program).unwrap();
        program
    }

    /// The command with this root, ready to be started.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_localpuppet"));
        command.args(arguments).env("LOCALPUPPET_ROOT", self.root.path());
        if Path::new(&self.path("puppet")).is_symlink() {
            command.env("LOCALPUPPET_PUPPET", self.path("puppet"));
        } else if arguments[0] == "apply" && !arguments.contains(&"--puppet") && !self.exists(AGENT)
        {
            self.know_the_agent(TOLD.get_or_init(told));
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs it to its end.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        ran(&mut self.command(arguments))
    }
}

/// Has Puppet asked by a run that is refused next, for there is no ENC.
fn told() -> String {
    let root = tempfile::tempdir().unwrap();
    let mut apply = Command::new(env!("CARGO_BIN_EXE_localpuppet"));
    let refused = ran(apply.args(["apply", "--enc", "/nonexistent", "--root"]).arg(root.path()));
    assert_eq!(refused.code, 10, "{refused}");
    fs::read_to_string(root.path().join(AGENT)).unwrap()
}

/// A missing tool is a failure with what to type, never a test that is skipped.
pub fn needs(program: &str, package: &str) {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).any(|directory| directory.join(program).exists());
    assert!(found, "no `{program}`; type: apt-get install --no-install-recommends {package}");
}

/// Runs a program to its end.
pub fn ran(command: &mut Command) -> Ran {
    told_by(command.output().unwrap_or_else(|error| panic!("{command:?}: {error}")))
}

/// Waits for the end of a program that was started.
pub fn ended(child: Child) -> Ran {
    told_by(child.wait_with_output().unwrap())
}

fn told_by(output: Output) -> Ran {
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Puts a release below a root; file names are relative to the app.
pub fn install(root: &Path, app: &str, files: &[(&str, &str)]) -> Bundle {
    let path: AppPath = app.parse().unwrap();
    let release = Release::of(&path).unwrap();
    let mut directories = BTreeSet::new();
    let mut nodes = Vec::new();
    for (name, text) in files {
        let mut above = Path::new(name).parent();
        while let Some(directory) = above.filter(|directory| *directory != Path::new("")) {
            directories.insert(directory.to_owned());
            above = directory.parent();
        }
        nodes.push(TreeNode::File {
            path: format!("{app}/{name}").parse().unwrap(),
            mode: Mode::Plain,
            size: text.len() as u64,
            sha256: Sha256Digest::of(text),
        });
    }
    nodes.extend(directories.iter().map(|directory| TreeNode::Directory {
        path: format!("{app}/{}", directory.display()).parse().unwrap(),
    }));
    let version = release.tag().and_then(|tag| Version::of_tag(tag).ok());
    nodes.sort_by(|a, b| a.path().cmp(b.path()));
    let names = module::names(app, nodes.iter(), &Links::among(nodes.iter()));
    let found = names.into_iter().map(|name| (path.clone(), name, Metadata::default()));
    let modules = module::shadow(found.collect());
    let bundle = Bundle::new(&release, version, &[(path, nodes)], modules);
    let top = PathBuf::from(format!("{}{}", root.display(), bundle.directory()));
    for (name, text) in files {
        write(&top.join("modules").join(app).join(name), text);
    }
    write(&top.join("bundle.json"), &bundle.to_json());
    bundle
}

/// Writes a file and the directories above it with a package's modes, whatever the umask.
fn write(path: &Path, text: &str) {
    let mut above = PathBuf::new();
    for component in path.parent().unwrap().components() {
        above.push(component);
        if fs::create_dir(&above).is_ok() {
            fs::set_permissions(&above, fs::Permissions::from_mode(0o755)).unwrap();
        }
    }
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
}
