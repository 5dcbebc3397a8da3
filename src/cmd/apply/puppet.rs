//! `apply`'s second half: Puppet runs, and what came of it.

use super::{Context, Hold};
use crate::cmd::planned::judge as judge_plan;
use crate::host::catalog;
use crate::host::proc;
use crate::host::process::{self, Streamed, stream};
use crate::host::puppet::{self, Program};
use crate::host::state::Run;
use crate::model::command::{CommandLine, quote};
use crate::model::enc::Enc;
use crate::model::event::{Event, Stdout};
use crate::model::failure::Failure;
use crate::model::preview::{self, Expected};
use crate::model::puppet_report::PuppetReport;
use crate::model::redaction::redacted;
use crate::model::run::{Outcome, Puppet, Reason};
use crate::plan::apply::{self as plan, Code, Colour, Compiled, Ended, Places, Surroundings};
use std::path::Path;

/// What Puppet is given beside the ENC, each with its name in the run's directory.
pub const FILES: [(&str, &str); 5] = [
    ("enc.sh", include_str!("../../../templates/enc.sh")),
    ("routes.yaml", include_str!("../../../templates/routes.yaml")),
    ("hiera.yaml", include_str!("../../../templates/hiera.yaml")),
    ("default.pp", include_str!("../../../templates/default.pp")),
    ("conf/puppet.conf", include_str!("../../../templates/puppet.conf")),
];

/// Runs Puppet on code that is there, and tells the record what came of it.
pub fn run(
    context: &Context,
    program: Program,
    code: &Code,
    enc: &Enc,
    run: &mut Run,
    hold: &mut Hold,
) -> Result<Outcome, Failure> {
    let memory = context.state.memory(&plan::memory(&code.app))?;
    let around = Surroundings {
        puppet: program.path,
        home: process::home(&memory),
        certname: context.request.certname.clone(),
        passed: process::present(&plan::PASSED),
        colour: colour(context),
        compiled: match context.request.plan {
            None => Compiled::Applied,
            Some(_) => Compiled::AppliedIf { command: process::asks_if_planned(run.directory())? },
        },
    };
    let places = Places { run: run.directory().to_owned(), memory };
    if let Some(plan) = context.request.plan {
        let (bundle_id, away) = (run.record.bundle_id, plan::away(code, &places));
        let expected = Expected { plan, bundle_id, away, modulepath: code.modulepath.clone() };
        let text = serde_json::to_vec_pretty(&expected).unwrap_or_default();
        run.put(preview::FILE_NAME, &text)?;
        run.record.plan = Some(plan);
    }
    let line = plan::puppet(code, &places, &around, run.record.mode);
    for (name, content) in FILES {
        run.put(name, content.as_bytes())?;
    }
    run.put("enc.yaml", enc.to_yaml().as_bytes())?;
    super::not_interrupted(context)?;
    (context.say)(Event::Puppet { command: line.to_string() });
    let child = started(context, program.real, &line, run, hold)?;
    if let Some(puppet) = &mut run.record.puppet {
        puppet.process = Some(proc::identify(child.pid()));
    }
    // Puppet runs: that it cannot be recorded is told when it has ended.
    let handed = hold.agent.as_mut().map_or(Ok(()), |agent| agent.hand_to(child.pid()));
    let saved = run.save().and(handed);
    let end = child
        .wait(context.signals, context.say)
        .map_err(|error| Failure::new("lost sight of Puppet").because(error))?;
    let outcome = match not_planned(&end, run) {
        None => judge(&end, enc, run),
        Some(reason) => {
            run.record.reason = Some(reason);
            Outcome::PlanChanged
        }
    };
    // What came of it is worth more: the record has room once it ends.
    if let Err(failure) = saved {
        (context.say)(Event::Warning { text: failure.to_string() });
    }
    Ok(outcome)
}

/// Starts Puppet. It is on record before it is there: a run that is lost from
/// then on may have changed the node.
fn started(
    context: &Context,
    program: String,
    line: &CommandLine,
    run: &mut Run,
    hold: &Hold,
) -> Result<Streamed, Failure> {
    run.record.puppet = Some(Puppet {
        program,
        command: line.to_string(),
        process: None,
        version: None,
        exit_code: None,
        signal: None,
    });
    let fail = |error| {
        let failure = Failure::new("failed to start Puppet").because(error);
        failure.hint(format!("try it: {} --version", quote(&line.program)))
    };
    let started =
        run.save().and_then(|()| stream(line, context.stdout, hold.node.fd()).map_err(fail));
    if started.is_err() {
        run.record.puppet = None;
    }
    started
}

fn colour(context: &Context) -> Colour {
    match context.stdout {
        Stdout::Through if puppet::is_coloured() => Colour::Yes,
        _ => Colour::No,
    }
}

/// Why Puppet was kept from applying its catalog, where that was not the one of the run's plan.
fn not_planned(end: &process::End, run: &mut Run) -> Option<Reason> {
    run.record.plan.filter(|_| end.code == Some(1))?;
    let directory = Path::new(run.directory());
    let text = catalog::read(directory).ok().flatten()?;
    let expected = catalog::expected(directory).ok()?;
    let failure = judge_plan(&expected, &text).err()?;
    if let Some(puppet) = &mut run.record.puppet {
        puppet.exit_code = end.code;
    }
    Some(Reason::from(&failure))
}

/// Puppet's exit code and this run's own report, never that of an earlier run.
fn judge(end: &process::End, enc: &Enc, run: &mut Run) -> Outcome {
    let (report, unreadable) = match puppet::report(run.directory()) {
        Ok(report) => (report, None),
        Err(failure) => (None, Some(Reason::from(&failure))),
    };
    let ended = match (end.interrupted, end.signal, end.code) {
        (Some(signal), _, _) => Ended::Interrupted(signal),
        (_, Some(signal), _) => Ended::Killed(signal),
        (_, _, code) => Ended::Exited(code.unwrap_or(-1)),
    };
    let outcome = match plan::outcome(ended, report.as_ref(), run.record.mode) {
        Outcome::CompileFailed if report.is_none() && plan::has_begun(&end.stdout) => {
            Outcome::Failed
        }
        outcome => outcome,
    };
    if let Some(puppet) = &mut run.record.puppet {
        (puppet.exit_code, puppet.signal) = (end.code, end.signal);
        puppet.version = report.as_ref().map(|report| report.puppet_version.clone());
    }
    run.record.resources = report.as_ref().map(|report| report.resources());
    run.record.reason =
        unreadable.or_else(|| reason(outcome, ended, report.as_ref(), end, run.directory()));
    if let Some(reason) = &mut run.record.reason {
        reason.error = redacted(&reason.error, enc);
        reason.causes = reason.causes.iter().map(|cause| redacted(cause, enc)).collect();
    }
    outcome
}

fn reason(
    outcome: Outcome,
    ended: Ended,
    report: Option<&PuppetReport>,
    end: &process::End,
    run: &str,
) -> Option<Reason> {
    let mut causes = Vec::new();
    let error = match outcome {
        // Puppet's 1 is said once, in its log, and not of any resource.
        _ if ended == Ended::Exited(1) => plan::reason(&puppet::log_tail(run))
            // What goes wrong before Puppet knows of its log is on stderr alone.
            .or_else(|| plan::last_line(&end.stderr))
            .unwrap_or_else(|| plan::oddity(ended, report)),
        Outcome::Interrupted if end.interrupted.is_some() => {
            format!("signal {} to localpuppet", end.interrupted?)
        }
        _ if plan::is_borne_out(ended, outcome) => return None,
        _ => {
            // Of a Puppet that does not say itself how it went, no log has the last words.
            causes.extend(plan::last_line(&end.stderr).filter(|_| report.is_none()));
            plan::oddity(ended, report)
        }
    };
    let mut hints = vec![format!("read its log: less {run}/log.txt")];
    // SIGKILL, which Puppet has no word left to tell of.
    if ended == Ended::Killed(9) {
        hints.push("see whether memory ran out: dmesg | grep -i 'out of memory'".to_owned());
    }
    Some(Reason { error, causes, hints })
}
