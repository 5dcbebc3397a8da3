//! `apply`: put a run on record, take the node, read the ENC, install and verify the release, run Puppet.

mod check;
mod checkout;
mod enc;
mod install;
mod puppet;
mod request;

pub use checkout::code as code_of_checkout;
pub use puppet::FILES;
pub use request::rollback_request;

use crate::cli::{Apply, RunOptions};
use crate::host::agent::{Agent, AgentLock};
use crate::host::clock::{self, Deadline};
use crate::host::detach;
use crate::host::proc;
use crate::host::process::Signals;
use crate::host::puppet::{Program, find as find_puppet};
use crate::host::state::{Created, Level, Log, NodeLock, Patience, Run, State};
use crate::model::answer::Answer;
use crate::model::app::{AppPath, Release};
use crate::model::event::{Event, Say, Stdout, during};
use crate::model::exit::Exit;
use crate::model::failure::Failure;
use crate::model::request::{CodeFrom, Disabled, Request};
use crate::model::run::{Holder, Outcome, Reason, Record};
use crate::plan::{apply as plan, history};
use enc::Call;
use std::time::Duration;

/// How long a run that goes on by itself may take to say so.
const TO_BEGIN: Duration = Duration::from_secs(20);

/// What every step of a run needs.
pub struct Context<'a> {
    pub request: &'a Request,
    pub state: &'a State,
    pub signals: &'a Signals,
    pub stdout: Stdout,
    pub say: Say<'a>,
}

/// The node, taken from other runs and from Puppet's own agent.
pub struct Hold {
    pub node: NodeLock,
    pub agent: Option<AgentLock>,
}

/// Applies a release to this node.
pub fn run(args: &Apply, stdout: Stdout, say: Say) -> Result<Answer, Failure> {
    let state = State::of(&args.run.node.root)?;
    // Before signals are caught: who waits for an ENC on stdin can be ended at once.
    let (request, document) = request::of(args, &state)?;
    ask(&state, &args.run, &request, document.as_deref(), stdout, say)
}

/// Puts a run on record, and carries it out here or elsewhere.
pub fn ask(
    state: &State,
    options: &RunOptions,
    request: &Request,
    document: Option<&[u8]>,
    stdout: Stdout,
    say: Say,
) -> Result<Answer, Failure> {
    fit_for_puppet("the root", state.root())?;
    let signals = Signals::catch()?;
    let run = match state.create(options.run_id.as_ref(), request, document)? {
        Created::New(run) => *run,
        Created::Known(record) if options.detach => return Ok(Answer::Asked(record)),
        // It is the same call again: wait with whoever made it first.
        Created::Known(record) => {
            let ended = super::status::wait(state, &record.id, None, &signals, say)?;
            return Ok(Answer::Run(Box::new(ended)));
        }
    };
    say(Event::Record { directory: run.directory().into() });
    match options.detach {
        true => detached(state, request, run, &signals),
        false => carry_out(state, request, run, &signals, stdout, say),
    }
}

/// Carries out a run that another process put on record.
pub fn resume(state: &State, run: Run, request: &Request, say: Say) -> Result<Answer, Failure> {
    let signals = Signals::catch()?;
    carry_out(state, request, run, &signals, Stdout::Through, say)
}

/// Starts the process that goes on with a run, and waits until it has it.
fn detached(
    state: &State,
    request: &Request,
    mut run: Run,
    signals: &Signals,
) -> Result<Answer, Failure> {
    let begun = run.offer().and_then(|()| begun(state, &run, signals));
    match begun {
        Ok(record) => Ok(Answer::Asked(Box::new(record))),
        // Whoever has it by now tells how it ends.
        Err(failure) if signals.received().is_some() => Err(failure),
        Err(failure) => conclude(request, &mut run, Err(failure)),
    }
}

/// The record of a run that another process has taken over.
fn begun(state: &State, run: &Run, signals: &Signals) -> Result<Record, Failure> {
    let deadline = Deadline::after(TO_BEGIN);
    let mut started = detach::start(state, run, signals)?;
    loop {
        let ended = started.end();
        let record = state.record(&run.record.id)?;
        if let Some(record) = record.filter(|record| record.process != run.record.process) {
            return Ok(record);
        }
        if let Some(signal) = signals.received() {
            state.cancel(&run.record.id)?;
            let what = format!("ended by signal {signal} before the run began");
            return Err(Failure::new(what).exit(Exit::Interrupted));
        }
        if let Some(how) = ended {
            return Err(Failure::new(format!("the process of the run did not begin it: {how}")));
        }
        if deadline.left().is_none() {
            return Err(Failure::new("the run was started, and does not begin"));
        }
        clock::sleep(Duration::from_millis(10));
    }
}

fn carry_out(
    state: &State,
    request: &Request,
    mut run: Run,
    signals: &Signals,
    stdout: Stdout,
    say: Say,
) -> Result<Answer, Failure> {
    proc::take_name();
    let log = run.log();
    let say = |event: Event| {
        record(&log, &event);
        say(event);
    };
    let context = Context { request, state, signals, stdout, say: &say };
    let mut hold = None;
    let outcome = apply(&context, &mut run, &mut hold);
    let answer = conclude(request, &mut run, outcome);
    let runs = state.runs().map(|(runs, _)| runs).unwrap_or_default();
    state.forget(history::surplus(&runs, request.keep, clock::timestamp()));
    // A daemon that Puppet left behind may have the lock still, and holds no node.
    if !run.record.puppet_process().is_some_and(proc::is_alive)
        && let Some(Hold { node, .. }) = hold
    {
        node.release();
    }
    answer
}

fn record(log: &Log, event: &Event) {
    match event {
        Event::Warning { text } => log.write(Level::Warning, text),
        Event::Shadowed { .. } => log.write(Level::Warning, &event.to_string()),
        Event::Record { .. } | Event::Log { .. } | Event::LeftOut { .. } => {}
        Event::Began { .. } | Event::Done => {}
        _ => log.write(Level::Notice, &event.to_string()),
    }
}

fn apply(context: &Context, run: &mut Run, hold: &mut Option<Hold>) -> Result<Outcome, Failure> {
    if run.is_cancelled() {
        return Err(Failure::new("cancelled before it began").exit(Exit::Interrupted));
    }
    // Before anything is installed: without Puppet there is nothing to apply with.
    let program = find_puppet(context.request.puppet.as_deref())?;
    let holder = Holder {
        run: Some(run.record.id.clone()),
        app: context.request.app.clone(),
        ..context.state.holder("apply")
    };
    let taken = during(context.say, "taking the node", || take(context, &program, &holder))?;
    let hold = hold.insert(taken);
    run.start()?;
    let (app, call) = classify(context, run)?;
    hold.node.tell(&Holder { app: Some(app.clone()), ..holder })?;
    let code = match &context.request.code {
        CodeFrom::Checkout(root) => checkout::resolved(context, root, &app, &call, run)?,
        CodeFrom::Release(options) => install::installed(context, options, &app, &call, run)?,
        CodeFrom::Installed => install::there(context, &app, &call, run)?,
    };
    puppet::run(context, program, &code, &call.enc, run, hold)
}

/// Takes the node, and keeps Puppet's own agent out.
fn take(context: &Context, program: &Program, holder: &Holder) -> Result<Hold, Failure> {
    let Context { request, state, signals, say, .. } = *context;
    let patience = Patience::of(request.wait_lock, signals, say);
    let node = state.hold(holder, &patience)?;
    not_interrupted(context)?;
    let agent = match Agent::of(state, program, signals) {
        Ok(agent) => agent,
        // Where Puppet cannot say so much, its agent cannot run either.
        Err(failure) => {
            let text = format!("{failure}: {}", failure.causes().join(": "));
            say(Event::Warning { text });
            return Ok(Hold { node, agent: None });
        }
    };
    let honour = || match request.disabled {
        Disabled::Honoured => agent.refuse_if_disabled(),
        Disabled::Ignored => Ok(()),
    };
    honour()?;
    let held = agent.hold(&patience)?;
    // Said while the agent was waited for.
    honour()?;
    Ok(Hold { node, agent: Some(held) })
}

/// Reads the ENC, and with it which app is wanted.
fn classify(context: &Context, run: &mut Run) -> Result<(AppPath, Call), Failure> {
    let call = during(context.say, "reading the ENC", || enc::read(context, run))?;
    let app = match (&context.request.app, &call.enc.app) {
        (Some(given), Some(named)) if given != named => {
            let text =
                format!("applying `{given}` as the command line says; the ENC names `{named}`");
            (context.say)(Event::Warning { text });
            given.clone()
        }
        (Some(app), _) | (None, Some(app)) => app.clone(),
        (None, None) => {
            let what = format!("the ENC `{}` names no app", call.source);
            return Err(Failure::new(what).exit(Exit::EncRefused).hint(
                "write `app: foo/tags/r1` into it, or type `localpuppet apply foo/tags/r1`",
            ));
        }
    };
    run.record.app = Some(app.clone());
    Ok((app, call))
}

/// Ends the record, and answers with it or with why Puppet was not started.
fn conclude(
    request: &Request,
    run: &mut Run,
    outcome: Result<Outcome, Failure>,
) -> Result<Answer, Failure> {
    let exit = match &outcome {
        Ok(outcome) => outcome.exit(request.detailed_exitcodes),
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
    outcome.map(drop).and(ended).map_err(|failure| failure.of_run(&run.record.id))?;
    Ok(Answer::Run(Box::new(run.record.clone())))
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

/// Refuses a path that Puppet would take apart.
pub fn fit_for_puppet(what: &str, path: &str) -> Result<(), Failure> {
    match plan::unfit_for_puppet(path) {
        None => Ok(()),
        Some(c) => Err(Failure::new(format!(
            "{what} `{path}` has {c:?} in it, which Puppet would take for its own"
        ))
        .hint("expected letters, digits and `/ . _ - + ~ @ % =`")),
    }
}
