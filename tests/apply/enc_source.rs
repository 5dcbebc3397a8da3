//! Where the ENC comes from: each source against a real server or a real program.

use crate::node::{Node, Ran, ended, ran};
use crate::service::Service;
use crate::signal;
use serde_json::{Value, json};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// What the sources say; each value is a secret.
const ENC: &str = "app: foo/tags/r1\nclasses: {foo: {text: p4rameter-s3cret}}\n";

/// A node with the release that [`ENC`] names. `/bin/false` is its Puppet: it
/// is started, and exit code 13 told, where the ENC was taken.
fn node() -> Node {
    let node = Node::new();
    node.install("foo/tags/r1", &[("foo/manifests/init.pp", "class foo(String $text) { }")]);
    node
}

fn apply(node: &Node, arguments: &[&str]) -> Ran {
    ran(&mut command(node, arguments))
}

fn command(node: &Node, arguments: &[&str]) -> Command {
    let mut command = node.command(&["apply", "--puppet", "/bin/false"]);
    command.args(arguments).env_remove("SSL_CERT_FILE").env_remove("SSL_CERT_DIR");
    for name in ["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"]
    {
        command.env_remove(name);
    }
    command
}

fn taken(ran: &Ran) {
    assert_eq!(ran.code, 13, "{ran}");
    assert!(!format!("{ran}").contains("s3cret"), "{ran}");
}

fn refused(ran: &Ran, told: &str) {
    assert_eq!(ran.code, 10, "{ran}");
    assert!(ran.stderr.contains(told), "expected {told:?}\n{ran}");
    assert!(!format!("{ran}").contains("s3cret"), "{ran}");
}

/// What the last run's record says of its ENC.
fn record(node: &Node) -> Value {
    let record = node.read("var/lib/localpuppet/last/record.json");
    serde_json::from_str::<Value>(&record).unwrap()["enc"].take()
}

fn secret_file(service: &Service, name: &str, text: &str) -> String {
    service.write(name, text);
    mode(&service.path(name), 0o600);
    service.path(name)
}

fn mode(path: &str, mode: u32) {
    std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
}

#[test]
fn a_web_service_is_believed_by_its_certificate() {
    let (node, web) = (node(), Service::web());
    web.write("document", ENC);
    let ca = web.path("ca.pem");
    let ask = |name: &str| format!("https://{}/nodes/{{certname}}", web.at(name));
    let trusting = |name: &str| apply(&node, &["--enc", &ask(name), "--enc-ca", &ca]);

    let good = apply(&node, &["--enc", &ask("good"), "--enc-ca", &ca, "--certname", "web01.x"]);
    taken(&good);
    assert!(good.stdout.contains(" --certname web01.x "), "Puppet has the name too: {good}");
    assert_eq!(web.count("/nodes/web01.x"), 1);
    let digest = localpuppet::model::digest::Sha256Digest::of(ENC).to_string();
    let source = format!("https://{}/nodes/web01.x", web.at("good"));
    assert_eq!(record(&node), json!({"source": source, "sha256": digest, "kept_since": null}));

    // The same with the real Puppet.
    let managed = node.path("managed");
    let class = format!("class foo {{ file {{ '{managed}': content => $trusted['certname'] }} }}");
    node.install("foo/tags/r2", &[("foo/manifests/init.pp", &class)]);
    web.write("document", "{app: foo/tags/r2, classes: [foo]}");
    let real = ["apply", "--enc", &ask("good"), "--enc-ca", &ca, "--certname", "web02.x"];
    let applied = node.run(&real);
    assert_eq!((applied.code, node.read("managed")), (0, "web02.x".to_owned()), "{applied}");
    web.write("document", ENC);

    // Who goes on in the background asks the same, wherever it was typed.
    let mut detached = command(&node, &["--enc", &ask("good"), "--certname", "web03.x"]);
    detached.args(["--enc-ca", "ca.pem", "--detach"]).current_dir(web.path(""));
    assert_eq!(ran(&mut detached).code, 0);
    assert_eq!(node.run(&["status", "--wait"]).code, 13);
    assert_eq!(web.count("/nodes/web03.x"), 1);

    // The system's own authorities, and the source from the environment.
    let mut command = command(&node, &[]);
    command.env("LOCALPUPPET_ENC", ask("good")).env("SSL_CERT_FILE", &ca);
    taken(&ran(&mut command));

    refused(&trusting("wrong-name"), "its certificate is for another name\n");
    refused(&trusting("expired"), "its certificate has expired\n");
    refused(&trusting("unknown"), "no authority that this node knows has signed its certificate\n");
    refused(
        &apply(&node, &["--enc", &ask("good")]),
        "hint: name the authority's certificate: `--enc-ca FILE`",
    );
    let tls_to_none = ask("plain");
    refused(&apply(&node, &["--enc", &tls_to_none, "--enc-ca", &ca]), "it does not speak TLS\n");
    assert_eq!(web.requests().len(), 4, "nothing was asked of who could not show who he is");
}

#[test]
fn a_token_and_a_client_certificate_are_shown_to_the_host_that_was_named_and_to_no_other() {
    let (node, web) = (node(), Service::web());
    web.write("document", ENC);
    let ca = web.path("ca.pem");
    let ask = |name: &str, path: &str| format!("https://{}{path}", web.at(name));
    let token = secret_file(&web, "token", "t0ken-s3cret\n");
    let with_token =
        |url: &str| apply(&node, &["--enc", url, "--enc-ca", &ca, "--enc-token-file", &token]);

    taken(&with_token(&ask("good", "/token")));
    let without = apply(&node, &["--enc", &ask("good", "/token"), "--enc-ca", &ca]);
    refused(
        &without,
        "it answers 401 Unauthorized\n  hint: give it a bearer token: `--enc-token-file FILE`",
    );
    taken(&with_token(&ask("good", "/to/good/token")));
    let told = format!("it answers 401 Unauthorized, redirected to `{}`\n", ask("other", "/token"));
    refused(&with_token(&ask("good", "/to/other/token")), &told);
    let last = web.requests().pop().unwrap();
    assert_eq!((&last["path"], &last["authorization"]), (&json!("/token?x=s3cret"), &Value::Null));
    let plain = format!("http://{}/token", web.at("plain"));
    refused(&with_token(&plain), "expected `https://` for `--enc-token-file`, found `http://");

    let (certificate, key) = (web.path("client.pem"), web.path("client.key"));
    let show = ["--enc-ca", &ca, "--enc-client-cert", &certificate, "--enc-client-key", &key];
    let with_certificate =
        |path: &str| apply(&node, &[&["--enc", &ask("mutual", path)], &show[..]].concat());
    taken(&with_certificate("/nodes/a"));
    assert_eq!(web.requests().pop().unwrap()["client"], "client");
    taken(&with_certificate("/to/other/nodes/b"));
    let last = web.requests().pop().unwrap();
    assert_eq!((&last["path"], &last["client"]), (&json!("/nodes/b?x=s3cret"), &Value::Null));
    let without = apply(&node, &["--enc", &ask("mutual", "/nodes/a"), "--enc-ca", &ca]);
    refused(&without, "it asks for another client certificate than it got\n  hint: ");

    // As ssh has it with keys.
    for file in [&token, &key] {
        mode(file, 0o640);
        let both = ["--enc", &ask("mutual", "/nodes/a"), "--enc-token-file", &token];
        let open = apply(&node, &[&both[..], &show[..]].concat());
        let told = format!("found `{file}` with mode 0640\n  hint: chmod 600 {file}\n");
        refused(&open, &told);
        mode(file, 0o600);
    }
    web.write("token", "two words\n");
    refused(&with_token(&ask("good", "/token")), "expected a token alone in `");
}

#[test]
fn what_may_help_is_tried_again_and_nothing_else() {
    let (node, web) = (node(), Service::plain());
    web.write("document", ENC);
    let ask = |path: &str, seconds: &str| {
        let url = format!("http://{}{path}", web.at("plain"));
        apply(&node, &["--enc", &url, "--enc-timeout", seconds])
    };
    taken(&ask("/flaky/2", "20"));
    assert_eq!(web.count("/flaky/2"), 3);
    taken(&ask("/busy/1", "20"));
    // One at a time asks on a node.
    let nodes = [(); 3].map(|()| self::node());
    let begin = |node: &Node, url: &str| {
        command(node, &["--enc", url, "--enc-timeout", "3"]).spawn().unwrap()
    };
    let nobody = begin(&nodes[0], "http://127.0.0.1:1/");
    let asked = [
        ("/status/503", "/status/503`: it answers 503 Service Unavailable; tried "),
        ("/cut", "/cut`: it closed the connection before its answer was whole; tried "),
    ];
    let asking = asked.iter().zip(&nodes[1..]).map(|((path, told), node)| {
        (path, told, begin(node, &format!("http://{}{path}", web.at("plain"))))
    });
    for (path, told, child) in asking.collect::<Vec<_>>() {
        let failed = ended(child);
        let count = web.count(path);
        assert!((2..=3).contains(&count), "{count}");
        refused(&failed, &format!("{told}{count} times within 3 s\n"));
    }
    let closed = ended(nobody);
    refused(&closed, " times within 3 s\n");
    refused(&closed, "Connection refused; tried ");
    refused(&ask("/busy/60", "5"), "it answers 429 Too Many Requests; tried once within 5 s\n");
    // What is left of an ENC is one all the same, with fewer classes.
    refused(&ask("/unmarked", "20"), "found neither: it may be cut off\n");
    for status in ["404", "403", "204"] {
        refused(&ask(&format!("/status/{status}"), "20"), &format!("it answers {status} "));
        assert_eq!(web.count(&format!("/status/{status}")), 1);
    }
}

#[test]
fn no_answer_is_waited_for_longer_or_read_further_than_is_allowed() {
    let (node, web) = (node(), Service::web());
    // One at a time asks on a node.
    let nodes = [(); 3].map(|()| self::node());
    let deaf = TcpListener::bind("127.0.0.1:0").unwrap();
    let deaf = format!("https://{}/", deaf.local_addr().unwrap());
    let plain = |path: &str| format!("http://{}{path}", web.at("plain"));
    let late = [plain("/drip"), plain("/stall"), deaf];
    let waiting = nodes.iter().zip(&late).map(|(node, url)| {
        let mut command = command(node, &["--enc", url, "--enc-timeout", "2"]);
        (Instant::now(), command.spawn().unwrap())
    });
    let waiting: Vec<_> = waiting.collect();
    for (start, child) in waiting {
        let output = child.wait_with_output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(told.contains("there was no whole answer in time; tried "), "{told}");
        assert!(start.elapsed() < Duration::from_secs(15), "{:?}: {told}", start.elapsed());
    }
    let ask = |url: &str| apply(&node, &["--enc", url, "--enc-timeout", "20"]);
    refused(&ask(&plain("/endless")), "expected at most 4194304 bytes, found more\n");
    refused(&ask(&plain("/long")), "expected at most 4194304 bytes, found more\n");
    refused(&ask(&plain("/loop")), "expected an answer after at most 5 redirects, found another\n");
    assert_eq!(
        web.requests()
            .iter()
            .filter(|request| request["path"].as_str().unwrap().starts_with("/loop"))
            .count(),
        6
    );

    let https = format!("https://{}/to/plain/nodes/x", web.at("good"));
    let down = apply(&node, &["--enc", &https, "--enc-ca", &web.path("ca.pem")]);
    refused(
        &down,
        &format!(
            "it redirects from https to `http://{}/nodes/x`, which anyone could answer\n",
            web.at("plain")
        ),
    );
    assert_eq!(web.count("/nodes/x?x=s3cret"), 0);
}

#[test]
fn who_waits_for_an_enc_can_end_it() {
    let (node, web) = (node(), Service::plain());
    let url = format!("http://{}/stall", web.at("plain"));
    node.write("hang", "#!/bin/sh\nsleep 60 &\necho $! > \"$0.pid\"\nwait\n");
    mode(&node.path("hang"), 0o755);
    let asked: [(String, &dyn Fn() -> bool); 2] = [
        (url, &|| web.count("/stall") == 1),
        (format!("exec:{}", node.path("hang")), &|| node.exists("hang.pid")),
    ];
    for (source, is_asked) in asked {
        let child = command(&node, &["--enc", &source]).spawn().unwrap();
        let start = Instant::now();
        while !is_asked() && start.elapsed() < Duration::from_secs(20) {
            sleep(Duration::from_millis(20));
        }
        let start = Instant::now();
        signal(child.id(), "INT");
        let output = child.wait_with_output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(15), "{told}");
        assert!(told.contains("ended by signal 2 while waiting for the ENC"), "{told}");
        assert!(start.elapsed() < Duration::from_secs(10));
        let status = node.run(&["status"]);
        assert!(status.code == 15 && status.stdout.contains("interrupted"), "{status}");
    }
    let left: u32 = node.read("hang.pid").trim().parse().unwrap();
    assert!(!crate::is_alive(left));
}

#[test]
fn user_data_is_read_by_the_second_version_of_the_service_only() {
    let node = node();
    let data = format!("#cloud-config\nusers: [x]\nlocalpuppet:\n  {}", ENC.replace('\n', "\n  "));
    let imds = Service::imds(&data);
    let ask = |source: &str| {
        let mut command = command(&node, &["--enc", source, "--enc-timeout", "20"]);
        // A proxy would be asked for its own metadata.
        command.env("http_proxy", "http://127.0.0.1:1");
        command.env("AWS_EC2_METADATA_SERVICE_ENDPOINT", format!("http://{}", imds.at("plain")));
        ran(&mut command)
    };
    taken(&ask("ec2"));
    assert_eq!(record(&node)["source"], "ec2");
    taken(&ask("ec2:localpuppet"));
    refused(
        &ask("ec2:other"),
        "line 2, column 1: expected a map with the key `other`, found none\n",
    );
    let asked = imds.requests();
    let kinds: Vec<_> = asked.iter().map(|request| request["method"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["PUT", "GET", "PUT", "GET", "PUT", "GET"]);
    assert!(asked.iter().all(|request| request["status"] == 200), "{asked:?}");

    imds.write("user-data", ENC);
    taken(&ask("ec2"));
    imds.write("user-data", &data.replace("text:", "Text:"));
    refused(
        &ask("ec2"),
        "line 5, column 19: `localpuppet.classes.foo`: expected the name of a parameter",
    );
    std::fs::remove_file(imds.path("user-data")).unwrap();
    refused(&ask("ec2"), "this instance has no user-data\n");

    // A service that has no tokens is asked for nothing else.
    let web = Service::plain();
    web.write("document", ENC);
    let endpoint = format!("http://{}", web.at("plain"));
    let mut command = command(&node, &["--enc", "ec2", "--enc-timeout", "1"]);
    refused(
        &ran(command.env("AWS_EC2_METADATA_SERVICE_ENDPOINT", endpoint)),
        "the metadata service `http://localhost:",
    );
    assert_eq!(web.requests().len(), 0);
}

#[test]
fn a_token_that_the_metadata_service_forgot_is_asked_for_again() {
    let node = node();
    let imds = Service::imds(ENC);
    imds.write("forgetful", "");
    let mut command = command(&node, &["--enc", "ec2"]);
    command.env("AWS_EC2_METADATA_SERVICE_ENDPOINT", format!("http://{}", imds.at("plain")));
    taken(&ran(&mut command));
    let statuses: Vec<_> =
        imds.requests().iter().map(|request| request["status"].clone()).collect();
    assert_eq!(statuses, [200, 401, 200, 200]);
}

#[test]
fn a_node_is_named_as_puppet_names_it() {
    let node = node();
    node.write("enc", &format!("#!/bin/sh\necho $1 > {}\n", node.path("asked")));
    mode(&node.path("enc"), 0o755);
    let hosts = "127.0.0.1 localhost\n127.0.1.1 web01.hosts.example web01\n";
    node.write("hosts", hosts);
    node.write("resolv.conf", "search Search.example b.example\n");
    let named = [
        ("Web01.Own.example", "web01.own.example"),
        ("web01", "web01.hosts.example"),
        ("Web02", "web02.search.example"),
    ];
    // The names of this machine stay as they are. Puppet is loaded once, and asked by a process of
    // its own for each name, as `puppet config print certname` asks.
    let script = "mount --bind $1/hosts /etc/hosts && mount --bind $1/resolv.conf /etc/resolv.conf && \
                  exec ruby -e \"$2\" $1 $3 $4 $5 $6";
    let ruby = "require 'puppet'; $stdout.sync = true
                root, program, *hosts = ARGV
                hosts.each do |host|
                  system('hostname', host) or abort
                  system(program, 'apply', '--root', root, '--puppet', '/bin/false',
                         '--enc', \"exec:#{root}/enc\", out: :err)
                  Process.wait(fork { Puppet.initialize_settings([]); puts Puppet[:certname] })
                  puts File.read(\"#{root}/asked\")
                end";
    let mut inside = Command::new("unshare");
    inside.args(["--uts", "--mount", "sh", "-c", script, "sh"]);
    inside.args([node.path("").trim_end_matches('/'), ruby, env!("CARGO_BIN_EXE_localpuppet")]);
    let puppet = ran(inside.args(named.map(|(host, _)| host)));
    let told = named.map(|(_, name)| format!("{name}\n{name}\n")).concat();
    assert_eq!(puppet.stdout, told, "{puppet}");
}

#[test]
fn a_program_prints_the_enc_within_bounds() {
    let node = node();
    let within = |seconds: &str, script: &str| {
        node.write("enc program", &format!("#!/bin/sh\n{script}\n"));
        mode(&node.path("enc program"), 0o755);
        let source = format!("exec:{}", node.path("enc program"));
        apply(&node, &["--enc", &source, "--certname", "web01", "--enc-timeout", seconds])
    };
    let program = |script: &str| within("20", script);
    node.write("document", ENC);
    taken(&program(&format!(
        "[ \"$#\" = 1 ] && [ \"$1\" = web01 ] && cat {}",
        node.path("document")
    )));
    let source = format!("exec:{} web01", node.path("enc program"));
    assert_eq!(record(&node)["source"], source);

    let failed = program("echo p4rameter-s3cret; echo no such node >&2; exit 3");
    refused(&failed, "web01` exited with 3\n    no such node\n");
    refused(&program("echo p4rameter-s3cret; exit 3"), "web01` exited with 3\n");
    refused(&within("1", "echo p4rameter-s3cret; sleep 60"), "did not end within 1 s\n");
    refused(&program("yes p4rameter-s3cret"), "wrote more than 4194304 bytes\n");
    refused(&program("cat"), "is refused\n  caused by: expected a map with");
    refused(&program("echo 'app: [p4rameter-s3cret'"), "is refused\n  caused by: line ");
    let absent = apply(&node, &["--enc", "exec:/nonexistent/enc"]);
    refused(&absent, "failed to start `/nonexistent/enc ");
}

#[test]
fn the_last_good_document_is_taken_where_its_source_is_away_and_that_is_allowed() {
    let (node, web) = (node(), Service::plain());
    web.write("document", ENC);
    let url = format!("http://{}/nodes/{{certname}}", web.at("plain"));
    let ask = |more: &[&str]| {
        let ask = ["--enc", &url, "--certname", "web01", "--enc-timeout"];
        apply(&node, &[&ask[..], more].concat())
    };
    taken(&ask(&["20", "--enc-cache"]));
    let good = record(&node);
    assert_eq!(good["kept_since"], Value::Null);
    node.assert_private("var/lib/localpuppet/enc");
    let kept = ran(Command::new("find").args([
        &node.path("var/lib/localpuppet/enc"),
        "-type",
        "f",
        "-printf",
        "%m %s\n",
    ]));
    assert_eq!(kept.stdout, format!("600 {}\n", ENC.len()));

    // A document that arrives and is refused is no reason to take another, and takes no other's place.
    web.write("document", "app: foo/tags/r1\nodd: s3cret\n");
    refused(&ask(&["20", "--enc-cache"]), "found `odd`");

    drop(web);
    let away = ask(&["1"]);
    refused(&away, " within 1 s\n  hint: go on with the ENC that came from there at 20");
    assert!(away.stderr.contains("`--enc-cache`\n"), "{away}");
    let other =
        apply(&node, &["--enc", &url, "--certname", "web02", "--enc-timeout", "1", "--enc-cache"]);
    refused(&other, "`--enc-cache` has no ENC of this source yet");
    let cached = ask(&["1", "--enc-cache"]);
    taken(&cached);
    let told = " within 1 s; going on with the ENC that came from there at 20";
    assert!(cached.stderr.contains("/nodes/web01`: Connection refused; tried "), "{cached}");
    assert!(cached.stderr.contains(told), "{cached}");
    let taken = record(&node);
    assert_eq!(taken["sha256"], good["sha256"]);
    assert!(taken["kept_since"].as_str().unwrap().starts_with("20"), "{taken}");
    let status = node.run(&["status"]);
    assert!(status.stdout.contains(", away; kept since 20"), "{status}");
}

#[test]
fn a_file_is_kept_and_a_pipe_is_not() {
    let node = node();
    node.write("etc/puppet/input.yaml", ENC);
    taken(&apply(&node, &[]));
    std::fs::remove_file(node.path("etc/puppet/input.yaml")).unwrap();
    taken(&apply(&node, &["--enc-cache"]));
    assert!(record(&node)["kept_since"].is_string());

    let mut shell = Command::new("bash");
    shell.args(["-c", "exec \"$@\" --enc <(printf %s \"$ENC\")", "bash"]).env("ENC", ENC);
    let command = command(&node, &[]);
    shell.arg(command.get_program()).args(command.get_args());
    shell.env("LOCALPUPPET_ROOT", node.path(""));
    taken(&ran(&mut shell));
    let kept = std::fs::read_dir(node.path("var/lib/localpuppet/enc")).unwrap();
    assert_eq!(kept.count(), 1);
}

#[test]
fn secrets_are_in_the_documents_and_nowhere_else() {
    let (node, web) = (node(), Service::web());
    web.write("document", ENC);
    let token = secret_file(&web, "token", "t0ken-s3cret\n");
    let (ca, url) = (web.path("ca.pem"), format!("https://{}/token", web.at("good")));
    let ask = [
        "--enc",
        &url,
        "--enc-ca",
        &ca,
        "--enc-token-file",
        &token,
        "--enc-cache",
        "--json",
        "--verbose",
    ];
    taken(&apply(&node, &ask));
    web.write("document", &ENC.replace("classes", "Classes"));
    refused(&apply(&node, &ask), "did you mean `classes`?");
    let password = apply(&node, &["--enc", "https://me:p4ssword-s3cret@enc.example/"]);
    assert!(password.code == 64 && !format!("{password}").contains("s3cret"), "{password}");

    let found = ran(Command::new("grep").args(["-rl", "s3cret", &node.path("var")]));
    let mut places: Vec<_> =
        found.stdout.lines().map(|line| line.rsplit('/').nth(1).unwrap()).collect();
    places.sort_unstable();
    assert_eq!((places.len(), places[1]), (2, "enc"), "{found}");
    assert!(found.stdout.contains("/enc.yaml\n"), "{found}");
    assert_eq!(ran(Command::new("grep").args(["-rl", "t0ken", &node.path("var")])).stdout, "");
}
