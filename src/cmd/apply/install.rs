//! `apply`'s first half: the release is there, and it is what it was built as.

use super::Context;
use super::check::check;
use super::enc::Call;
use crate::cmd::install::{Installer, Request};
use crate::cmd::instead;
use crate::host::release;
use crate::host::state::Run;
use crate::model::app::{AppPath, Release};
use crate::model::bundle::Bundle;
use crate::model::event::during;
use crate::model::exit::Exit;
use crate::model::failure::Failure;
use crate::model::request::Install;
use crate::model::subject::release_at_end;
use crate::model::version::Version;
use crate::plan::apply::{self as plan, Code};

/// Installs a release if it is not there, verifies it, checks the call of it, and says where its
/// code is.
pub fn installed(
    context: &Context,
    options: &Install,
    app: &AppPath,
    call: &Call,
    run: &mut Run,
) -> Result<Code, Failure> {
    let request = match options.package.as_deref() {
        None => Request::of(release_of(context, app)?),
        Some(path) => {
            let what = format!("reading `{}`", path.display());
            let leave_out = |release: &Release| {
                format!("is it a release? leave `--package` out: localpuppet apply {release}")
            };
            during(context.say, what, || Request::of_file(context.state, path))
                .map_err(|failure| instead::of_package(failure, path, leave_out))?
                .expecting(app)
                .map_err(|failure| {
                    failure.hint(format!("name the package of `{app}`: `--package FILE`"))
                })?
        }
    };
    run.record.package = Some(request.wanted.package.clone());
    run.record.version = request.wanted.version.clone();
    let request = request.pinned(options.bundle_id)?.honouring_policy(context.state)?;
    // A package file says it before it is installed; older ones do not.
    let known = request.interface().and_then(Result::ok);
    let is_known = known.is_some();
    if let Some(interface) = known {
        check(context, app, call, || Ok(interface), run)?;
    }
    let bundle = installer(context, options).install_one(request)?.bundle;
    if !is_known {
        check(context, app, call, || release::interface(context.state.root(), &bundle), run)?;
    }
    Ok(code(context, &bundle, run))
}

/// The same of a release that has to be there already.
pub fn there(
    context: &Context,
    app: &AppPath,
    call: &Call,
    run: &mut Run,
) -> Result<Code, Failure> {
    let release = release_of(context, app)?;
    let offline = Install { package: None, bundle_id: None, manager: None, lock_timeout: 0 };
    run.record.package = Some(release.package_name());
    let bundle = installer(context, &offline).whole(&release)?.ok_or_else(|| {
        Failure::new(format!("release `{release}` is not installed on this node any more"))
            .exit(Exit::InstallFailed)
            .hint(context.state.typed(&format!("apply {app}")))
    })?;
    check(context, app, call, || release::interface(context.state.root(), &bundle), run)?;
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

fn release_of(context: &Context, app: &AppPath) -> Result<Release, Failure> {
    Release::of(app).map_err(|error| {
        let failure = Failure::new(error.to_string());
        match Version::latest(&release::tags(context.state.root(), app)) {
            Some(tag) => failure.hint(format!("name one of its tags: `{app}/tags/{tag}`")),
            None => match long(app) {
                Some(release) => failure.hint(format!("did you mean `{release}`?")),
                None => failure.hint(
                    "apply a tag, as in `foo/tags/r1`, or a checkout with `--module-root DIR`",
                ),
            },
        }
    })
}

/// The release that the command line takes `foo/r1` for, and a node's document does not.
fn long(app: &AppPath) -> Option<Release> {
    match app.as_str().split_once('/') {
        Some((name, tag)) if name != "tags" && !tag.contains('/') => release_at_end(app.as_str()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn short_is_a_tag_after_a_name() {
        let long = |text: &str| super::long(&text.parse().unwrap()).map(|it| it.to_string());
        assert_eq!(long("foo/r1").as_deref(), Some("foo/tags/r1"));
        assert_eq!(long("foo/1.0-rc1").as_deref(), Some("foo/tags/1.0-rc1"));
        for other in ["foo", "team/foo", "tags/r1", "foo/tag/r1", "foo/trunk"] {
            assert_eq!(long(other), None, "{other}");
        }
    }
}
