//! A stream, such as standard input, read on a thread of its own: its reader can see whether anything is there,
//! and a wait for it ends with the stop signal. It does not know what the bytes mean.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

/// Bytes read at a time: the capacity of a pipe.
const CHUNK_BYTES: usize = 64 << 10;
/// Chunks that wait at most.
const CHUNKS: usize = 16;

/// The longest time between two checks of the stop signal.
const LOOK: Duration = Duration::from_millis(20);

/// A byte stream that a thread reads.
pub(super) struct Pipe {
    chunks: Receiver<io::Result<Vec<u8>>>,
    chunk: Vec<u8>,
    /// Bytes of the chunk that were taken.
    taken: usize,
    failure: Option<io::Error>,
    stop: CancellationToken,
}

impl Pipe {
    /// Starts reading what `open` gives. The thread ends at its end, or once this is dropped and more input has come.
    pub(super) fn start<R: Read>(
        open: impl FnOnce() -> io::Result<R> + Send + 'static,
        stop: CancellationToken,
    ) -> io::Result<Self> {
        let (sender, chunks) = sync_channel(CHUNKS);
        std::thread::Builder::new().name("stream".to_owned()).spawn(move || match open() {
            Ok(input) => pump(input, &sender),
            Err(error) => drop(sender.send(Err(error))),
        })?;
        Ok(Self { chunks, chunk: Vec::new(), taken: 0, failure: None, stop })
    }

    /// Waits until a read would not block (the end and a failure count too); false if that takes longer than `wait`.
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
    /// Fails if it is stopped while it waits.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !self.is_ready(LOOK) {
            if self.stop.is_cancelled() {
                return Err(io::Error::other("told to stop"));
            }
        }
        if let Some(error) = self.failure.take() {
            return Err(error);
        }
        // Nothing is left after all that was ready: the thread has ended, and so has the input.
        let count = self.chunk.get(self.taken..).unwrap_or_default().read(buffer)?;
        self.taken += count;
        Ok(count)
    }
}

/// Reads to the end, or until the receiver is gone.
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

    fn started(input: impl Read + Send + 'static) -> Pipe {
        Pipe::start(move || Ok(input), CancellationToken::new()).unwrap()
    }

    #[test]
    fn a_wait_ends_with_the_stop() {
        let (_feed, fed) = sync_channel(1);
        let stop = CancellationToken::new();
        let mut pipe = Pipe::start(move || Ok(Fed(fed)), stop.clone()).unwrap();
        let reading = std::thread::spawn(move || pipe.read(&mut [0]).unwrap_err().to_string());
        stop.cancel();
        assert_eq!(reading.join().unwrap(), "told to stop");
        let failing = Pipe::start(|| Err::<io::Empty, _>(io::Error::other("not there")), CancellationToken::new());
        assert_eq!(failing.unwrap().read(&mut [0]).unwrap_err().to_string(), "not there");
    }

    #[test]
    fn it_is_ready_where_a_read_would_not_wait() {
        let (feed, fed) = sync_channel(1);
        let mut pipe = started(Fed(fed));
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
        let mut pipe = started(Fed(fed));
        let mut bytes = Vec::new();
        assert_eq!(pipe.read_to_end(&mut bytes).unwrap_err().to_string(), "gone");
        assert_eq!(bytes, b"one");
    }

    #[test]
    fn all_of_a_long_input_comes_through() {
        let long: Vec<u8> = (0..5_000_000u32).map(|number| number as u8).collect();
        let mut pipe = started(io::Cursor::new(long.clone()));
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).unwrap();
        assert!(bytes == long);
    }
}
