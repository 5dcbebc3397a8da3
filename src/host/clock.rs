//! The clock. Nothing of a package comes from it.
#![allow(clippy::disallowed_methods)]

use jiff::Timestamp;
use std::time::{Duration, Instant, SystemTime};

/// Now, as RFC 3339 with milliseconds.
pub fn now() -> String {
    format!("{:.3}", Timestamp::now())
}

/// A time of a file, as RFC 3339.
pub fn as_text(time: SystemTime) -> String {
    Timestamp::try_from(time).map_or_else(|_| "unknown".to_owned(), |time| format!("{time:.3}"))
}

/// Now, as a name that sorts by time and can be a file's: `20260102T030405.678Z`.
pub fn now_as_name() -> String {
    now().replace(['-', ':'], "")
}

/// Now, as Puppet writes it in a log.
pub fn now_as_puppet() -> String {
    Timestamp::now().strftime("%Y-%m-%d %H:%M:%S +0000").to_string()
}

/// Now, to reckon with.
pub fn timestamp() -> Timestamp {
    Timestamp::now()
}

/// A time to give up at.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Instant);

impl Deadline {
    /// So long from now.
    pub fn after(time: Duration) -> Self {
        Deadline(Instant::now() + time)
    }

    /// What is left; none where it has passed.
    pub fn left(self) -> Option<Duration> {
        self.0.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
    }
}

/// Waits for another second: what has a time in it is then not the same by chance.
pub fn next_second() {
    let now = Timestamp::now().as_second();
    while Timestamp::now().as_second() == now {
        sleep(Duration::from_millis(20));
    }
}

/// Waits.
pub fn sleep(time: Duration) {
    std::thread::sleep(time);
}
