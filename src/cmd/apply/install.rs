//! `apply`'s first half: the release is there, and it is what it was built as.

use super::Context;
use crate::cmd::package_file::{self, PackageFile};
use crate::host::install as packages;
use crate::host::package_manager::{Site, Wanted};
use crate::host::state::Run;
use crate::host::{fs, input, release};
use crate::model::app::{AppPath, Release};
use crate::model::bundle::Bundle;
use crate::model::digest::Sha256Digest;
use crate::model::event::during;
use crate::model::exit::Exit;
use crate::model::failure::Failure;
use crate::model::package_manager::PackageManager;
use crate::model::request::Install;
use crate::model::verify::Differences;
use crate::plan::apply::{self as plan, Code, System};
use std::path::Path;

/// An os-release(5) of more than this is none.
const LARGEST_OS_RELEASE: u64 = 1 << 20;

/// Installs a release if it is not there, verifies it, and says where its code is.
pub fn installed(
    context: &Context,
    options: &Install,
    app: &AppPath,
    run: &mut Run,
) -> Result<Code, Failure> {
    let release = release_of(app)?;
    let given = options.package.as_deref();
    let given = given.map(|path| {
        let what = format!("reading `{}`", path.display());
        during(context.say, what, || Given::read(path, &release))
    });
    let given = given.transpose()?;
    let version = match &given {
        Some(given) => Some(given.file.bundle.version.clone()),
        None => plan::version(&release),
    };
    let wanted = Wanted { package: release.package_name(), version };
    run.record.package = Some(wanted.package.clone());
    run.record.version = wanted.version.clone();
    if let Some(given) = &given {
        expect_id(options.bundle_id, &given.file.bundle, &given.path)?;
    }
    let root = context.state.root();
    let bundle = match release::read(root, &release)? {
        Some(bundle) => bundle,
        None => install(context, options, &release, &wanted, given.as_ref())?,
    };
    run.record.version = Some(bundle.version.clone());
    run.record.bundle_id = Some(bundle.bundle_id);
    let directory = release::directory(root, &release);
    expect_id(given.map(|given| given.file.bundle.bundle_id), &bundle, &directory)?;
    expect_id(options.bundle_id, &bundle, &directory)?;
    verify(context, &release, &bundle)?;
    Ok(plan::code(root, &bundle))
}

/// Verifies a release that has to be there already, and says where its code is.
pub fn there(context: &Context, app: &AppPath, run: &mut Run) -> Result<Code, Failure> {
    let release = release_of(app)?;
    let root = context.state.root();
    let bundle = release::read(root, &release)?.ok_or_else(|| {
        Failure::new(format!("release `{release}` is not installed on this node any more"))
            .exit(Exit::InstallFailed)
            .hint(format!("localpuppet apply {app}"))
    })?;
    run.record.package = Some(release.package_name());
    run.record.version = Some(bundle.version.clone());
    run.record.bundle_id = Some(bundle.bundle_id);
    verify(context, &release, &bundle)?;
    Ok(plan::code(root, &bundle))
}

/// A package file of `--package`, which is the release and whole.
struct Given {
    path: String,
    file: PackageFile,
}

impl Given {
    fn read(path: &Path, release: &Release) -> Result<Self, Failure> {
        let file = package_file::open(path).map_err(|failure| failure.exit(Exit::InstallFailed))?;
        let path = input::real_path(path)?;
        if &file.bundle.app != release.path() {
            let what =
                format!("`{path}` is release `{}`, and `{release}` is asked for", file.bundle.app);
            return Err(Failure::new(what).exit(Exit::InstallFailed));
        }
        if !file.problems.is_empty() {
            return Err(Failure::new(format!("`{path}` is not as it was built"))
                .exit(Exit::NotVerified)
                .because(Differences(file.problems))
                .hint(format!("look into it: localpuppet inspect {path}")));
        }
        Ok(Given { path, file })
    }
}

fn install(
    context: &Context,
    options: &Install,
    release: &Release,
    wanted: &Wanted,
    given: Option<&Given>,
) -> Result<Bundle, Failure> {
    let site = site(context, options)?;
    let what = format!("installing {wanted} with {}", site.manager);
    match given {
        None => during(context.say, what, || packages::install(&site, wanted))?,
        Some(Given { path, file }) => {
            let (format, reads) = (file.facts.format, site.manager.format());
            if format != reads {
                let what =
                    format!("`{path}` is a .{format}, and {} installs .{reads}", site.manager);
                return Err(Failure::new(what).exit(Exit::InstallFailed));
            }
            during(context.say, what, || packages::install_file(&site, wanted, path))?;
        }
    }
    let root = context.state.root();
    release::read(root, release)?.ok_or_else(|| not_there(root, release, &site, wanted))
}

/// The same release with other content is never accepted.
fn expect_id(expected: Option<Sha256Digest>, found: &Bundle, place: &str) -> Result<(), Failure> {
    match expected.filter(|&expected| expected != found.bundle_id) {
        None => Ok(()),
        Some(expected) => {
            let (app, found) = (&found.app, found.bundle_id);
            let what =
                format!("expected bundle ID `{expected}` of `{app}`, found `{found}` in `{place}`");
            Err(Failure::new(what).exit(Exit::NotVerified))
        }
    }
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
    let root = context.state.root();
    let what = format!("verifying `{release}`");
    let differences = during(context.say, what, || release::verify(root, bundle));
    if differences.is_empty() {
        return Ok(());
    }
    let directory = release::directory(root, release);
    Err(Failure::new(format!("`{release}` is not as it was built, in `{directory}`"))
        .exit(Exit::NotVerified)
        .because(Differences(differences))
        .hint(format!("install it again: remove package `{}` first", bundle.package)))
}

fn site<'a>(context: &'a Context, options: &Install) -> Result<Site<'a>, Failure> {
    let system = System::of(&os_release(context)?);
    let manager = match options.manager {
        Some(manager) => manager,
        None => system.package_manager().map_err(|error| {
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
        lock_timeout: options.lock_timeout,
        release_version: system.release_version(),
    })
}

fn os_release(context: &Context) -> Result<String, Failure> {
    for path in ["/etc/os-release", "/usr/lib/os-release"] {
        let path = context.state.at(path);
        if let Some(text) = fs::read_bounded(Path::new(&path), LARGEST_OS_RELEASE)? {
            return Ok(String::from_utf8_lossy(&text).into_owned());
        }
    }
    Ok(String::new())
}
