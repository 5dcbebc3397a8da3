//! The signals that tell this process to end, and the ends of its children.

use crate::host::proc::ignores;
use crate::model::failure::Failure;
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGTERM};
use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

/// The signals that tell this process to end, caught from here on, so that a
/// run ends as a record and not as silence.
pub struct Signals {
    wake: UnixStream,
    received: Arc<AtomicUsize>,
    /// A Ctrl-C came, and nobody has asked for it yet.
    pressed: Arc<AtomicBool>,
}

impl Signals {
    /// Begins to catch; a signal that the parent told this process to ignore stays ignored.
    pub fn catch() -> Result<Self, Failure> {
        let caught = Signals::register();
        caught.map_err(|error| Failure::new("failed to catch signals").because(error))
    }

    fn register() -> io::Result<Self> {
        let (wake, sender) = UnixStream::pair()?;
        let received = Arc::new(AtomicUsize::new(0));
        let pressed = Arc::new(AtomicBool::new(false));
        for signal in [SIGTERM, SIGINT, SIGHUP].into_iter().filter(|&signal| !ignores(signal)) {
            let value = usize::try_from(signal).unwrap_or_default();
            signal_hook::flag::register_usize(signal, Arc::clone(&received), value)?;
            if signal == SIGINT {
                signal_hook::flag::register(signal, Arc::clone(&pressed))?;
            }
            signal_hook::low_level::pipe::register(signal, sender.try_clone()?)?;
        }
        signal_hook::low_level::pipe::register(SIGCHLD, sender)?;
        Ok(Signals { wake, received, pressed })
    }

    /// The signal that came last.
    pub fn received(&self) -> Option<i32> {
        i32::try_from(self.received.load(Ordering::SeqCst)).ok().filter(|&signal| signal != 0)
    }

    /// True where a Ctrl-C came since this was last asked.
    pub(super) fn is_pressed(&self) -> bool {
        self.pressed.swap(false, Ordering::SeqCst)
    }

    /// Does what takes long in a thread of its own; none where a signal comes first,
    /// and then it is left to itself. An error where no thread can be had.
    pub fn during<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> io::Result<Option<T>> {
        let (sender, receiver) = mpsc::channel();
        thread::Builder::new().spawn(move || sender.send(work()))?;
        while self.received().is_none() {
            match receiver.recv_timeout(Duration::from_millis(50)) {
                Ok(done) => return Ok(self.received().is_none().then_some(done)),
                Err(mpsc::RecvTimeoutError::Timeout) => {}
                Err(mpsc::RecvTimeoutError::Disconnected) => return Ok(None),
            }
        }
        Ok(None)
    }

    /// Waits for a signal, or for the end of a child, or for so long.
    pub(super) fn wait(&self, time: Option<Duration>) -> io::Result<()> {
        self.wake.set_read_timeout(time)?;
        match (&self.wake).read(&mut [0; 64]) {
            Ok(_) => Ok(()),
            Err(error) if is_no_failure(error.kind()) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

fn is_no_failure(kind: io::ErrorKind) -> bool {
    matches!(kind, io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted)
}
