//! `preview`: what a release would change on this node, beside what is applied; nothing is changed.

mod code;
mod compile;

use super::instead;
use crate::cli;
use crate::host::state::State;
use crate::host::{input, process::Signals, puppet};
use crate::model::answer::Answer;
use crate::model::app::{AppPath, Release};
use crate::model::catalog::{Catalog, changes, is_regrouped, is_reordered};
use crate::model::certname::Certname;
use crate::model::enc::{self, Enc};
use crate::model::event::{Say, during};
use crate::model::exit::Exit;
use crate::model::failure::Failure;
use crate::model::preview::{Against, Preview};
use crate::model::request::CodeFrom;
use crate::model::run::Record;
use crate::model::run_id::RunId;
use crate::plan::history;
use code::Found;
use compile::{Compiled, Compiler};
use std::path::{Path, PathBuf};

/// Compiles the catalog of a release and that of what is applied, and compares them.
pub fn run(args: &cli::Preview, say: Say) -> Result<Answer, Failure> {
    let state = State::of(&args.node.root)?;
    let enc = read(args, &state)?;
    let app = args.app.clone().or_else(|| enc.app.clone()).ok_or_else(|| {
        Failure::new("the ENC names no app")
            .exit(Exit::EncRefused)
            .hint(format!("name it: `{}`", state.typed("preview foo/tags/r1 --enc FILE")))
    })?;
    let found = code::wanted(args, &state, &app)?;
    let before = before(args, &state, &enc)?;
    let signals = Signals::catch()?;
    let program = puppet::find(args.puppet.as_deref())?;
    let what = format!("compiling the catalog of `{}`", found.code.app);
    let (after, old) = during(say, what, || {
        let run = before.as_ref().and_then(|before| before.certname.clone());
        let certname = args.certname.clone().or(run);
        let compiler = Compiler { program: &program, certname, signals: &signals };
        // One after the other: who waits for a program hears of the end of any.
        let old = before.as_ref().map(|old| compiler.compile(&old.found, &old.enc));
        (compiler.compile(&found, &enc), old)
    });
    let old = old.transpose().map_err(|failure| {
        let of = before.as_ref().map_or(String::new(), |before| before.found.code.app.to_string());
        let what = format!("what `{of}` would do now is not known");
        Failure::new(what).exit(failure.exit_code()).because(failure)
    })?;
    let against = before.map(|before| before.against);
    Ok(Answer::Previewed(Box::new(compare(&found, against, old, after?))))
}

fn read(args: &cli::Preview, state: &State) -> Result<Enc, Failure> {
    let path = args.enc.clone();
    let path = path.unwrap_or_else(|| PathBuf::from(state.at("/etc/puppet/input.yaml")));
    let shown = if path == Path::new("-") { "stdin".into() } else { path.display().to_string() };
    let unread = |failure: Failure| {
        Failure::new(format!("failed to read the ENC `{shown}`"))
            .exit(Exit::EncRefused)
            .because(failure)
    };
    let hint = "name its file: `--enc FILE`, or `--enc -` for stdin";
    let unread = |failure| instead::of_document(unread(failure), &path, hint);
    let text = input::read(&path, enc::LARGEST).map_err(unread)?;
    parsed(&text, &shown)
}

fn parsed(text: &[u8], source: &str) -> Result<Enc, Failure> {
    Enc::parse(text).map_err(|error| {
        let what = format!("the ENC `{source}` is refused");
        Failure::new(what).exit(Exit::EncRefused).because(error)
    })
}

/// What a release is compared with.
struct Before {
    found: Found,
    enc: Enc,
    against: Against,
    certname: Option<Certname>,
}

fn before(args: &cli::Preview, state: &State, enc: &Enc) -> Result<Option<Before>, Failure> {
    let Some(name) = &args.against else {
        let (runs, _) = state.runs()?;
        let applied = history::applied(&runs);
        return applied.map(|run| of_run(state, run)).transpose();
    };
    let run = name.parse::<RunId>().ok();
    let run = run.map_or(Ok(None), |id| state.record(&id))?;
    if let Some(run) = run {
        return of_run(state, &run).map(Some);
    }
    let unknown = || {
        Failure::new(format!("`{name}` is no run on record, and no release"))
            .hint(format!("see what ran here: `{}`", state.typed("history")))
    };
    let app: AppPath = name.parse().map_err(|_| unknown())?;
    let is_release = args.module_root.is_some() || name.parse::<Release>().is_ok();
    let found = if is_release { code::of(args, state, &app)? } else { return Err(unknown()) };
    let against = Against { app: found.code.app.clone(), run: None };
    Ok(Some(Before { found, enc: enc.clone(), against, certname: None }))
}

/// A run as it would be made again now: its release, its ENC, its name of the node.
fn of_run(state: &State, run: &Record) -> Result<Before, Failure> {
    let id = &run.id;
    let app = run.app.clone();
    let app = app.ok_or_else(|| Failure::new(format!("run `{id}` is of no app")))?;
    let asked = state.request(id)?;
    let found = match asked.as_ref().map(|asked| &asked.code) {
        Some(CodeFrom::Checkout(checkout)) => code::in_checkout(checkout, &app)?,
        _ => code::installed(state, &app)?,
    };
    let enc = parsed(&state.enc_of(id, enc::LARGEST)?, &format!("run {id}"))?;
    let certname = asked.and_then(|asked| asked.certname);
    let against = Against { app, run: Some(id.to_string()) };
    Ok(Before { found, enc, against, certname })
}

fn compare(
    found: &Found,
    against: Option<Against>,
    old: Option<Compiled>,
    after: Compiled,
) -> Preview {
    let plan = after.plan(found.bundle_id);
    let (new, old) = (after.whole(), old.map_or_else(Catalog::empty, |old| old.whole()));
    let (had, has) = (old.classes(), new.classes());
    Preview {
        app: found.code.app.clone(),
        bundle_id: found.bundle_id,
        plan,
        classes_added: has.difference(&had).cloned().collect(),
        classes_removed: had.difference(&has).cloned().collect(),
        changes: changes(&old, &new),
        reordered: is_reordered(&old, &new),
        regrouped: is_regrouped(&old, &new),
        against,
    }
}
