//! A web server on 127.0.0.1 for repositories, which can be told to fail.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{JoinHandle, spawn};

/// Serves the files of a directory until it is dropped.
pub struct Web {
    pub url: String,
    stop: Arc<AtomicBool>,
    cut: Arc<Mutex<Option<&'static str>>>,
    thread: Option<JoinHandle<()>>,
}

impl Web {
    pub fn serve(directory: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (stop, cut) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(None)));
        let (directory, stopped, cuts) =
            (PathBuf::from(directory), Arc::clone(&stop), Arc::clone(&cut));
        let thread = spawn(move || {
            for client in listener.incoming() {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                let _ = answer(client.unwrap(), &directory, *cuts.lock().unwrap());
            }
        });
        Web { url, stop, cut, thread: Some(thread) }
    }

    /// From now on, files with this ending break off in their middle; with none, nothing does.
    pub fn cut(&self, ending: Option<&'static str>) {
        *self.cut.lock().unwrap() = ending;
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.url.trim_start_matches("http://"));
        self.thread.take().map(JoinHandle::join);
    }
}

/// One request a connection.
fn answer(mut client: TcpStream, directory: &Path, cut: Option<&str>) -> std::io::Result<()> {
    let mut lines = BufReader::new(client.try_clone()?).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    let path = request.split(' ').nth(1).unwrap_or("/").trim_matches(['/', '.']);
    let path = path.replace("%2b", "+").replace("%7e", "~");
    let Ok(body) = fs::read(directory.join(&path)) else {
        let none = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        return client.write_all(none.as_bytes());
    };
    let length = body.len();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    client.write_all(head.as_bytes())?;
    let cut = cut.is_some_and(|ending| path.ends_with(ending));
    client.write_all(if cut { &body[..length / 2] } else { &body })
}
