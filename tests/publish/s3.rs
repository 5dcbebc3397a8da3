//! A repository in a bucket: a real store, one that ignores conditions, and
//! one that is reached over a bad line.

use crate::faults::{all_are_there, kill_at_points, many, publish_at_once};
use crate::node::{Client, Ran, Source, needs, ran, shell};
use crate::{Bench, all_clients_install, ok};
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// A store of its own, which ends with the test.
pub struct ObjectStore {
    child: Child,
    pub endpoint: String,
    /// Goes after the store.
    _data: tempfile::TempDir,
}

impl Drop for ObjectStore {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn program(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/real/stores/bin").join(name);
    assert!(path.exists(), "no `{}`; type: tests/setup", path.display());
    path
}

/// Ports that are free at this instant.
fn free_ports<const N: usize>() -> [u16; N] {
    // weed listens at each port plus 10000 as well.
    let free = |port: &u16| {
        [*port, *port + 10_000].iter().all(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
    };
    let start = 11_000 + (std::process::id() % 2000) as u16 * 5 + rand_offset();
    let found: Vec<u16> = (start..30_000).filter(free).take(N).collect();
    found.try_into().unwrap()
}

fn rand_offset() -> u16 {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    NEXT.fetch_add(50, Ordering::SeqCst) as u16
}

impl ObjectStore {
    /// SeaweedFS with a bucket `bucket` that anybody may read.
    pub fn weed() -> Self {
        needs(&[("curl", "curl")]);
        let data = tempfile::tempdir().unwrap();
        let identities = r#"{"identities":[{"name":"admin","credentials":[{"accessKey":"key","secretKey":"secret"}],"actions":["Admin","Read","Write","List","Tagging"]},{"name":"anonymous","actions":["Read"]}]}"#;
        fs::write(data.path().join("s3.json"), identities).unwrap();
        let [s3, master, volume, filer] = free_ports();
        let mut command = Command::new(program("weed"));
        command.args(["server", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-s3", "-volume.max=5"]);
        command.args(["-master.volumeSizeLimitMB=64", "-dir=.", "-s3.config=s3.json"]);
        command.args(["-s3.port.iceberg=0", "-s3.port.lance=0"]);
        for (name, port) in [("s3", s3), ("master", master), ("volume", volume), ("filer", filer)] {
            command.arg(format!("-{name}.port={port}"));
        }
        let child = command.current_dir(data.path()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = child.spawn().unwrap();
        let endpoint = format!("http://127.0.0.1:{s3}");
        let store = ObjectStore { child, endpoint, _data: data };
        let bucket = format!("{}/bucket", store.endpoint);
        let start = Instant::now();
        while !made(&bucket) {
            assert!(start.elapsed() < Duration::from_secs(90), "the store does not come up");
            thread::sleep(Duration::from_millis(300));
        }
        store
    }

    /// rclone, which overwrites whatever the condition says.
    fn rclone() -> Self {
        let data = tempfile::tempdir().unwrap();
        fs::create_dir(data.path().join("bucket")).unwrap();
        let [port] = free_ports();
        let mut command = Command::new(program("rclone"));
        command.args(["serve", "s3", "--auth-key", "key,secret", "--addr"]);
        command.arg(format!("127.0.0.1:{port}")).arg(data.path());
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(start.elapsed() < Duration::from_secs(60), "the store does not come up");
            thread::sleep(Duration::from_millis(100));
        }
        ObjectStore { child, endpoint: format!("http://127.0.0.1:{port}"), _data: data }
    }
}

/// Makes a bucket; false where the store is not up yet.
pub fn made(bucket: &str) -> bool {
    let sign = ["--aws-sigv4", "aws:amz:us-east-1:s3", "--user", "key:secret"];
    let mut command = Command::new("curl");
    command.args(["--silent", "--fail", "--request", "PUT"]).args(sign).arg(bucket);
    ran(&mut command).code == 0
}

const TO: [&str; 2] = ["--to", "s3://bucket/some/prefix"];

/// A bench whose publishers use a store.
fn bench(endpoint: &str) -> Bench {
    let mut bench = Bench::new();
    bench.environment = vec![
        ("AWS_ACCESS_KEY_ID", "key".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "secret".to_owned()),
        ("AWS_ENDPOINT_URL", endpoint.to_owned()),
    ];
    bench
}

fn publish(bench: &Bench, part: &str, options: &[&str]) -> Ran {
    let packages = bench.packages(part);
    let packages: Vec<&str> = packages.iter().map(String::as_str).collect();
    bench.run(&[&["publish"], &TO[..], options, &packages[..]].concat())
}

#[test]
fn every_client_installs_from_a_bucket() {
    needs(&[("dnf", "dnf"), ("zypper", "zypper")]);
    let store = ObjectStore::weed();
    let bench = bench(&store.endpoint);
    bench.key("release", "ed25519", "", "never");
    let sign = ["--sign", "release@example.org"];
    ok(&publish(&bench, "r1", &sign));
    ok(&publish(&bench, "", &sign));
    let url = format!("{}/bucket/some/prefix", store.endpoint);
    let key = bench.path("key.asc");
    shell(bench.path("").as_path(), &format!("curl --silent --fail {url}/key.asc > key.asc"));
    all_clients_install(&bench, &url, Some(&key), "s3");

    // Other bytes are refused here as well, with the files that differ.
    shell(&bench.path(""), "rm out/*r1*");
    bench.bundle("foo/tags/r1", "other");
    let refused = publish(&bench, "r1", &sign);
    assert!(refused.code == 12 && refused.text.contains("init.pp` was changed"), "{refused}");
    let pruned = ["--prune", "--keep", "1", "--min-days", "0"];
    ok(&bench.run(&[&["publish"], &TO[..], &sign[..], &pruned[..]].concat()));
    let checked = bench.run(&[&["publish", "--verify"], &TO[..]].concat());
    assert!(checked.text.contains("signed, 2 packages: whole"), "{checked}");
}

#[test]
#[ignore = "one of `make faults`"]
fn publishers_at_once_lose_nothing_in_a_bucket_and_clients_see_no_half() {
    let store = ObjectStore::weed();
    let bench = bench(&store.endpoint);
    many(&bench);
    ok(&publish(&bench, "r1", &[]));
    let url = format!("{}/bucket/some/prefix", store.endpoint);
    let apt = Client::apt(&bench.path("apt"), &Source { url: &url, key: None });
    let (end, mut updates) = (AtomicBool::new(false), 0);
    let took = thread::scope(|scope| {
        let publishers = scope.spawn(|| {
            let took = publish_at_once(&bench, &TO);
            end.store(true, Ordering::SeqCst);
            took
        });
        while !end.load(Ordering::SeqCst) && !publishers.is_finished() {
            ok(&apt.apt_get(&["update"]));
            updates += 1;
        }
        publishers.join().unwrap()
    });
    println!(
        "20 publishers, 500 packages, in a bucket: {:.1} s, meanwhile {updates} apt-get update, 0 of them failed",
        took.as_secs_f64()
    );
    all_are_there(&bench, &TO, 2);
}

#[test]
#[ignore = "one of `make faults`"]
fn a_publisher_that_is_killed_leaves_a_whole_in_the_bucket_and_the_next_one_goes_on() {
    let store = ObjectStore::weed();
    let bench = bench(&store.endpoint);
    // Each has a prefix of its own: a bucket is slower to empty than to fill.
    let number = AtomicUsize::new(0);
    let to = || format!("s3://bucket/{}", number.load(Ordering::SeqCst));
    let publish = |part: &str| {
        let mut command = bench.command(&["publish", "--to", &to()]);
        command.args(bench.packages(part));
        command
    };
    let fresh = || {
        number.fetch_add(1, Ordering::SeqCst);
        ok(&ran(&mut publish("r1")));
    };
    kill_at_points(
        || publish("r2"),
        fresh,
        |at| {
            let url = format!("{}/bucket/{}", store.endpoint, number.load(Ordering::SeqCst));
            let root = bench.path(&format!("apt-{}", number.load(Ordering::SeqCst)));
            ok(&Client::apt(&root, &Source { url: &url, key: None }).apt_get(&["update"]));
            ok(&ran(&mut publish("rc1")));
            ok(&ran(&mut publish("r2")));
            let checked = bench.run(&["publish", "--verify", "--to", &to()]);
            assert!(checked.text.contains(", 6 packages: whole"), "{at}: {checked}");
        },
    );
}

#[test]
fn a_store_refuses_a_clock_that_is_hours_off() {
    needs(&[("faketime", "faketime")]);
    let store = ObjectStore::weed();
    let bench = bench(&store.endpoint);
    for off in ["+5h", "-5h"] {
        let mut command = Command::new("faketime");
        command.args(["-f", off, env!("CARGO_BIN_EXE_localpuppet"), "publish"]).args(TO);
        command.args(bench.packages("r1")).current_dir(bench.directory.path());
        let environment = bench.environment.iter().map(|(name, value)| (name, value));
        let refused = ran(command.envs(environment));
        assert!(refused.code == 1 && refused.text.contains("RequestTimeTooSkewed"), "{refused}");
        assert!(refused.text.contains("hint: set the clock"), "{refused}");
    }
    ok(&publish(&bench, "r1", &[]));
}

#[test]
fn a_store_that_ignores_conditions_is_refused() {
    let store = ObjectStore::rclone();
    let bench = bench(&store.endpoint);
    let refused = publish(&bench, "", &[]);
    let told = "the store of `s3://bucket/some/prefix` ignores conditional writes";
    assert!(refused.code == 1 && refused.text.contains(told), "{refused}");
    let left = shell(store._data.path(), "find . -type f");
    assert_eq!(left, "");
}

/// A line between a publisher and a store that answers 503, cuts answers off,
/// and loses them after the store has done what was asked.
fn bad_line(store: &str) -> (String, Arc<AtomicUsize>) {
    let store = store.trim_start_matches("http://").to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    thread::spawn(move || {
        for connection in listener.incoming() {
            let (number, store) = (counted.fetch_add(1, Ordering::SeqCst), store.clone());
            thread::spawn(move || pass_on(connection.unwrap(), &store, number));
        }
    });
    (endpoint, count)
}

/// One request over the bad line.
fn pass_on(mut client: TcpStream, store: &str, number: usize) -> Option<()> {
    let request = request_of(&mut client)?;
    if number % 7 == 3 {
        let busy = "HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        return client.write_all(busy.as_bytes()).ok();
    }
    let end = request.windows(4).position(|bytes| bytes == b"\r\n\r\n")?;
    let mut server = TcpStream::connect(store).ok()?;
    server.write_all(&request[..end]).ok()?;
    server.write_all(b"\r\nConnection: close").ok()?;
    server.write_all(&request[end..]).ok()?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer).ok()?;
    let kept = match number {
        number if number % 11 == 5 => answer.len().saturating_sub(1) / 2,
        number if number % 13 == 7 => 0,
        _ => answer.len(),
    };
    client.write_all(&answer[..kept]).ok()
}

fn request_of(client: &mut TcpStream) -> Option<Vec<u8>> {
    let mut request = Vec::new();
    let mut buffer = [0; 1 << 16];
    loop {
        if let Some(end) = request.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&request[..end]).to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            let length: usize = length.map_or(0, |length| length.trim().parse().unwrap());
            if request.len() >= end + 4 + length {
                return Some(request);
            }
        }
        match client.read(&mut buffer).ok()? {
            0 => return None,
            read => request.extend_from_slice(&buffer[..read]),
        }
    }
}

#[test]
#[ignore = "one of `make faults`"]
fn a_bad_line_to_the_store_costs_time_and_nothing_else() {
    let store = ObjectStore::weed();
    let (endpoint, count) = bad_line(&store.endpoint);
    let mut bench = bench(&endpoint);
    ok(&publish(&bench, "r1", &[]));
    ok(&publish(&bench, "r2", &[]));
    println!("two publishers over a bad line: {} requests", count.load(Ordering::SeqCst));
    bench.environment[2].1 = store.endpoint.clone();
    let checked = bench.run(&[&["publish", "--verify"], &TO[..]].concat());
    assert!(checked.text.contains(", 4 packages: whole"), "{checked}");
}

/// An empty store that lets nobody write.
fn reads_alone() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for mut client in listener.incoming().map(Result::unwrap) {
            let request = request_of(&mut client).unwrap_or_default();
            let status = match &request[..] {
                _ if String::from_utf8_lossy(&request).contains("list-type=") => "200 OK",
                [b'G' | b'H', ..] => "404 Not Found",
                _ => "403 Forbidden",
            };
            let _ = write!(
                client,
                "HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            );
        }
    });
    endpoint
}

/// A store that has one answer to everything.
fn answers(status: &'static str, code: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for mut client in listener.incoming().map(Result::unwrap) {
            let body = format!("<Error><Code>{code}</Code><Message>told</Message></Error>");
            let length = body.len();
            let _ = request_of(&mut client);
            let _ = write!(
                client,
                "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            );
        }
    });
    endpoint
}

#[test]
fn an_account_is_that_of_a_profile_where_no_variable_has_one() {
    let mut bench = bench("http://127.0.0.1:1");
    let text = "[default]\naws_access_key_id = no\n[ci]\naws_access_key_id = yes\naws_secret_access_key = s\n[sso]\nregion = x\n";
    std::fs::write(bench.path("credentials"), text).unwrap();
    let file = bench.path("credentials").display().to_string();
    bench.environment = vec![
        ("AWS_SHARED_CREDENTIALS_FILE", file),
        ("AWS_ENDPOINT_URL", answers("301 Moved Permanently\r\nx-amz-bucket-region: eu-x", "")),
        ("AWS_PROFILE", "ci".to_owned()),
    ];
    let asked = publish(&bench, "r1", &[]);
    assert!(asked.text.contains("the bucket is in region `eu-x`"), "{asked}");
    assert!(asked.text.contains("hint: export AWS_REGION"), "{asked}");
    bench.environment[2].1 = "sso".to_owned();
    let refused = publish(&bench, "r1", &[]);
    let told = "profile `sso` (`AWS_PROFILE`) has no `aws_access_key_id`";
    assert!(refused.text.contains(told), "{refused}");
}

#[test]
fn a_store_that_says_when_to_ask_again_is_left_alone_until_then() {
    // Longer than all tries have, so there is no second one.
    let bench = bench(&answers("503 Slow Down\r\nRetry-After: 900", "SlowDown"));
    let refused = publish(&bench, "r1", &[]);
    assert!(refused.text.contains("tried once within 120 s"), "{refused}");
}

#[test]
fn what_the_store_refuses_is_told_in_its_words_with_what_to_type() {
    let cases = [
        ("400 Bad Request", "ExpiredToken", "hint: get new credentials"),
        ("403 Forbidden", "RequestTimeTooSkewed", "hint: set the clock"),
        ("403 Forbidden", "AccessDenied", "hint: ask who runs it"),
        ("404 Not Found", "NoSuchBucket", "hint: make the bucket"),
        ("301 Moved Permanently", "PermanentRedirect", "hint: export AWS_REGION"),
    ];
    for (status, code, told) in cases {
        let bench = bench(&answers(status, code));
        let refused = publish(&bench, "r1", &[]);
        assert!(refused.code == 1 && refused.text.contains(told), "{code}: {refused}");
    }
    // Who may read alone is told that writing failed, not that the trial of it cannot be removed.
    let reader = bench(&reads_alone());
    let refused = publish(&reader, "r1", &[]);
    assert!(
        refused.text.contains("failed to write `s3://bucket/some/prefix/ledger/probe/"),
        "{refused}"
    );
    let mut bench = bench("http://127.0.0.1:1");
    bench.environment.remove(1);
    let refused = publish(&bench, "r1", &[]);
    assert!(refused.text.contains("`AWS_SECRET_ACCESS_KEY` is not set"), "{refused}");
}
