//! `apply`: read the ENC, take the node, install and verify the release, run Puppet, record.

mod checkout;
mod install;
mod puppet;

use crate::cli::Apply;
use crate::host::input;
use crate::host::process::Signals;
use crate::host::puppet::find as find_puppet;
use crate::host::state::{Run, State};
use crate::model::answer::Answer;
use crate::model::app::{AppPath, Release};
use crate::model::enc::{self, Enc};
use crate::model::event::{Event, Say, Stdout};
use crate::model::exit::Exit;
use crate::model::failure::Failure;
use crate::model::run::{DetailedExit, Mode, Outcome, Reason};
use crate::plan::apply as plan;
use std::path::{Path, PathBuf};

/// What was asked for: an app, and what it is told of this node.
struct Wanted {
    app: AppPath,
    enc: Enc,
}

/// What every step of a run needs.
pub struct Context<'a> {
    pub args: &'a Apply,
    pub state: &'a State,
    pub signals: &'a Signals,
    pub stdout: Stdout,
    pub say: Say<'a>,
}

/// Applies a release to this node.
pub fn run(args: &Apply, stdout: Stdout, say: Say) -> Result<Answer, Failure> {
    let state = State::of(&args.node.root)?;
    fit_for_puppet("the root", state.root())?;
    // Before signals are caught: who waits for an ENC on stdin can be ended at once.
    let wanted = want(args, &state, say);
    let signals =
        Signals::catch().map_err(|error| Failure::new("failed to catch signals").because(error))?;
    let mut run = match state.begin(wanted.as_ref().ok().map(|wanted| &wanted.app)) {
        Ok(run) => run,
        // A refused ENC is told whether it can be recorded or not.
        Err(failure) => return Err(wanted.err().unwrap_or(failure)),
    };
    run.record.mode = if args.noop { Mode::Noop } else { Mode::Apply };
    say(Event::Record { directory: PathBuf::from(run.directory()) });
    let context = Context { args, state: &state, signals: &signals, stdout, say };
    let outcome = wanted.and_then(|wanted| apply(&context, &wanted, &mut run));
    conclude(args, run, outcome)
}

fn apply(context: &Context, wanted: &Wanted, run: &mut Run) -> Result<Outcome, Failure> {
    // Before anything is installed: without Puppet there is nothing to apply with.
    let program = find_puppet(context.args.puppet.as_deref())?;
    let code = match &context.args.module_root {
        None => install::installed(context, &wanted.app, run)?,
        Some(root) => checkout::resolved(context, root, &wanted.app, run)?,
    };
    puppet::run(context, program, &code, &wanted.enc, run)
}

/// Ends the record, and answers with it or with why Puppet was not started.
fn conclude(
    args: &Apply,
    mut run: Run,
    outcome: Result<Outcome, Failure>,
) -> Result<Answer, Failure> {
    let detailed = if args.detailed_exitcodes { DetailedExit::Yes } else { DetailedExit::No };
    let exit = match &outcome {
        Ok(outcome) => outcome.exit(detailed),
        Err(failure) => failure.exit_code(),
    };
    run.record.exit_code = Some(exit.code());
    run.record.outcome = Some(match &outcome {
        Ok(outcome) => *outcome,
        Err(failure) => Outcome::of_refusal(failure.exit_code()),
    });
    if let Err(failure) = &outcome {
        run.record.reason = Some(Reason::from(failure));
    }
    let ended = run.end();
    outcome?;
    ended?;
    Ok(Answer::Run(Box::new(run.record.clone())))
}

fn want(args: &Apply, state: &State, say: Say) -> Result<Wanted, Failure> {
    let refused = |what: String| Failure::new(what).exit(Exit::EncRefused);
    let path = match &args.enc {
        Some(path) => path.clone(),
        None => PathBuf::from(state.at("/etc/puppet/input.yaml")),
    };
    let shown =
        if path == Path::new("-") { "stdin".to_owned() } else { path.display().to_string() };
    let text = input::read(&path, enc::LARGEST).map_err(|failure| {
        failure
            .exit(Exit::EncRefused)
            .hint("name the node's ENC with `--enc FILE`, or write it to stdin with `--enc -`")
    })?;
    let enc = Enc::parse(&text)
        .map_err(|error| refused(format!("the ENC `{shown}` is refused")).because(error))?;
    let app = match (&asked(args), &enc.app) {
        (Some(given), Some(named)) if given != named => {
            let text =
                format!("applying `{given}` as the command line says; the ENC names `{named}`");
            say(Event::Warning { text });
            given.clone()
        }
        (Some(app), _) | (None, Some(app)) => app.clone(),
        (None, None) => {
            return Err(refused(format!("the ENC `{shown}` names no app")).hint(
                "write `app: foo/tags/r1` into it, or type `localpuppet apply foo/tags/r1`",
            ));
        }
    };
    Ok(Wanted { app, enc })
}

/// The app of the command line: `foo/r1` for short, which in a checkout is a path of its own.
fn asked(args: &Apply) -> Option<AppPath> {
    let app = args.app.as_ref()?;
    let release = app.as_str().parse::<Release>().ok().filter(|_| args.module_root.is_none());
    Some(release.map_or_else(|| app.clone(), |release| release.path().clone()))
}

fn not_interrupted(context: &Context) -> Result<(), Failure> {
    match context.signals.received() {
        None => Ok(()),
        Some(signal) => {
            let what = format!("ended by signal {signal} before Puppet was started");
            Err(Failure::new(what).exit(Exit::Interrupted))
        }
    }
}

fn fit_for_puppet(what: &str, path: &str) -> Result<(), Failure> {
    match plan::unfit_for_puppet(path) {
        None => Ok(()),
        Some(c) => Err(Failure::new(format!(
            "{what} `{path}` has {c:?} in it, which Puppet would take for its own"
        ))
        .hint("expected letters, digits and `/ . _ - + ~ @ % =`")),
    }
}
