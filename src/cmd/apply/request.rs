//! What was typed, as the request of a run: paths absolute, stdin read.

use crate::cli::{Apply, RunOptions};
use crate::host::input;
use crate::host::state::State;
use crate::model::digest::Sha256Digest;
use crate::model::enc;
use crate::model::exit::Exit;
use crate::model::failure::Failure;
use crate::model::request::{CodeFrom, Disabled, EncFrom, Install, Keep, Request};
use crate::model::run::{DetailedExit, Mode, Record};
use std::path::{Path, PathBuf};

/// The request of `apply`, and the ENC that came through stdin.
pub fn of(args: &Apply, state: &State) -> Result<(Request, Option<Vec<u8>>), Failure> {
    let (enc, document) = match &args.enc {
        None => (EncFrom::File(PathBuf::from(state.at("/etc/puppet/input.yaml"))), None),
        Some(path) if path == Path::new("-") => {
            let text = input::read(path, enc::LARGEST);
            let text = text.map_err(|failure| failure.exit(Exit::EncRefused))?;
            (EncFrom::Stdin { sha256: Sha256Digest::of(&text) }, Some(text))
        }
        Some(path) => (EncFrom::File(input::absolute(path)?), None),
    };
    let absolute = |path: &Option<PathBuf>| path.as_deref().map(input::absolute).transpose();
    let code = match absolute(&args.module_root)? {
        Some(root) => CodeFrom::Checkout(root),
        None => CodeFrom::Release(Install {
            package: absolute(&args.package)?,
            bundle_id: args.bundle_id,
            manager: args.package_manager,
            lock_timeout: args.package_lock_timeout,
        }),
    };
    let mut request = with(&args.run, enc, code)?;
    request.app = super::asked(args);
    Ok((request, document))
}

/// The request of `rollback`: what an earlier run applied, with its ENC, and no network.
pub fn rollback_request(options: &RunOptions, target: &Record) -> Result<Request, Failure> {
    let mut request = with(options, EncFrom::Run(target.id.clone()), CodeFrom::Installed)?;
    request.app = target.app.clone();
    Ok(request)
}

fn with(options: &RunOptions, enc: EncFrom, code: CodeFrom) -> Result<Request, Failure> {
    let puppet = options.puppet.as_deref().map(input::absolute).transpose()?;
    Ok(Request {
        app: None,
        enc,
        code,
        mode: if options.noop { Mode::Noop } else { Mode::Apply },
        detailed_exitcodes: match options.detailed_exitcodes {
            true => DetailedExit::Yes,
            false => DetailedExit::No,
        },
        puppet,
        wait_lock: options.wait_lock,
        disabled: if options.ignore_disabled { Disabled::Ignored } else { Disabled::Honoured },
        keep: Keep { runs: options.keep_runs, days: options.keep_days },
    })
}
