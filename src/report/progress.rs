//! Progress: what a slow step does, in one line of a terminal that goes when it is over.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::cell::RefCell;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// A step that is over sooner is not worth a line.
const PATIENCE: Duration = Duration::from_secs(1);

/// How often the line moves.
const TICK: Duration = Duration::from_millis(120);

/// The line, while there is a step to show.
pub struct Progress {
    wanted: bool,
    step: RefCell<Option<Step>>,
}

struct Step {
    bar: ProgressBar,
    /// Dropped when the step is over.
    end: Sender<()>,
    patience: JoinHandle<()>,
}

impl Progress {
    /// No line yet; where none is wanted, or where stderr is no terminal, there never is.
    pub fn new(wanted: bool) -> Self {
        Progress { wanted, step: RefCell::new(None) }
    }

    /// A step begins, instead of the one before.
    pub fn began(&self, what: String) {
        self.done();
        if !self.wanted {
            return;
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        bar.set_style(style());
        bar.set_message(what);
        let (end, ended) = mpsc::channel();
        let later = bar.clone();
        let patience = thread::Builder::new().spawn(move || {
            if ended.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                // Hidden where stderr is no terminal, or a dumb one.
                later.set_draw_target(ProgressDrawTarget::stderr());
                later.enable_steady_tick(TICK);
            }
        });
        // Where no thread can be had, there is no line.
        self.step.replace(patience.ok().map(|patience| Step { bar, end, patience }));
    }

    /// The step is over, and its line is gone.
    pub fn done(&self) {
        if let Some(Step { bar, end, patience }) = self.step.take() {
            drop(end);
            // Else it may show the line of a step that is over.
            let _ = patience.join();
            bar.finish_and_clear();
        }
    }

    /// Says something else: the line makes way for it, and comes back.
    pub fn aside(&self, say: impl FnOnce()) {
        match &*self.step.borrow() {
            Some(step) => step.bar.suspend(say),
            None => say(),
        }
    }
}

fn style() -> ProgressStyle {
    let plain = ProgressStyle::default_spinner().tick_chars(r"-\|/ ");
    let template = "localpuppet: {spinner} {wide_msg} {elapsed}";
    plain.clone().template(template).unwrap_or(plain)
}
