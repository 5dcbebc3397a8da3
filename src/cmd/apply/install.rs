//! `apply`'s first half: the release is there, and it is what it was built as.

use super::Context;
use crate::host::package_manager::{self as packages, Site, Wanted};
use crate::host::state::Run;
use crate::host::{input, release};
use crate::model::app::{AppPath, Release};
use crate::model::bundle::Bundle;
use crate::model::exit::Exit;
use crate::model::failure::Failure;
use crate::model::package_manager::PackageManager;
use crate::model::verify::Differences;
use crate::plan::apply::{self as plan, Code};
use std::io;
use std::path::Path;

/// An os-release(5) of more than this is none.
const LARGEST_OS_RELEASE: u64 = 1 << 20;

/// Installs a release if it is not there, verifies it, and says where its code is.
pub fn installed(context: &Context, app: &AppPath, run: &mut Run) -> Result<Code, Failure> {
    let release = release_of(app)?;
    let wanted = Wanted { package: release.package_name(), version: plan::version(&release) };
    run.record.package = Some(wanted.package.clone());
    run.record.version = wanted.version.clone();
    let root = context.state.root();
    if let Some(file) = &context.args.package {
        return Err(Failure::new(format!("`--package {}` is not built yet", file.display())));
    }
    let bundle = match release::read(root, &release)? {
        Some(bundle) => bundle,
        None => {
            let site = site(context)?;
            packages::install(&site, &wanted)?;
            release::read(root, &release)?
                .ok_or_else(|| not_there(root, &release, &site, &wanted))?
        }
    };
    run.record.version = Some(bundle.version.clone());
    run.record.bundle_id = Some(bundle.bundle_id);
    verify(context, &release, &bundle)?;
    Ok(plan::code(root, &bundle))
}

fn release_of(app: &AppPath) -> Result<Release, Failure> {
    Release::of(app).map_err(|error| {
        Failure::new(error.to_string())
            .hint("apply a tag, as in `foo/tags/r1`, or a checkout with `--module-root DIR`")
    })
}

/// Both managers keep a package for installed whose files were taken away.
fn not_there(root: &str, release: &Release, site: &Site, wanted: &Wanted) -> Failure {
    let reinstall = match site.manager {
        PackageManager::Apt => "apt-get install --reinstall",
        PackageManager::Dnf => "dnf reinstall",
    };
    let directory = release::directory(root, release);
    Failure::new(format!(
        "{} has {wanted} as installed, but `{directory}` is not there",
        site.manager
    ))
    .exit(Exit::InstallFailed)
    .hint(format!("{reinstall} {}", wanted.package))
}

fn verify(context: &Context, release: &Release, bundle: &Bundle) -> Result<(), Failure> {
    let found = bundle.bundle_id;
    if let Some(expected) = context.args.bundle_id.filter(|&expected| expected != found) {
        let what = format!("expected bundle ID `{expected}` of `{release}`, found `{found}`");
        return Err(Failure::new(what).exit(Exit::NotVerified));
    }
    let differences = release::verify(context.state.root(), bundle);
    if differences.is_empty() {
        return Ok(());
    }
    let directory = release::directory(context.state.root(), release);
    Err(Failure::new(format!("`{release}` is not as it was built, in `{directory}`"))
        .exit(Exit::NotVerified)
        .because(Differences(differences))
        .hint(format!("install it again: remove package `{}` first", bundle.package)))
}

fn site<'a>(context: &'a Context) -> Result<Site<'a>, Failure> {
    let os_release = os_release(context)?;
    let manager = match context.args.package_manager {
        Some(manager) => manager,
        None => plan::package_manager(&os_release).map_err(|error| {
            Failure::new("failed to find out this node's package manager")
                .exit(Exit::InstallFailed)
                .because(error)
                .hint("say it: `--package-manager apt` or `--package-manager dnf`")
        })?,
    };
    Ok(Site {
        manager,
        state: context.state,
        signals: context.signals,
        say: context.say,
        lock_timeout: context.args.package_lock_timeout,
        release_version: plan::release_version(&os_release),
    })
}

fn os_release(context: &Context) -> Result<String, Failure> {
    for path in ["/etc/os-release", "/usr/lib/os-release"] {
        let path = context.state.at(path);
        match input::read(Path::new(&path), LARGEST_OS_RELEASE) {
            Ok(text) => return Ok(String::from_utf8_lossy(&text).into_owned()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                return Err(Failure::new(format!("failed to read `{path}`")).because(error));
            }
        }
    }
    Ok(String::new())
}
