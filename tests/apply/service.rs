//! Services that the tests ask for an ENC, each a process on a free port of this machine.

use crate::node::{needs, ran};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// A server program with a directory; ended when dropped.
pub struct Service {
    directory: tempfile::TempDir,
    child: Child,
}

impl Service {
    /// The web service, with a certificate of each kind, all of the authority `ca.pem`
    /// but that of `unknown`.
    pub fn web() -> Self {
        let directory = tempfile::tempdir().unwrap();
        certificates(directory.path());
        Service::start("web.py", directory)
    }

    /// The web service without any certificate: what is asked of it goes in the clear.
    pub fn plain() -> Self {
        Service::start("web.py", tempfile::tempdir().unwrap())
    }

    /// The instance metadata service.
    pub fn imds(user_data: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("user-data"), user_data).unwrap();
        Service::start("imds.py", directory)
    }

    fn start(program: &str, directory: tempfile::TempDir) -> Self {
        needs("python3", "python3");
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/apply").join(program);
        let mut command = Command::new("python3");
        command.arg(program).arg(directory.path()).stdin(Stdio::piped());
        let service = Service { child: command.spawn().unwrap(), directory };
        let start = Instant::now();
        while !Path::new(&service.path("ports")).exists() {
            assert!(start.elapsed() < Duration::from_secs(20), "the server did not start");
            sleep(Duration::from_millis(10));
        }
        service
    }

    /// A path in its directory.
    pub fn path(&self, name: &str) -> String {
        self.directory.path().join(name).to_str().unwrap().to_owned()
    }

    /// Writes a file into its directory.
    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// The host and port that shows this certificate.
    pub fn at(&self, name: &str) -> String {
        let ports: Value = serde_json::from_slice(&fs::read(self.path("ports")).unwrap()).unwrap();
        format!("localhost:{}", ports[name])
    }

    /// All that it was asked so far.
    pub fn requests(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.path("requests")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// How often a path was asked for.
    pub fn count(&self, path: &str) -> usize {
        self.requests().iter().filter(|request| request["path"] == path).count()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Real certificates, by openssl; the expired one was good three days ago.
fn certificates(directory: &Path) {
    needs("openssl", "openssl");
    needs("faketime", "faketime");
    let script = r#"
        authority() {
          openssl req -x509 -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
            -keyout $1.key -out $1.pem -subj /CN=$1 -days 9
        }
        # signed NAME AUTHORITY ALTERNATIVE_NAME [COMMAND…]
        signed() {
          name=$1 by=$2; printf 'subjectAltName=%s\n' "$3" > ext; shift 3
          openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
            -keyout $name.key -out csr -subj /CN=$name
          "$@" openssl x509 -req -in csr -CA $by.pem -CAkey $by.key -CAcreateserial \
            -days 1 -extfile ext -out $name.pem
        }
        faketime '5 days ago' openssl version > /dev/null
        authority unknown-ca; authority ca
        mv unknown-ca.key unknown-ca.secret
        for name in good mutual other client; do signed $name ca DNS:localhost; done
        signed wrong-name ca DNS:enc.example
        signed expired ca DNS:localhost faketime '3 days ago'
        mv unknown-ca.secret unknown-ca.key
        signed unknown unknown-ca DNS:localhost
        rm unknown-ca.key csr ext"#;
    let mut shell = Command::new("sh");
    let made = ran(shell.args(["-ec", script]).current_dir(directory));
    assert_eq!(made.code, 0, "{made}");
}
