//! Tries: again after a while, longer each time, until it helps or the deadline comes.

use crate::host::clock::{self, Deadline};
use crate::model::failure::Failure;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

/// So often is a neighbour asked.
const MOST: u32 = 5;

/// How long it is left alone after the first try; twice as long after the next.
const PAUSE: Duration = Duration::from_millis(500);

/// Why one try came to nothing.
#[derive(Debug)]
pub struct Miss {
    pub what: String,
    pub hint: Option<&'static str>,
    pub again: Again,
}

/// Whether another try may help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    No,
    /// Not before this time.
    After(Duration),
}

impl Miss {
    /// A miss that another try will not mend.
    pub fn last(what: impl Into<String>) -> Self {
        Miss { what: what.into(), hint: None, again: Again::No }
    }

    /// A miss that another try may mend.
    pub fn again(what: impl Into<String>) -> Self {
        Miss { what: what.into(), hint: None, again: Again::After(Duration::ZERO) }
    }

    /// The same miss, with what to type.
    pub fn hint(self, hint: &'static str) -> Self {
        Miss { hint: Some(hint), ..self }
    }
}

/// The time that all tries together have.
#[derive(Clone, Copy, Debug)]
pub struct Tries {
    deadline: Deadline,
    seconds: u32,
}

impl Tries {
    /// Tries that begin now and have so many seconds.
    pub fn within(seconds: u32) -> Self {
        Tries { deadline: Deadline::after(Duration::from_secs(seconds.into())), seconds }
    }

    /// What is left; a miss where nothing is.
    pub fn left(&self) -> Result<Duration, Miss> {
        self.deadline.left().ok_or_else(|| Miss::last("there was no whole answer in time"))
    }

    /// Tries until it is done, or another try will not help, or there is no time for one.
    pub fn run<T>(
        &self,
        what: &str,
        mut attempt: impl FnMut() -> Result<T, Miss>,
    ) -> Result<T, Failure> {
        let mut tried = 0;
        loop {
            let miss = match attempt() {
                Ok(done) => return Ok(done),
                Err(miss) => miss,
            };
            tried += 1;
            match (miss.again, self.deadline.left()) {
                (Again::After(time), Some(left)) if tried < MOST => {
                    let pause = pause(tried).max(time);
                    if pause < left {
                        clock::sleep(pause);
                        continue;
                    }
                }
                _ => {}
            }
            return Err(self.failure(what, &miss, tried));
        }
    }

    fn failure(&self, what: &str, miss: &Miss, tried: u32) -> Failure {
        let seconds = self.seconds;
        let often = match (miss.again, tried) {
            (Again::No, 1) => String::new(),
            (_, 1) => format!("; tried once within {seconds} s"),
            _ => format!("; tried {tried} times within {seconds} s"),
        };
        let failure = Failure::new(format!("{what}: {}{often}", miss.what));
        match miss.hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}

/// Up to a quarter longer, by chance: many nodes that failed together do not come back together.
fn pause(tried: u32) -> Duration {
    let pause = PAUSE * 2_u32.pow(tried - 1);
    let chance = RandomState::new().build_hasher().finish() % 256;
    pause + pause / 1024 * chance as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_help_is_tried_again_and_what_will_not_is_not() {
        let tries = Tries::within(10);
        let mut misses = vec![Miss::again("a"), Miss::again("b")];
        let done = tries.run("failed", || misses.pop().map_or(Ok(7), Err)).unwrap();
        assert_eq!(done, 7);

        let failure = tries.run::<()>("failed", || Err(Miss::last("no").hint("x"))).unwrap_err();
        assert_eq!((failure.to_string(), failure.hints()), ("failed: no".into(), vec!["x"]));
    }

    #[test]
    fn a_pause_that_would_end_after_the_deadline_is_not_begun() {
        let tries = Tries::within(1);
        let late =
            || Err(Miss { again: Again::After(Duration::from_secs(60)), ..Miss::again("no") });
        let failure = tries.run::<()>("failed", late).unwrap_err();
        assert_eq!(failure.to_string(), "failed: no; tried once within 1 s");
        assert!(tries.left().is_ok());
        assert!(pause(1) >= PAUSE && pause(4) < PAUSE * 11);
    }
}
