//! `apply --module-root`: straight from a checkout; nothing is installed, trunk is allowed.

use super::Context;
use super::check::check;
use super::enc::Call;
use crate::host::source::ModuleRoot;
use crate::host::state::Run;
use crate::host::{fs, input, interface};
use crate::model::app::{AppPath, searched};
use crate::model::event::Event;
use crate::model::failure::Failure;
use crate::model::request::Checkout;
use crate::plan::apply::Code;
use crate::plan::resolve::{Allowed, resolve};
use std::path::Path;

/// Resolves an app in a checkout, checks the call of it, and says where its code is.
pub fn resolved(
    context: &Context,
    checkout: &Checkout,
    app: &AppPath,
    call: &Call,
    run: &mut Run,
) -> Result<Code, Failure> {
    ModuleRoot::must_be(&checkout.module_root)?;
    let real = input::real_path(&checkout.module_root)?;
    run.record.module_root = Some(real.clone());
    super::fit_for_puppet("the module root", &real)?;
    let cache = checkout.cache.as_deref();
    let root = ModuleRoot::open(Path::new(&real), cache, checkout.signatures)?;
    let manifest_of = |path: &AppPath| root.manifest(path, path != app);
    let apps = resolve(app, Allowed::Anything, |_| vec![], manifest_of)?;
    root.away().into_iter().for_each(|text| (context.say)(Event::Warning { text }));
    let code = code(&root, app, &apps)?;
    let interface = || interface::read(&root.directories(&apps)?);
    check(context, app, call, interface, run)?;
    super::not_interrupted(context)?;
    Ok(code)
}

/// The code of an app in a checkout, as Puppet is told of it.
pub fn code(root: &ModuleRoot, app: &AppPath, apps: &[AppPath]) -> Result<Code, Failure> {
    let searched = searched(apps, |app| app).into_iter();
    let modulepath = searched.map(|app| directory(root, app));
    let modulepath = modulepath.collect::<Result<Vec<_>, _>>()?;
    let hiera = format!("{}/hiera.yaml", directory(root, app)?);
    let has_hiera = fs::kind(Path::new(&hiera))?.is_some();
    Ok(Code { app: app.clone(), modulepath, hiera: has_hiera.then_some(hiera) })
}

/// Where an app path is, of the module root or of the cache.
fn directory(root: &ModuleRoot, app: &AppPath) -> Result<String, Failure> {
    let directory = root.app(app)?.into_os_string().into_string();
    let directory =
        directory.map_err(|_| Failure::new("the cache has a path that is not UTF-8"))?;
    super::fit_for_puppet("the directory", &directory)?;
    Ok(directory)
}
