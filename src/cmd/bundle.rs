//! `bundle`: resolve, walk, freeze, write.

mod again;
pub mod prepare;
mod proof;
mod write;

pub use prepare::described;

use crate::cli;
use crate::host::fs;
use crate::host::source::ModuleRoot;
use crate::model::answer::{Answer, Built};
use crate::model::event::{Say, during};
use crate::model::exit::Exit;
use crate::model::failure::Failure;
use crate::plan::formats;

/// Builds the packages of releases; all are read and checked before one is written.
pub fn run(args: &cli::Bundle, say: Say) -> Result<Answer, Failure> {
    let cache = args.sources.cache.as_deref();
    let root = ModuleRoot::open(&args.module_root, cache, args.sources.signatures())?;
    built(&root, args, say).map(Answer::Built)
}

/// Builds the packages of releases, and tells of each what there is.
pub fn built(root: &ModuleRoot, args: &cli::Bundle, say: Say) -> Result<Vec<Built>, Failure> {
    let level = args.compression_level;
    let formats = formats::choose(&args.format, args.compression, level, &args.target)?;
    if args.version.is_some() && args.apps.len() > 1 {
        return Err(Failure::new("`--version` is for one release, found several")
            .exit(Exit::Usage)
            .hint("bundle each by itself"));
    }
    let prepared = args.apps.iter().map(|app| {
        during(say, format!("reading `{app}`"), || prepare::prepare(root, app, args, say))
    });
    let prepared = prepared.collect::<Result<Vec<_>, _>>()?;
    let signer = proof::signer(args)?;
    fs::create_directory(&args.out)
        .map_err(|failure| failure.hint("name another directory: `--out DIR`"))?;
    let built = prepared.iter().map(|prepared| {
        let what = format!("packing `{}`", prepared.bundle.app);
        during(say, what, || {
            let again = match args.proof.check {
                true => Some(again::build(root, prepared, args)?),
                false => None,
            };
            let mut built = write::write(root, prepared, args, &formats, again.as_ref())?;
            if let Some(again) = &again {
                built.checked = again.varied().iter().map(|&varied| varied.to_owned()).collect();
            }
            if args.proof.provenance {
                built.proof = proof::write(prepared, &built.packages, args, signer.as_ref())?;
            }
            Ok(built)
        })
    });
    built.collect()
}
