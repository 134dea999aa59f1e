//! Standard input, read on a thread of its own: whoever takes from it can see whether anything is there, and need not
//! wait for it. It does not know what the bytes mean.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

/// Bytes that are read at a time: as many as a pipe holds.
const CHUNK_BYTES: usize = 64 << 10;
/// Chunks that wait at most.
const CHUNKS: usize = 16;

/// A byte stream that a thread reads.
pub(super) struct Pipe {
    chunks: Receiver<io::Result<Vec<u8>>>,
    chunk: Vec<u8>,
    /// Bytes of the chunk that were taken.
    taken: usize,
    failure: Option<io::Error>,
}

impl Pipe {
    /// Begins to read `input`. The thread ends with it, or once this is dropped and something more has come.
    pub(super) fn start(input: impl Read + Send + 'static) -> io::Result<Self> {
        let (sender, chunks) = sync_channel(CHUNKS);
        std::thread::Builder::new().name("stdin".to_owned()).spawn(move || pump(input, &sender))?;
        Ok(Self { chunks, chunk: Vec::new(), taken: 0, failure: None })
    }

    /// Waits until a read would not wait, its end and its failure included; false if that takes longer than `wait`.
    pub(super) fn is_ready(&mut self, wait: Duration) -> bool {
        if self.taken < self.chunk.len() || self.failure.is_some() {
            return true;
        }
        match self.chunks.recv_timeout(wait) {
            Ok(Ok(chunk)) => (self.chunk, self.taken) = (chunk, 0),
            Ok(Err(error)) => self.failure = Some(error),
            Err(RecvTimeoutError::Timeout) => return false,
            Err(RecvTimeoutError::Disconnected) => {}
        }
        true
    }
}

impl Read for Pipe {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.taken == self.chunk.len() && self.failure.is_none() {
            match self.chunks.recv() {
                Ok(chunk) => (self.chunk, self.taken) = (chunk?, 0),
                // The thread has ended: so has the input.
                Err(_) => return Ok(0),
            }
        }
        if let Some(error) = self.failure.take() {
            return Err(error);
        }
        let count = self.chunk.get(self.taken..).unwrap_or_default().read(buffer)?;
        self.taken += count;
        Ok(count)
    }
}

/// Reads to the end, or until nobody takes it.
fn pump(mut input: impl Read, chunks: &SyncSender<io::Result<Vec<u8>>>) {
    loop {
        let mut chunk = vec![0; CHUNK_BYTES];
        let read = match input.read(&mut chunk) {
            Ok(0) => return,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Ok(count) => {
                chunk.truncate(count);
                Ok(chunk)
            }
            Err(error) => Err(error),
        };
        let failed = read.is_err();
        if chunks.send(read).is_err() || failed {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_secs(60);

    /// Gives what it is sent, and ends with the sender.
    struct Fed(Receiver<io::Result<Vec<u8>>>);

    impl Read for Fed {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let Ok(bytes) = self.0.recv() else { return Ok(0) };
            bytes.and_then(|bytes| bytes.as_slice().read(buffer))
        }
    }

    #[test]
    fn it_is_ready_where_a_read_would_not_wait() {
        let (feed, fed) = sync_channel(1);
        let mut pipe = Pipe::start(Fed(fed)).unwrap();
        assert!(!pipe.is_ready(Duration::from_millis(1)));
        feed.send(Ok(b"one two".to_vec())).unwrap();
        assert!(pipe.is_ready(SOON));
        let mut buffer = [0; 4];
        assert_eq!((pipe.read(&mut buffer).unwrap(), &buffer), (4, b"one "));
        assert!(pipe.is_ready(Duration::ZERO));
        assert_eq!((pipe.read(&mut buffer).unwrap(), &buffer[..3]), (3, &b"two"[..]));
        assert!(!pipe.is_ready(Duration::from_millis(1)));
        drop(feed);
        assert!(pipe.is_ready(SOON));
        assert_eq!(pipe.read(&mut buffer).unwrap(), 0);
        assert!(pipe.is_ready(Duration::ZERO));
    }

    #[test]
    fn a_failure_comes_behind_what_was_read() {
        let (feed, fed) = sync_channel(2);
        feed.send(Ok(b"one".to_vec())).unwrap();
        feed.send(Err(io::Error::other("gone"))).unwrap();
        let mut pipe = Pipe::start(Fed(fed)).unwrap();
        let mut bytes = Vec::new();
        assert_eq!(pipe.read_to_end(&mut bytes).unwrap_err().to_string(), "gone");
        assert_eq!(bytes, b"one");
    }

    #[test]
    fn all_of_a_long_input_comes_through() {
        let long: Vec<u8> = (0..5_000_000u32).map(|number| number as u8).collect();
        let mut pipe = Pipe::start(io::Cursor::new(long.clone())).unwrap();
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).unwrap();
        assert!(bytes == long);
    }
}
