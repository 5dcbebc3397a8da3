//! `apply --module-root`: straight from a checkout; nothing is installed, trunk is allowed.

use super::Context;
use crate::host::source::ModuleRoot;
use crate::host::state::Run;
use crate::host::{fs, input};
use crate::model::app::AppPath;
use crate::model::failure::Failure;
use crate::plan::apply::Code;
use crate::plan::resolve::{Allowed, resolve};
use std::path::Path;

/// Resolves an app in a checkout, and says where its code is.
pub fn resolved(
    context: &Context,
    directory: &Path,
    app: &AppPath,
    run: &mut Run,
) -> Result<Code, Failure> {
    let real = input::real_path(directory)?;
    run.record.module_root = Some(real.clone());
    super::fit_for_puppet("the module root", &real)?;
    let root = ModuleRoot::open(Path::new(&real))?;
    let apps = resolve(app, Allowed::Anything, |path| root.manifest(path, path != app))?;
    let modulepath: Vec<String> = apps.iter().map(|app| format!("{real}/{app}")).collect();
    let hiera = format!("{real}/{app}/hiera.yaml");
    let has_hiera = fs::kind(Path::new(&hiera))?.is_some();
    super::not_interrupted(context)?;
    Ok(Code { app: app.clone(), modulepath, hiera: has_hiera.then_some(hiera) })
}
