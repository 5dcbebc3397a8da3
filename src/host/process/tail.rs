//! What a program writes, read while it comes: its tail is kept, and all of it may go on.

use rustix::io::ioctl_fionread;
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

/// How much of a program's output is kept: its tail.
pub(super) const KEPT: usize = 64 << 10;

/// How long the next of the last words of a program are waited for when it has
/// ended; a daemon that it left behind may keep the pipe open for ever.
pub(super) const LAST_WORDS: Duration = Duration::from_millis(500);

/// What a pipe holds (pipe(7)), and what the thread that reads it has in hand.
const IN_FLIGHT: usize = (64 << 10) + PIECE;

/// So much is read at once.
const PIECE: usize = 8 << 10;

/// So much is written at once: a page of a pipe, so that a slow reader is seen to read.
const PAGE: usize = 4 << 10;

/// Where what a program writes goes on to.
pub(super) type Onward = Option<Box<dyn Write + Send>>;

/// The tail of a pipe, read by a thread of its own and copied on where asked.
pub(super) struct Tail {
    copied: Arc<Copied>,
    end: mpsc::Receiver<()>,
}

/// What a thread that reads a pipe shares with who waits for it.
#[derive(Default)]
struct Copied {
    kept: Mutex<Vec<u8>>,
    /// Grows with all that was copied.
    bytes: AtomicUsize,
    /// The program has ended: all that it wrote is in the pipe or was read.
    is_over: AtomicBool,
}

impl Tail {
    /// A pipe that is read from now on, and the end of it that a program writes to.
    pub(super) fn new(on: Onward) -> io::Result<(Self, PipeWriter)> {
        let (pipe, writer) = io::pipe()?;
        let copied = Arc::new(Copied::default());
        let (ended, end) = mpsc::channel();
        let shared = Arc::clone(&copied);
        thread::Builder::new().spawn(move || shared.copy(pipe, on, &ended))?;
        Ok((Tail { copied, end }, writer))
    }

    /// The tail of what the program wrote, which has ended. A reader that is slow
    /// gets all of it; one that stands still, and a daemon, are not waited for.
    pub(super) fn text(self) -> String {
        self.copied.is_over.store(true, Ordering::SeqCst);
        let copied = || self.copied.bytes.load(Ordering::SeqCst);
        let mut before = copied();
        while self.end.recv_timeout(LAST_WORDS) == Err(mpsc::RecvTimeoutError::Timeout) {
            let now = copied();
            if now == before {
                break;
            }
            before = now;
        }
        let kept = self.copied.kept.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&kept).into_owned()
    }
}

impl Copied {
    /// Copies to the end of the pipe, and says so; or once all is there that the
    /// program itself can have written. Whoever writes later finds a reader still.
    fn copy(&self, mut pipe: PipeReader, mut on: Onward, ended: &mpsc::Sender<()>) {
        let mut buffer = [0; PIECE];
        let mut since_end = 0;
        while let Ok(read @ 1..) = pipe.read(&mut buffer) {
            for page in buffer[..read].chunks(PAGE) {
                if let Some(on) = &mut on {
                    let _ = on.write_all(page).and_then(|()| on.flush());
                }
                self.bytes.fetch_add(page.len(), Ordering::SeqCst);
            }
            self.keep(&buffer[..read]);
            if self.is_over.load(Ordering::SeqCst) {
                since_end += read;
                if since_end > IN_FLIGHT || ioctl_fionread(&pipe) == Ok(0) {
                    let _ = ended.send(());
                }
            }
        }
        let _ = ended.send(());
    }

    fn keep(&self, piece: &[u8]) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend_from_slice(piece);
        let surplus = kept.len().saturating_sub(KEPT);
        kept.drain(..surplus);
    }
}
