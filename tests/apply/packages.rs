//! Releases from real repositories, installed by the real apt-get, dnf and zypper below a root.

use crate::node::{Node, Ran, needs, ran};
use crate::repository::{Kind, Site};
use rustix::fs::{FlockOperation, fcntl_lock};
use serde_json::json;
use std::fs::{File, create_dir_all, remove_dir_all};
use std::process::Command;
use std::thread::{sleep, spawn};
use std::time::{Duration, Instant};

/// Bundles a release of the app `foo` into a directory of the node; `text` makes its content.
fn bundle(node: &Node, tag: &str, text: &str, out: &str, format: &str) {
    let app = format!("foo/tags/{tag}");
    node.write(&format!("m/{app}/manifest.yaml"), "");
    let class = format!("class foo {{ notify {{ '{text}': }} }}\n");
    node.write(&format!("m/{app}/foo/manifests/init.pp"), &class);
    let (root, out) = (node.path("m"), node.path(out));
    create_dir_all(&out).unwrap();
    let built =
        node.run(&["bundle", &app, "--module-root", &root, "--out", &out, "--format", format]);
    assert_eq!(built.code, 0, "{built}");
}

fn shell(script: &str, directory: &str) -> Ran {
    let ran = ran(Command::new("sh").args(["-ec", script]).current_dir(directory));
    assert_eq!(ran.code, 0, "{script}: {ran}");
    ran
}

/// Applies a release of `foo`. The Puppet is /bin/false, so 13 says that the
/// release was installed, verified, and Puppet started.
fn apply(node: &Node, tag: &str, options: &[&str]) -> Ran {
    node.enc(&format!("foo/tags/{tag}"), json!({}));
    node.run(&[&["apply", "--puppet", "/bin/false"], options].concat())
}

const RELEASE: &str = "usr/share/localpuppet/foo";

#[test]
fn a_package_file_that_is_swapped_after_it_was_verified_is_not_installed() {
    for (kind, manager) in [(Kind::Apt, "dpkg"), (Kind::Dnf, "rpm")] {
        let site = Site::new(kind);
        site.publish("r1", "one", 2);
        site.publish("r2", "two", 2);
        let node = &site.node;
        let (given, other) = (format!("{}/given", site.repository), site.file("r2"));
        shell(&format!("cp {} {given}", site.file("r1")), &site.repository);
        // Whoever can write the file does so as soon as the package manager is called, both ways.
        let real = shell(&format!("command -v {manager}"), "/").stdout;
        let shim = format!(
            "#!/bin/sh\ncase \"$*\" in *--install*) cat {other} > {given}; cp {other} {given}.new; mv {given}.new {given};; esac\nexec {} \"$@\"\n",
            real.trim()
        );
        node.write(&format!("bin/{manager}"), &shim);
        shell(&format!("chmod +x {}", node.path(&format!("bin/{manager}"))), "/");
        let path = format!("{}:{}", node.path("bin"), std::env::var("PATH").unwrap());
        let staged = ran(node.command(&["stage", "--package", &given]).env("PATH", path));
        assert_eq!(staged.code, 0, "{kind:?}: {staged}");
        assert!(site.recorded("r1").starts_with("ii") && site.is_settled(), "{staged}");
        assert!(!site.recorded("r2").starts_with("ii"), "{staged}");
        shell(&format!("cmp {given} {other}"), "/");
        let left = std::fs::read_dir(node.path("var/lib/localpuppet/packages")).unwrap();
        assert_eq!(left.count(), 0);
    }
}

#[test]
fn a_lock_is_waited_for_once_and_leaves_no_mark() {
    // All of them wait at the same time, each on a node of its own.
    let sites = [(); 3].map(|()| {
        let site = Site::new(Kind::Apt);
        site.publish("r1", "one", 2);
        site.publish("r2", "two", 2);
        assert_eq!(site.node.run(&["stage", "foo/r1"]).code, 0);
        site
    });
    let file = sites[2].file("r2");
    let wait = |site: &Site, arguments: &[&str]| {
        let lock = File::options().write(true).open(site.node.path("var/lib/dpkg/lock-frontend"));
        let lock = lock.unwrap();
        fcntl_lock(&lock, FlockOperation::LockExclusive).unwrap();
        let start = Instant::now();
        let options = ["stage", "--package-lock-timeout", "4"];
        let held = site.node.run(&[&options, arguments].concat());
        let waited = start.elapsed();
        assert_eq!(held.code, 11, "{held}");
        assert!(held.stderr.contains("lock") || held.stdout.contains("lock"), "{held}");
        assert!((4..8).contains(&waited.as_secs()), "{waited:?}: {held}");
        assert!(site.is_settled(), "{held}");
    };
    std::thread::scope(|scope| {
        scope.spawn(|| wait(&sites[0], &["foo/r2"]));
        scope.spawn(|| wait(&sites[1], &["foo/r2", "foo/r3"]));
        scope.spawn(|| wait(&sites[2], &["--package", &file]));
    });
    let [site, ..] = &sites;
    let trunk = site.node.run(&["stage", "foo/trunk"]);
    assert!(trunk.code == 11 && trunk.stderr.contains("name a tag, `foo/tags/…`"), "{trunk}");
    let free = site.node.run(&["stage", "foo/r2"]);
    assert!(free.code == 0 && !free.stderr.contains("cut off"), "{free}");
}

#[test]
fn apt_installs_exactly_the_release_that_was_asked_for() {
    needs("apt-ftparchive", "apt-utils");
    let node = Node::new();
    let repository = node.path("repository");
    let publish = |tag: &str, text: &str| {
        bundle(&node, tag, text, "repository", "deb");
        shell("apt-ftparchive packages . > Packages", &repository);
    };
    let source = format!("deb [trusted=yes] copy:{repository} ./\n");
    node.write("etc/os-release", "ID=debian\n");
    node.write("etc/apt/sources.list", &source);

    // `1x2` is what `1.2` would find as a regular expression.
    publish("r1", "one");
    shell("mkdir x; cp *-r1_1_all.deb x", &repository);
    shell(
        "mkdir -p x/DEBIAN; printf 'Package: localpuppet-foo-1x2\\nVersion: 1.2\\nArchitecture: all\\nMaintainer: a <a@b.c>\\nDescription: x\\n' > x/DEBIAN/control; dpkg-deb --build --root-owner-group x localpuppet-foo-1x2_1.2_all.deb; rm -r x; apt-ftparchive packages . > Packages",
        &repository,
    );
    let missing = apply(&node, "1.2", &[]);
    assert_eq!(missing.code, 11, "{missing}");
    assert!(missing.stderr.contains("hint: is a repository with it configured?"), "{missing}");
    assert!(!node.read("var/lib/dpkg/status").contains("1x2"), "{missing}");

    // The index is there by now.
    let first = apply(&node, "r1", &[]);
    assert_eq!(first.code, 13, "{first}");
    assert!(!first.stderr.contains("update"), "{first}");
    assert!(node.exists(&format!("{RELEASE}/r1/bundle.json")), "{first}");
    let again = apply(&node, "r1", &[]);
    assert!(again.code == 13 && !again.stderr.contains("apt-get"), "{again}");

    // r2 is newer than the index, and another program has locks that apt-get does not wait for.
    publish("1.2", "one point two");
    publish("r2", "two");
    let lock = File::options().write(true).open(node.path("var/lib/apt/lists/lock")).unwrap();
    fcntl_lock(&lock, FlockOperation::LockExclusive).unwrap();
    let holder = spawn(move || {
        sleep(Duration::from_secs(2));
        drop(lock);
    });
    let second = apply(&node, "r2", &[]);
    holder.join().unwrap();
    assert_eq!(second.code, 13, "{second}");
    assert!(second.stderr.contains("holds the package manager's lock"), "{second}");
    assert!(node.exists(&format!("{RELEASE}/r1")) && node.exists(&format!("{RELEASE}/r2")));
    let dotted = apply(&node, "1.2", &[]);
    assert!(dotted.code == 13 && !dotted.stderr.contains("update"), "{dotted}");
    assert!(!node.read("var/lib/dpkg/status").contains("1x2"), "{dotted}");
    let lock = File::options().write(true).open(node.path("var/lib/apt/lists/lock")).unwrap();
    fcntl_lock(&lock, FlockOperation::LockExclusive).unwrap();
    let held = apply(&node, "r3", &["--package-lock-timeout", "1"]);
    assert!(held.code == 11 && held.stderr.contains("Could not get lock"), "{held}");
    let waiting = node.command(&["apply", "--puppet", "/bin/false"]).spawn().unwrap();
    sleep(Duration::from_secs(2));
    assert!(ran(Command::new("kill").arg(waiting.id().to_string())).code == 0);
    assert_eq!(waiting.wait_with_output().unwrap().status.code(), Some(15));
    drop(lock);

    // Another repository is down: told, and no reason to fail. This one is down: a failure.
    publish("r3", "three");
    node.write("etc/apt/apt.conf.d/once", "Acquire::Retries \"0\";\n");
    let down = "deb [trusted=yes] http://127.0.0.1:1/ ./\n";
    node.write("etc/apt/sources.list", &format!("{source}{down}"));
    let third = apply(&node, "r3", &[]);
    assert!(third.code == 13 && third.stderr.contains("was not refreshed whole"), "{third}");
    node.write("etc/apt/sources.list", down);
    let fourth = apply(&node, "r4", &[]);
    assert!(fourth.code == 11 && fourth.stderr.contains("127.0.0.1"), "{fourth}");

    // Files that went away behind dpkg's back.
    remove_dir_all(node.path(&format!("{RELEASE}/r1"))).unwrap();
    let gone = apply(&node, "r1", &[]);
    assert!(gone.code == 11 && gone.stderr.contains("apt-get install --reinstall"), "{gone}");
    untouched("dpkg-query", &["--show", "localpuppet-foo-r1"]);
}

#[test]
fn dnf_installs_exactly_the_release_that_was_asked_for() {
    needs("createrepo_c", "createrepo-c");
    needs("dnf", "dnf");
    let node = Node::new();
    let repository = node.path("repository");
    let publish = |tag: &str, text: &str| {
        bundle(&node, tag, text, "repository", "rpm");
        shell("createrepo_c --quiet .", &repository);
    };
    let configure = |url: &str| {
        let text = format!("[x]\nname=x\nbaseurl={url}\ngpgcheck=0\n");
        node.write("etc/yum.repos.d/x.repo", &text);
    };
    node.write("etc/os-release", "ID=almalinux\nID_LIKE=\"rhel centos\"\nVERSION_ID=9.4\n");
    configure(&format!("file://{repository}"));

    publish("r1", "one");
    let first = apply(&node, "r1", &[]);
    assert_eq!(first.code, 13, "{first}");
    assert!(first.stderr.contains("--releasever=9"), "{first}");
    let again = apply(&node, "r1", &[]);
    assert!(again.code == 13 && !again.stderr.contains("dnf"), "{again}");

    // r2 is newer than the metadata, and another dnf (we) has locks, one after the other.
    publish("r2", "two");
    let locks = ["var/lib/dnf/rpmdb_lock.pid", "var/cache/dnf/metadata_lock.pid"];
    let pid = std::process::id().to_string();
    locks.iter().for_each(|lock| node.write(lock, &pid));
    let files = locks.map(|lock| node.path(lock));
    let holder = spawn(move || {
        files.iter().for_each(|file| {
            sleep(Duration::from_secs(2));
            std::fs::remove_file(file).unwrap();
        });
    });
    let second = apply(&node, "r2", &[]);
    holder.join().unwrap();
    assert!(second.stderr.contains("holds the package manager's lock"), "{second}");
    assert_eq!(second.code, 13, "{second}");
    assert!(second.stderr.contains("--refresh"), "{second}");
    assert!(node.exists(&format!("{RELEASE}/r1")) && node.exists(&format!("{RELEASE}/r2")));

    let missing = apply(&node, "r3", &[]);
    assert_eq!(missing.code, 11, "{missing}");
    assert!(missing.stderr.contains("hint: is a repository with it configured?"), "{missing}");
    configure("http://127.0.0.1:1/");
    let down = apply(&node, "r3", &[]);
    assert!(down.code == 11 && down.stderr.contains("127.0.0.1"), "{down}");

    remove_dir_all(node.path(&format!("{RELEASE}/r1"))).unwrap();
    let gone = apply(&node, "r1", &[]);
    assert!(gone.code == 11 && gone.stderr.contains("dnf reinstall"), "{gone}");
    untouched("rpm", &["--query", "localpuppet-foo-r1"]);
}

#[test]
fn zypper_installs_exactly_the_release_that_was_asked_for() {
    let site = Site::new(Kind::Zypper);
    let node = &site.node;
    // What is asserted is what is installed.
    node.stand_in();
    site.publish("r1", "one", 2);
    node.enc("foo/tags/r1", json!({"foo": {}}));
    let first = node.run(&["apply", "--detailed-exitcodes"]);
    assert_eq!(first.code, 2, "{first}");
    let root = node.path("");
    let root = root.trim_end_matches('/');
    let zypper = format!(
        "ZYPP_LOCK_TIMEOUT=0 ZYPP_LOGFILE={root}/var/log/zypper.log zypper --non-interactive \
         --root {root} --no-refresh install --no-recommends --name localpuppet-foo-r1.noarch=1-1\n"
    );
    assert!(first.stderr.contains(&zypper), "{zypper}: {first}");
    let again = apply(node, "r1", &[]);
    assert!(again.code == 13 && !again.stderr.contains("zypper"), "{again}");

    // r2 is newer than the metadata, and other programs (we) have locks, one after the other.
    site.publish("r2", "two", 2);
    let path = node.path("run/zypp.pid");
    let found = shell("find $PWD -name .rpm.lock", &node.path("")).stdout;
    let rpm = File::options().read(true).write(true).open(found.trim()).unwrap();
    std::fs::write(&path, std::process::id().to_string()).unwrap();
    fcntl_lock(&rpm, FlockOperation::LockExclusive).unwrap();
    let holder = spawn(move || {
        sleep(Duration::from_secs(1));
        std::fs::remove_file(path).unwrap();
        sleep(Duration::from_secs(1));
        drop(rpm);
    });
    let second = apply(node, "r2", &[]);
    holder.join().unwrap();
    assert_eq!(second.code, 13, "{second}");
    assert!(second.stderr.contains("holds the package manager's lock"), "{second}");
    assert!(second.stderr.contains(" refresh\n"), "{second}");
    assert!(node.exists(&format!("{RELEASE}/r1")) && node.exists(&format!("{RELEASE}/r2")));
    node.write("run/zypp.pid", &std::process::id().to_string());
    let held = apply(node, "r3", &["--package-lock-timeout", "1"]);
    assert!(held.code == 11 && held.stderr.contains("System management is locked"), "{held}");
    assert!(!held.stderr.contains(" refresh\n") && site.is_settled(), "{held}");
    std::fs::remove_file(node.path("run/zypp.pid")).unwrap();

    // Another repository is down: told, and no reason to fail.
    site.publish("r4", "four", 2);
    node.write("etc/zypp/repos.d/y.repo", "[y]\nname=y\nenabled=1\nbaseurl=http://127.0.0.1:1/\n");
    let fourth = apply(node, "r4", &[]);
    assert!(fourth.code == 13 && fourth.stderr.contains("not refreshed whole"), "{fourth}");
    std::fs::remove_file(node.path("etc/zypp/repos.d/y.repo")).unwrap();

    // The repository has another version, and another package that provides what is asked for;
    // and then it is down.
    shell(
        "printf 'Name: localpuppet-foo-r3\\nVersion: 9\\nRelease: 1\\nSummary: x\\nLicense: MIT\\nBuildArch: noarch\\n%%description\\nx\\n%%files\\n%%package -n other\\nSummary: x\\nProvides: localpuppet-foo-r3 = 3-1\\n%%description -n other\\nx\\n%%files -n other\\n' > x.spec; rpmbuild --quiet -bb --define \"_topdir $PWD\" x.spec; createrepo_c --quiet .",
        &site.repository,
    );
    let missing = apply(node, "r3", &[]);
    assert_eq!(missing.code, 11, "{missing}");
    let hint = "hint: is a repository with it configured? `zypper search -s localpuppet-foo-r3`\n";
    assert!(missing.stderr.contains(hint), "{missing}");
    assert!(missing.stderr.contains("'localpuppet-foo-r3.noarch=3-1' not found"), "{missing}");
    assert!(site.is_gone("r3"), "{missing}");
    site.know("http://127.0.0.1:1/");
    let down = apply(node, "r3", &[]);
    assert!(down.code == 11 && down.stderr.contains("127.0.0.1"), "{down}");

    remove_dir_all(node.path(&format!("{RELEASE}/r1"))).unwrap();
    let gone = apply(node, "r1", &[]);
    assert!(gone.code == 11 && gone.stderr.contains("zypper install --force"), "{gone}");
    untouched("rpm", &["--query", "localpuppet-foo-r1"]);
}

/// A package file is installed without any repository, where it is the release that was asked for.
fn from_a_file(format: &str, manager: &str, other: &str, damage: &str) {
    let node = Node::new();
    bundle(&node, "r1", "one", "out", format);
    bundle(&node, "r1", "other", "other", format);
    bundle(&node, "r1", "one", "wrong", other);
    let file = |directory: &str| {
        let found = shell("ls $PWD/*", &node.path(directory));
        found.stdout.trim().to_owned()
    };
    let apply = |tag: &str, directory: &str| {
        apply(&node, tag, &["--package-manager", manager, "--package", &file(directory)])
    };
    let wrong = apply("r2", "out");
    assert!(wrong.code == 11 && wrong.stderr.contains("is release `foo/tags/r1`"), "{wrong}");
    let wrong = apply("r1", "wrong");
    assert!(wrong.code == 11 && wrong.stderr.contains(&format!(" is a .{other}, and ")), "{wrong}");
    shell(&format!("mkdir damaged; cp out/* damaged; {damage}"), &node.path(""));
    let damaged = apply("r1", "damaged");
    assert!([11, 12].contains(&damaged.code), "{damaged}");
    assert!(!node.exists(RELEASE));

    let installed = apply("r1", "out");
    assert_eq!(installed.code, 13, "{installed}");
    assert!(node.exists(&format!("{RELEASE}/r1/bundle.json")), "{installed}");
    let again = apply("r1", "out");
    assert!(again.code == 13 && !again.stderr.contains("running"), "{again}");
    let other = apply("r1", "other");
    assert!(other.code == 12 && other.stderr.contains("expected bundle ID"), "{other}");
}

#[test]
fn a_package_with_many_problems_is_refused_in_few_words() {
    let node = Node::new();
    bundle(&node, "r1", "one", "out", "deb");
    shell(
        "dpkg-deb --raw-extract *.deb x; cd x/usr/share/localpuppet/foo/r1; \
         seq 3000 | xargs touch; cd ../../../../../..; \
         dpkg-deb --root-owner-group -Znone --build x many.deb",
        &node.path("out"),
    );
    let file = node.path("out/many.deb");
    let refused = apply(&node, "r1", &["--package-manager", "apt", "--package", &file]);
    assert!(refused.code == 12 && refused.stderr.len() < 10_000, "{refused}");
    assert!(refused.stderr.contains("and 2980 more"), "{refused}");
    let status = node.run(&["status"]);
    assert!(status.code == 12 && status.stdout.contains("not verified"), "{status}");
}

#[test]
fn dpkg_installs_a_file() {
    from_a_file("deb", "apt", "rpm", "printf 'evil' >> damaged/*");
    untouched("dpkg-query", &["--show", "localpuppet-foo-r1"]);
}

#[test]
fn rpm_installs_a_file() {
    from_a_file(
        "rpm",
        "dnf",
        "deb",
        "printf 'evil' | dd of=$(ls damaged/*) bs=1 seek=9000 conv=notrunc 2>/dev/null",
    );
    untouched("rpm", &["--query", "localpuppet-foo-r1"]);
}

/// The packages of this machine are not those of a node below a root.
fn untouched(program: &str, arguments: &[&str]) {
    let found = ran(Command::new(program).args(arguments));
    assert_ne!(found.code, 0, "{found}");
}
