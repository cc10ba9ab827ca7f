//! A socket between a store and its server, that loses connections on purpose.

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// When a commit is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// Before the server has heard of it.
    Before,
    /// After the server has done it, and before the answer arrives.
    After,
}

/// The socket. Commits are cut while there are cuts left.
pub struct Between {
    folder: PathBuf,
    left: Arc<AtomicU32>,
    made: Arc<AtomicU32>,
}

impl Between {
    /// Listens in that folder and leads to `server`. `which` says how the commit of that number is cut, if at all.
    pub fn new(
        folder: &Path,
        server: PathBuf,
        which: impl Fn(u32) -> Option<Cut> + Send + Sync + 'static,
    ) -> Between {
        let listener = UnixListener::bind(folder.join(".s.PGSQL.5432")).expect("a socket");
        let (left, made) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
        let (of_left, of_made, which) = (left.clone(), made.clone(), Arc::new(which));
        let seen = Arc::new(AtomicU32::new(0));
        std::thread::spawn(move || {
            for near in listener.incoming() {
                let Ok(near) = near else { return };
                let Ok(far) = UnixStream::connect(&server) else { continue };
                let (left, made, seen, which) =
                    (of_left.clone(), of_made.clone(), seen.clone(), which.clone());
                let cut = move || {
                    let number = seen.fetch_add(1, Ordering::SeqCst);
                    let how = which(number)?;
                    left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).ok()?;
                    made.fetch_add(1, Ordering::SeqCst);
                    Some(how)
                };
                std::thread::spawn(move || carry(near, far, cut));
            }
        });
        Between { folder: folder.to_owned(), left, made }
    }

    /// The folder of the socket.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Cuts so many commits from now on.
    pub fn arm(&self, cuts: u32) {
        self.left.store(cuts, Ordering::SeqCst);
    }

    /// How many commits were cut.
    pub fn cuts(&self) -> u32 {
        self.made.load(Ordering::SeqCst)
    }
}

/// Carries bytes both ways. A commit that leaves a marker is one message, which the store sends in one piece.
fn carry(mut near: UnixStream, mut far: UnixStream, cut: impl Fn() -> Option<Cut>) {
    let (mut back_from, mut back_to) =
        (far.try_clone().expect("a socket"), near.try_clone().expect("a socket"));
    let silent = Arc::new(AtomicU32::new(0));
    let is_silent = silent.clone();
    std::thread::spawn(move || {
        let mut bytes = [0; 65_536];
        while let Ok(count @ 1..) = back_from.read(&mut bytes) {
            if is_silent.load(Ordering::SeqCst) == 1 {
                // The server has answered; nobody hears it.
                break;
            }
            if back_to.write_all(&bytes[..count]).is_err() {
                break;
            }
        }
        let _ = back_to.shutdown(std::net::Shutdown::Both);
        let _ = back_from.shutdown(std::net::Shutdown::Both);
    });
    let mut bytes = [0; 65_536];
    while let Ok(count @ 1..) = near.read(&mut bytes) {
        let commits = bytes[..count].windows(20).any(|part| part == b"INSERT INTO commits ")
            && bytes[..count].windows(6).any(|part| part == b"COMMIT");
        match commits.then(&cut).flatten() {
            Some(Cut::Before) => break,
            Some(Cut::After) => silent.store(1, Ordering::SeqCst),
            None => {}
        }
        if far.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    let _ = near.shutdown(std::net::Shutdown::Both);
    if silent.load(Ordering::SeqCst) == 0 {
        let _ = far.shutdown(std::net::Shutdown::Both);
    }
}
