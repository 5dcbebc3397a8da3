//! Clients of a repository: real apt-get, dnf and zypper, each with a root of its own.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// What a program said and how it ended.
pub struct Ran {
    pub code: i32,
    pub text: String,
}

impl fmt::Display for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "exit {}\n{}", self.code, self.text)
    }
}

/// Runs a program to its end; both its outputs are kept.
pub fn ran(command: &mut Command) -> Ran {
    let output = command.stdin(Stdio::null()).output();
    let output = output.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    Ran { code: output.status.code().unwrap_or(-1), text }
}

/// Runs a shell script that has to succeed.
pub fn shell(directory: &Path, script: &str) -> String {
    let ran = ran(Command::new("sh").args(["-euc", script]).current_dir(directory));
    assert_eq!(ran.code, 0, "{script}: {ran}");
    ran.text
}

/// A missing tool is a failure with what to type, never a test that is skipped.
pub fn needs(programs: &[(&str, &str)]) {
    let path = std::env::var_os("PATH").unwrap_or_default();
    for (program, package) in programs {
        let found = std::env::split_paths(&path).any(|directory| directory.join(program).exists());
        assert!(found, "no `{program}`; type: apt-get install --no-install-recommends {package}");
    }
}

/// What a client has of a repository: where it is, and whether it is signed.
pub struct Source<'a> {
    /// `file:/…` or `http://…`, the repository's root.
    pub url: &'a str,
    /// The public key; none for a repository without signatures.
    pub key: Option<&'a Path>,
}

/// A client with a root of its own.
pub struct Client {
    root: PathBuf,
}

impl Client {
    pub fn apt(root: &Path, source: &Source) -> Self {
        for directory in [
            "etc/apt/apt.conf.d",
            "etc/apt/preferences.d",
            "var/lib/dpkg",
            "cache",
            "lists/partial",
            "log",
        ] {
            fs::create_dir_all(root.join(directory)).unwrap();
        }
        fs::write(root.join("var/lib/dpkg/status"), "").unwrap();
        let shown = root.display();
        let configuration = format!(
            "Dir::Etc \"{shown}/etc/apt\";\nDir::State \"{shown}\";\nDir::State::lists \"{shown}/lists\";\n\
             Dir::State::status \"{shown}/var/lib/dpkg/status\";\nDir::Cache \"{shown}/cache\";\n\
             Dir::Log \"{shown}/log\";\nAPT::Architecture \"amd64\";\nAPT::Architectures {{ \"amd64\"; }};\n\
             DPkg::Options {{ \"--root={shown}\"; \"--force-not-root\"; \"--force-script-chrootless\"; }};\n\
             APT::Sandbox::User \"root\";\nAPT::Update::Error-Mode \"any\";\n#clear APT::Update::Post-Invoke;\n\
             #clear DPkg::Post-Invoke;\n#clear DPkg::Pre-Install-Pkgs;\n"
        );
        fs::write(root.join("apt.conf"), configuration).unwrap();
        let option = source
            .key
            .map_or("trusted=yes".to_owned(), |key| format!("signed-by={}", key.display()));
        let line = format!("deb [{option}] {}/apt stable main\n", source.url);
        fs::write(root.join("etc/apt/sources.list"), line).unwrap();
        Client { root: root.to_owned() }
    }

    /// Runs apt-get; a warning is a failure too.
    pub fn apt_get(&self, arguments: &[&str]) -> Ran {
        self.strict(Command::new("apt-get").args(arguments))
    }

    /// The same with a clock that is so much off.
    pub fn apt_get_at(&self, off: &str, arguments: &[&str]) -> Ran {
        let mut command = Command::new("faketime");
        self.strict(command.args(["-f", off, "apt-get"]).args(arguments))
    }

    fn strict(&self, command: &mut Command) -> Ran {
        command.env("APT_CONFIG", self.root.join("apt.conf")).env("LC_ALL", "C");
        let mut ran = ran(command);
        if ran.code == 0 && ran.text.lines().any(|line| line.starts_with("W:")) {
            ran.code = 1;
        }
        ran
    }

    pub fn rpm(root: &Path, source: &Source) -> Self {
        let (url, check) = (source.url, u8::from(source.key.is_some()));
        let key =
            source.key.map_or(String::new(), |key| format!("gpgkey=file://{}\n", key.display()));
        let url = url.replacen("file:/", "file:///", 1);
        let text = format!(
            "[x]\nname=x\nbaseurl={url}/yum\nenabled=1\ngpgcheck={check}\nrepo_gpgcheck={check}\n{key}"
        );
        for directory in ["repos", "root", "zypp/etc/zypp/repos.d"] {
            fs::create_dir_all(root.join(directory)).unwrap();
        }
        fs::write(root.join("repos/x.repo"), &text).unwrap();
        fs::write(root.join("zypp/etc/zypp/repos.d/x.repo"), &text).unwrap();
        Client { root: root.to_owned() }
    }

    /// Runs dnf; a warning is a failure too.
    pub fn dnf(&self, arguments: &[&str]) -> Ran {
        let mut command = Command::new("dnf");
        let root = self.root.display();
        command.args(["-y", "--releasever=9", "--setopt=skip_if_unavailable=0"]);
        command.arg(format!("--installroot={root}/root"));
        command.arg(format!("--setopt=reposdir={root}/repos"));
        command.arg(format!("--setopt=cachedir={root}/cache"));
        command.args(arguments).env("LC_ALL", "C").env("GNUPGHOME", &self.root);
        let mut ran = ran(&mut command);
        let odd = |line: &str| line.starts_with("Warning") || line.starts_with("Error");
        if ran.code == 0 && ran.text.lines().any(odd) {
            ran.code = 1;
        }
        ran
    }

    pub fn zypper(&self, arguments: &[&str]) -> Ran {
        let mut command = Command::new("zypper");
        command.arg("--root").arg(self.root.join("zypp"));
        command.args(["--non-interactive", "--gpg-auto-import-keys"]);
        ran(command.args(arguments).env("LC_ALL", "C"))
    }

    /// Where rpm on Debian keeps its database below an install root.
    pub fn installed(&self, path: &str) -> bool {
        ["", "root", "zypp"].iter().any(|root| self.root.join(root).join(path).exists())
    }
}

/// A web server for a directory, which ends with the test.
pub struct Server {
    child: Child,
    pub url: String,
}

impl Server {
    pub fn of(directory: &Path) -> Self {
        use std::io::{BufRead, BufReader};
        needs(&[("python3", "python3")]);
        let mut command = Command::new("python3");
        command.args(["-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory"]);
        command.arg(directory).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.split(" port ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap();
        Server { url: format!("http://127.0.0.1:{port}"), child }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
