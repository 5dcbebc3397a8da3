//! The pages of a repository: what they tell, that their links lead somewhere, and that
//! what they say to type works.

use crate::node::{Client, Server, Source, needs, ran, shell};
use crate::{Bench, R1, ok};
use std::fs;
use std::path::Path;

/// Two releases whose second one takes less.
fn bench() -> Bench {
    let bench = Bench::new();
    let write = |path: &str, text: &str| {
        let path = bench.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    for (tag, stated) in [("r1", "String $owner"), ("r2", "Enum['a', '<b>'] $owner = 'a'")] {
        let class = format!(
            "# Serves <things> & more\n#\n# @param owner Whose\nclass web({stated}) {{ }}\n"
        );
        write(&format!("modules/web/tags/{tag}/web/manifests/init.pp"), &class);
        let metadata = format!("{{\"name\": \"me-web\", \"version\": \"1.0.{tag}\"}}");
        write(&format!("modules/web/tags/{tag}/web/metadata.json"), &metadata);
        write(&format!("modules/web/tags/{tag}/manifest.yaml"), "modulepath: [dist/tags/r7]\n");
    }
    write("modules/dist/tags/r7/base/manifests/init.pp", "class base { }\n");
    let apps = ["web/tags/r1", "web/tags/r2", "--module-root", "modules", "--out", "out"];
    ok(&bench.run(&[&["bundle"][..], &apps].concat()));
    bench
}

/// What a path below the repository has, without what differs from run to run.
fn page(bench: &Bench, path: &str) -> String {
    let text = fs::read_to_string(bench.path("repository").join(path)).unwrap();
    let (_, body) = text.split_once("<body>\n").unwrap();
    let day = body.split(|c: char| !c.is_ascii_digit() && c != '-').find(|word| is_day(word));
    day.map_or(body.to_owned(), |day| body.replace(day, "DAY"))
}

fn is_day(word: &str) -> bool {
    word.len() == 10 && word.starts_with("20") && word.split('-').count() == 3
}

#[test]
fn pages_tell_what_there_is_and_what_changed_whatever_the_order_of_publishing() {
    let bench = bench();
    ok(&bench.publish("web-r2", &["--url", "https://packages.example.org/puppet/"]));
    ok(&bench.publish("web-r1", &[]));
    ok(&bench.publish("foo-r1", &[]));
    for (path, expected) in [
        ("index.html", snapbox::file!["pages/index.html"]),
        ("releases/web.html", snapbox::file!["pages/web.html"]),
        ("releases/localpuppet-web-r2/2.html", snapbox::file!["pages/web-r2.html"]),
    ] {
        snapbox::assert_data_eq!(page(&bench, path), expected.raw());
    }
    every_link_leads_somewhere(&bench.path("repository"));

    let prune = ["publish", "--prune", "--to", "repository", "--keep", "1", "--min-days", "0"];
    ok(&bench.run(&prune));
    // The lower version, and with it all that was told of it.
    assert!(!bench.path("repository/releases/localpuppet-web-r1/1.html").exists());
    let list = page(&bench, "releases/web.html");
    assert!(list.contains("web/tags/r2") && !list.contains("web/tags/r1"), "{list}");
    every_link_leads_somewhere(&bench.path("repository"));

    ok(&bench.run(&[&prune[..5], &["0", "--min-days", "0"]].concat()));
    assert!(!bench.path("repository/releases/web.html").exists());
    assert_eq!(shell(&bench.path("repository/releases"), "find . -type f"), "./.apps.json\n");
    ok(&bench.publish("foo-r2", &[]));
    assert!(page(&bench, "releases/foo.html").contains("foo/tags/r2"));
}

/// Follows every link of every page.
fn every_link_leads_somewhere(repository: &Path) {
    let pages = shell(repository, "find . -name '*.html'");
    let mut links = 0;
    for page in pages.lines().map(|page| repository.join(page)) {
        let text = fs::read_to_string(&page).unwrap();
        for link in text.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(page.parent().unwrap().join(link).is_file(), "{}: {link}", page.display());
            links += 1;
        }
    }
    assert!(links > 10, "{links} links");
}

#[test]
fn what_the_page_says_to_type_makes_a_node_use_the_repository() {
    needs(&[("dnf", "dnf"), ("curl", "curl")]);
    let bench = bench();
    bench.key("release", "ed25519", "", "never");
    fs::create_dir(bench.path("repository")).unwrap();
    let server = Server::of(&bench.path("repository"));
    ok(&bench.publish("", &["--sign", "release@example.org", "--url", &server.url]));
    let index = fs::read_to_string(bench.path("repository/index.html")).unwrap();
    let typed = |id: &str| {
        let (_, rest) = index.split_once(&format!("<pre id=\"{id}\">")).unwrap();
        let text = rest.split_once("</pre>").unwrap().0;
        text.replace("&#39;", "'").replace("&gt;", ">").replace("&amp;", "&")
    };
    let source = Source { url: &server.url, key: None };

    let apt = Client::apt(&bench.path("apt"), &source);
    fs::remove_file(bench.path("apt/etc/apt/sources.list")).unwrap();
    let root = bench.path("apt").display().to_string();
    let lines = typed("apt").replace("/etc/apt/", &format!("{root}/etc/apt/"));
    shell(&bench.path("apt"), &format!("mkdir etc/apt/sources.list.d\n{lines}"));
    ok(&apt.apt_get(&["update"]));
    ok(&apt.apt_get(&["-y", "install", "localpuppet-foo-r1"]));
    assert!(apt.installed(R1));

    let dnf = Client::rpm(&bench.path("dnf"), &source);
    fs::remove_file(bench.path("dnf/repos/x.repo")).unwrap();
    let lines = typed("dnf").replace("/etc/yum.repos.d", "repos");
    shell(&bench.path("dnf"), &lines);
    ok(&dnf.dnf(&["makecache"]));
    ok(&dnf.dnf(&["install", "localpuppet-foo-r1"]));
    assert!(dnf.installed(R1));
}

#[test]
fn a_page_tells_of_the_bundle_that_was_published_and_of_no_other() {
    let (bench, other) = (Bench::new(), Bench::new());
    shell(other.directory.path(), "rm out/*r1*");
    other.bundle("foo/tags/r1", "other");
    ok(&bench.publish("r1", &[]));
    ok(&other.publish("r1", &[]));
    let told = bench.path("repository/releases/localpuppet-foo-r1");
    let theirs = other.path("repository/releases/localpuppet-foo-r1");
    let page = || fs::read_to_string(told.join("1.html")).unwrap();
    let before = page();
    assert!(before.contains("Modulepath"));
    // Somebody told of another bundle, and was not the first to enter it.
    let own = shell(&told, "ls *.gz");
    shell(&theirs, &format!("cp *.gz {}", told.display()));
    ok(&bench.publish("r1", &[]));
    assert_eq!(page(), before);
    // What has the name of the one and is the other is not shown.
    for name in own.lines() {
        let kind = name.split_once('.').unwrap().1;
        shell(&theirs, &format!("cp *.{kind} {}/{name}", told.display()));
    }
    ok(&bench.publish("r1", &[]));
    assert!(!page().contains("Modulepath"));
    ok(&bench.run(&["publish", "--prune", "--to", "repository"]));
    assert_eq!(shell(&told, "ls *.gz"), own);
}

#[test]
fn lists_and_pages_that_are_lost_or_damaged_are_made_again() {
    let bench = bench();
    ok(&bench.publish("web", &[]));
    ok(&bench.publish("foo", &[]));
    let repository = bench.path("repository");
    for damage in [
        "echo '{\"schema\":9' > releases/web.json",
        "echo > releases/.apps.json",
        "rm releases/web.json",
        "rm releases/.apps.json releases/*.json; rm -r releases/*.html index.html",
    ] {
        shell(&repository, "rm -rf ../before; cp -r . ../before");
        shell(&repository, damage);
        ok(&bench.publish("web-r2", &[]));
        shell(
            &repository,
            "diff -r ../before/releases releases; cmp ../before/index.html index.html",
        );
    }
}

/// Two tags may be one version, and a path may have many snapshots.
#[test]
fn releases_that_look_alike_have_a_page_each() {
    let bench = Bench::new();
    shell(bench.directory.path(), "rm -r modules");
    bench.bundle("foo/tags/v1", "one");
    for (time, class) in [("1700000000", "first"), ("1800000000", "second")] {
        let manifests = bench.path("modules/foo/trunk/foo/manifests");
        fs::create_dir_all(&manifests).unwrap();
        fs::write(manifests.join("init.pp"), format!("class foo::{class} {{ }}\n")).unwrap();
        fs::write(bench.path("modules/foo/trunk/manifest.yaml"), "").unwrap();
        let arguments = ["bundle", "foo/trunk", "--snapshot", "--module-root", "modules"];
        let mut command = bench.command(&[&arguments[..], &["--out", "out"]].concat());
        ok(&ran(command.env("SOURCE_DATE_EPOCH", time)));
    }
    ok(&bench.publish("-r1", &[]));
    ok(&bench.publish("-v1", &[]));
    ok(&bench.publish("trunk", &["--allow-snapshots"]));
    every_link_leads_somewhere(&bench.path("repository"));
    let pages = bench.path("repository/releases/localpuppet-foo-trunk");
    for class in ["first", "second"] {
        let told = shell(&pages, &format!("grep -l '<h3><code>foo::{class}<' *.html | wc -l"));
        assert_eq!(told.trim(), "1", "{class}");
    }
}

/// What was pruned once is no work for those who prune later, who end what was left.
#[test]
fn pages_of_what_was_pruned_before_are_left_alone() {
    let bench = bench();
    ok(&bench.publish("foo", &[]));
    ok(&bench.publish("web", &[]));
    let prune = ["publish", "--prune", "--to", "repository", "--min-days", "0", "--keep"];
    ok(&bench.run(&[&prune[..], &["1"]].concat()));
    let repository = bench.path("repository");
    shell(&repository, "cp -r releases ../before");
    // Somebody was killed between the list and the rest.
    shell(&repository, "echo > releases/foo.html; echo > releases/localpuppet-foo-r1/1.html");
    let command = bench.command(&[&prune[..], &["1"]].concat());
    let mut traced = std::process::Command::new("strace");
    traced.args(["-f", "-qq", "-e", "trace=unlink,unlinkat", "-e", "status=failed"]);
    traced.arg(command.get_program()).args(command.get_args()).current_dir(bench.path(""));
    let said = ran(&mut traced);
    ok(&said);
    assert!(!said.text.contains("/releases/"), "{said}");
    shell(&repository, "diff -r ../before releases");
}

#[test]
fn a_package_of_an_older_localpuppet_is_published_and_told_of_as_far_as_it_goes() {
    let bench = bench();
    let old = "
        dpkg-deb -R out/localpuppet-web-r1_1_all.deb old; cd old/usr/share/localpuppet/web/r1
        rm interface.json; sed -i '/\"interface\": {/,/  },/d' bundle.json
        cd ../../../../..; rm DEBIAN/md5sums; dpkg-deb --root-owner-group -b . ../old.deb";
    shell(&bench.path(""), old);
    ok(&bench.run(&["publish", "--to", "repository", "old.deb"]));
    ok(&bench.publish("web-r2_", &[]));
    ok(&bench.run(&["promote", "repository", "--to", "live"]));
    for page in ["repository", "live"]
        .map(|name| bench.path(name).join("releases/localpuppet-web-r1/1.html"))
    {
        let page = fs::read_to_string(page).unwrap();
        assert!(page.contains("Modulepath") && page.contains("<td>web<td>1.0.r1"), "{page}");
        assert!(!page.contains("Classes"), "{page}");
    }
    assert!(page(&bench, "releases/localpuppet-web-r2/2.html").contains("Classes"));
}
