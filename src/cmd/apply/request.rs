//! What was typed, as the request of a run: paths absolute, stdin read.

use crate::cli::{Apply, EncOptions, RunOptions};
use crate::host::input;
use crate::host::state::State;
use crate::model::digest::Sha256Digest;
use crate::model::enc;
use crate::model::enc_source::EncSource;
use crate::model::exit::Exit;
use crate::model::failure::Failure;
use crate::model::request::{
    Cache, Check, Checkout, CodeFrom, Disabled, EncFrom, EncRequest, Install, Keep, Request,
};
use crate::model::run::{DetailedExit, Mode, Record};
use std::path::{Path, PathBuf};

/// The request of `apply`, and the ENC that came through stdin.
pub fn of(args: &Apply, state: &State) -> Result<(Request, Option<Vec<u8>>), Failure> {
    refuse_pipe(args)?;
    let (enc, document) = match &args.enc.source {
        Some(EncSource::Stdin) => {
            let text = input::read(Path::new("-"), enc::LARGEST);
            let text = text.map_err(|failure| failure.exit(Exit::EncRefused))?;
            (EncFrom::Stdin { sha256: Sha256Digest::of(&text) }, Some(text))
        }
        _ => (EncFrom::Source(Box::new(source(&args.enc, state)?)), None),
    };
    let code = match absolute(&args.module_root)? {
        Some(module_root) => CodeFrom::Checkout(Checkout {
            module_root,
            cache: absolute(&args.sources.cache)?,
            signatures: args.sources.signatures(),
        }),
        None => CodeFrom::Release(Install {
            package: absolute(&args.package)?,
            bundle_id: args.bundle_id,
            manager: args.packages.package_manager,
            lock_timeout: args.packages.package_lock_timeout,
        }),
    };
    let mut request = with(&args.run, enc, code)?;
    request.app = super::asked(args);
    request.plan = args.plan;
    Ok((request, document))
}

/// A pipe is read by who has it, not by the process that goes on with a detached run.
fn refuse_pipe(args: &Apply) -> Result<(), Failure> {
    match &args.enc.source {
        Some(source @ EncSource::File(path)) if args.run.detach && source.is_passing() => {
            let what = format!("`{}` cannot be read by a detached run", path.display());
            Err(Failure::new(what)
                .exit(Exit::EncRefused)
                .hint("hand it in through stdin: `--enc - < FILE`"))
        }
        _ => Ok(()),
    }
}

fn source(options: &EncOptions, state: &State) -> Result<EncRequest, Failure> {
    Ok(EncRequest {
        source: match &options.source {
            None => EncSource::File(PathBuf::from(state.at("/etc/puppet/input.yaml"))),
            Some(EncSource::File(path)) => EncSource::File(input::absolute(path)?),
            Some(source) => source.clone(),
        },
        token_file: absolute(&options.token_file)?,
        client_cert: absolute(&options.client_cert)?,
        client_key: absolute(&options.client_key)?,
        ca: absolute(&options.ca)?,
        timeout: options.timeout,
        cache: if options.cache { Cache::Allowed } else { Cache::Refused },
        ec2_metadata: options.ec2_metadata_endpoint.clone(),
    })
}

fn absolute(path: &Option<PathBuf>) -> Result<Option<PathBuf>, Failure> {
    path.as_deref().map(input::absolute).transpose()
}

/// The request of `rollback`: what an earlier run applied, with its ENC, and no network.
pub fn rollback_request(options: &RunOptions, target: &Record) -> Result<Request, Failure> {
    let mut request = with(options, EncFrom::Run(target.id.clone()), CodeFrom::Installed)?;
    request.app = target.app.clone();
    Ok(request)
}

fn with(options: &RunOptions, enc: EncFrom, code: CodeFrom) -> Result<Request, Failure> {
    let puppet = absolute(&options.puppet)?;
    Ok(Request {
        app: None,
        certname: options.certname.clone(),
        enc,
        code,
        plan: None,
        mode: if options.noop { Mode::Noop } else { Mode::Apply },
        detailed_exitcodes: match options.detailed_exitcodes {
            true => DetailedExit::Yes,
            false => DetailedExit::No,
        },
        puppet,
        wait_lock: options.wait_lock,
        disabled: if options.ignore_disabled { Disabled::Ignored } else { Disabled::Honoured },
        check: if options.no_check { Check::Skipped } else { Check::Wanted },
        keep: Keep { runs: options.keep_runs, days: options.keep_days },
    })
}
