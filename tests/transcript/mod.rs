//! Shell commands as an operator types them, and all that they print.

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A place for commands: what one of them leaves running is there for the next.
///
/// It has processes of its own where that can be had: Facter complains at
/// length where a container keeps process 1 to itself.
pub struct Shell {
    place: Option<Place>,
}

struct Place {
    unshare: Child,
    /// Its first process, as it is called outside.
    first: String,
}

impl Shell {
    /// A place with no process in it but the one that keeps it.
    pub fn new() -> Self {
        let mut unshare = Command::new("unshare");
        unshare.args(["--pid", "--fork", "--kill-child", "--mount-proc"]);
        unshare.args(["sh", "-c", "echo; exec sleep infinity"]);
        let started = unshare.stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        Shell { place: started.ok().and_then(Place::of) }
    }

    /// What a shell prints, both streams as they come, after the code where it fails.
    pub fn run(&self, script: &str, directory: &Path) -> String {
        let program = Path::new(env!("CARGO_BIN_EXE_localpuppet"));
        let programs = program.parent().expect("a program is in a directory").display();
        let path = format!("{programs}:{}", std::env::var("PATH").expect("a PATH"));
        let mut command = match &self.place {
            None => Command::new("env"),
            Some(Place { first, .. }) => {
                let mut nsenter = Command::new("nsenter");
                nsenter.args(["--pid", "--mount", "--target", first]);
                nsenter.arg(format!("--wdns={}", directory.display()));
                nsenter
            }
        };
        let ran = command
            .args(["sh", "-euc", &format!("exec 2>&1\numask 022\n{script}")])
            .current_dir(directory)
            .env("PATH", path)
            .output()
            .expect("sh runs");
        let printed = String::from_utf8_lossy(&ran.stdout);
        match ran.status.code() {
            Some(0) => printed.into_owned(),
            code => format!("? {}\n{printed}", code.expect("no signal")),
        }
    }
}

impl Place {
    fn of(mut unshare: Child) -> Option<Self> {
        // A line comes once there is a first process; none where this machine has no such places.
        unshare.stdout.as_mut()?.read_exact(&mut [0]).ok()?;
        let children = format!("/proc/{0}/task/{0}/children", unshare.id());
        let first = std::fs::read_to_string(children).ok()?.trim().to_owned();
        Some(Place { unshare, first })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // All that runs in it ends with it.
        let _ = self.unshare.kill();
        let _ = self.unshare.wait();
    }
}
