//! `apply`'s first half: the release is there, and it is what it was built as.

use super::Context;
use crate::cmd::install::{Installer, Request};
use crate::host::state::Run;
use crate::model::app::{AppPath, Release};
use crate::model::bundle::Bundle;
use crate::model::event::during;
use crate::model::exit::Exit;
use crate::model::failure::Failure;
use crate::model::request::Install;
use crate::plan::apply::{self as plan, Code};

/// Installs a release if it is not there, verifies it, and says where its code is.
pub fn installed(
    context: &Context,
    options: &Install,
    app: &AppPath,
    run: &mut Run,
) -> Result<Code, Failure> {
    let request = match options.package.as_deref() {
        None => Request::of(release_of(app)?),
        Some(path) => {
            let what = format!("reading `{}`", path.display());
            during(context.say, what, || Request::of_file(context.state, path))?.expecting(app)?
        }
    };
    run.record.package = Some(request.wanted.package.clone());
    run.record.version = request.wanted.version.clone();
    let request = request.pinned(options.bundle_id)?;
    let installed = installer(context, options).install_one(request)?;
    Ok(code(context, &installed.bundle, run))
}

/// Verifies a release that has to be there already, and says where its code is.
pub fn there(context: &Context, app: &AppPath, run: &mut Run) -> Result<Code, Failure> {
    let release = release_of(app)?;
    let offline = Install { package: None, bundle_id: None, manager: None, lock_timeout: 0 };
    run.record.package = Some(release.package_name());
    let bundle = installer(context, &offline).whole(&release)?.ok_or_else(|| {
        Failure::new(format!("release `{release}` is not installed on this node any more"))
            .exit(Exit::InstallFailed)
            .hint(format!("localpuppet apply {app}"))
    })?;
    Ok(code(context, &bundle, run))
}

fn installer<'a>(context: &Context<'a>, options: &Install) -> Installer<'a> {
    Installer {
        manager: options.manager,
        lock_timeout: options.lock_timeout,
        state: context.state,
        signals: context.signals,
        say: context.say,
    }
}

fn code(context: &Context, bundle: &Bundle, run: &mut Run) -> Code {
    run.record.version = Some(bundle.version.clone());
    run.record.bundle_id = Some(bundle.bundle_id);
    plan::code(context.state.root(), bundle)
}

fn release_of(app: &AppPath) -> Result<Release, Failure> {
    Release::of(app).map_err(|error| {
        Failure::new(error.to_string())
            .hint("apply a tag, as in `foo/tags/r1`, or a checkout with `--module-root DIR`")
    })
}
