//! The policy of a node: what is not signed for is not installed, not for a moment.

use crate::node::{Ran, needs, ran};
use crate::repository::{Kind, Site, shell};
use crate::web::Web;
use serde_json::json;

/// Changes the package in the repository: as the same release, with a script that leaves a mark.
const HOSTILE_DEB: &str =
    "dpkg-deb -R *.deb x; printf '#!/bin/sh\\ntouch MARK\\n' > x/DEBIAN/postinst
chmod 755 x/DEBIAN/postinst; dpkg-deb --build --root-owner-group x *.deb; rm -r x";

/// The mark is below the root, where rpm runs its scripts.
const HOSTILE_RPM: &str = "cat > x.spec <<END
Name: localpuppet-foo-r1
Version: 1
Release: 1
Summary: x
License: x
BuildArch: noarch
%description
%install
mkdir x; cd x; rpm2cpio $PWD/x.rpm | cpio --quiet -id; mv usr %{buildroot}
%files
/usr/share/localpuppet/foo/r1
/usr/share/doc/localpuppet-foo-r1
%post -p <lua>
io.open('/mark', 'w'):close()
END
mv *.rpm x.rpm; rpmbuild --quiet -bb --define \"_rpmdir $PWD\" --define \"_topdir $PWD/top\" \
--define '_build_name_fmt %%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm' x.spec
rm -r x.rpm x.spec top";

/// A node with a policy and the statement for r1, whose package is in its repository.
fn with_policy(kind: Kind) -> Site {
    needs("gpg", "gpg");
    let site = Site::new(kind);
    let node = &site.node;
    node.write("m/foo/tags/r1/manifest.yaml", "");
    node.write("m/foo/tags/r1/foo/manifests/init.pp", "class foo {}\n");
    let home = node.path("gpg");
    let key = "mkdir -m 700 gpg; export GNUPGHOME=$PWD/gpg; gpg --quiet --batch --passphrase '' \
               --quick-generate-key a@example.org ed25519 sign never 2> key.log
               mkdir -p etc/localpuppet statements dist repository; \
               gpg --armor --export a@example.org > etc/localpuppet/a.asc";
    shell(key, &node.path(""));
    let (root, dist) = (node.path("m"), node.path("dist"));
    let bundle = ["bundle", "foo/tags/r1", "--module-root", &root, "--out", &dist];
    let signed = ["--format", kind.format(), "--provenance", "--sign", "a@example.org"];
    let built = ran(node.command(&[&bundle[..], &signed].concat()).env("GNUPGHOME", home));
    assert_eq!(built.code, 0, "{built}");
    let copy = "cp dist/*.provenance.json* statements; cp dist/*.FORMAT repository";
    shell(&copy.replace("FORMAT", kind.format()), &node.path(""));
    let policy = format!("keys: [a.asc]\nstatements: {}\n", node.path("statements"));
    node.write("etc/localpuppet/policy.yaml", &policy);
    site.index();
    site
}

fn hostile(kind: Kind) {
    let site = with_policy(kind);
    let node = &site.node;
    let script = [HOSTILE_DEB, HOSTILE_RPM, HOSTILE_RPM][kind as usize];
    let script = script.replace("MARK", &node.path("mark"));
    shell(&script, &site.repository);
    site.index();
    node.enc("foo/tags/r1", json!({}));
    for arguments in [&["stage", "foo/r1"][..], &["apply", "--puppet", "/bin/false"]] {
        let refused: Ran = node.run(arguments);
        assert_eq!(refused.code, 12, "{refused}");
        assert!(!node.exists("mark") && site.is_gone("r1"), "{refused}");
        let told = "is not taken by the policy `";
        let why = "it is about other packages than this one, SHA-256 ";
        assert!(refused.stderr.contains(told) && refused.stderr.contains(why), "{refused}");
    }
    let left = std::fs::read_dir(node.path("var/lib/localpuppet/packages")).unwrap();
    assert_eq!(left.count(), 0);
}

#[test]
fn no_script_of_a_package_is_run_that_apt_would_have_installed() {
    hostile(Kind::Apt);
}

#[test]
fn no_script_of_a_package_is_run_that_dnf_would_have_installed() {
    hostile(Kind::Dnf);
}

#[test]
fn no_script_of_a_package_is_run_that_zypper_would_have_installed() {
    hostile(Kind::Zypper);
}

/// The package and the statement of it are together; what was downloaded before needs no repository.
fn signed_for(kind: Kind) {
    let site = with_policy(kind);
    let node = &site.node;
    let staged = node.run(&["stage", "foo/r1"]);
    assert_eq!(staged.code, 0, "{staged}");
    assert!(site.recorded("r1").starts_with("ii") && site.is_settled(), "{staged}");
    let left = std::fs::read_dir(node.path("var/lib/localpuppet/packages")).unwrap();
    assert_eq!(left.count(), 0);
    node.enc("foo/tags/r1", json!({}));
    let applied = node.run(&["apply", "--puppet", "/bin/false"]);
    assert_eq!(applied.code, 13, "{applied}");

    if kind != Kind::Apt {
        signed_by_the_repository(kind);
    }
    let site = with_policy(kind);
    let web = Web::serve(&site.repository);
    site.know(&web.url);
    let downloaded = site.node.run(&["stage", "--download-only", "foo/r1"]);
    assert_eq!(downloaded.code, 0, "{downloaded}");
    drop(web);
    let staged = site.node.run(&["stage", "foo/r1"]);
    assert!(staged.code == 0 && site.is_settled(), "{staged}");
}

/// A signature of the repository in the .rpm makes it no other package.
fn signed_by_the_repository(kind: Kind) {
    let site = with_policy(kind);
    let (node, home) = (&site.node, site.node.path("gpg"));
    let (file, to) = (site.file("r1"), node.path("signed"));
    let publish = ["publish", &file, "--to", &to, "--sign", "a@example.org"];
    let published = ran(node.command(&publish).env("GNUPGHOME", home));
    assert_eq!(published.code, 0, "{published}");
    shell("! cmp --silent ../repository/*.rpm yum/pool/*/*.rpm", &to);
    site.know(&format!("file://{to}/yum"));
    if kind == Kind::Zypper {
        // zypper asks before it trusts a key, whatever the repository says.
        let checked = "[x]\nname=x\nenabled=1\ngpgcheck=1\nrepo_gpgcheck=1\n";
        let key = node.path("etc/localpuppet/a.asc");
        let text = format!("{checked}baseurl=file://{to}/yum\ngpgkey=file://{key}\n");
        node.write("etc/zypp/repos.d/x.repo", &text);
        let untrusted = node.run(&["stage", "foo/r1"]);
        let told = "hint: is the key of the repository trusted? `rpm --import KEY`\n";
        assert!(untrusted.code == 11 && untrusted.stderr.contains(told), "{untrusted}");
        shell(&format!("rpm --root {} --import {key}", node.path("")), "/");
    }
    let staged = node.run(&["stage", "foo/r1"]);
    assert!(staged.code == 0 && site.is_settled(), "{staged}");
}

#[test]
fn what_is_signed_for_is_installed_from_a_repository() {
    signed_for(Kind::Apt);
    signed_for(Kind::Dnf);
    signed_for(Kind::Zypper);
}
