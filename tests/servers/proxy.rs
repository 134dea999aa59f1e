//! A TCP proxy that treats connections badly, on request: refuses, stalls, cuts, truncates and delays, for all or for
//! one connection, switched while it runs. It does not know the protocol.

use std::collections::HashMap;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::free_port;

/// How connections are treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Passes everything.
    Pass,
    /// New connections are refused, those that were there are cut: the target is stopped.
    Refuse,
    /// Connections are accepted and nothing moves, in either direction: a firewall drops packets silently. What was
    /// sent meanwhile arrives when it passes again, as lost packets do that are sent again.
    Stall,
    /// Each piece arrives this much later.
    Delay(Duration),
}

/// A fault that happens once, to the first connection it applies to, which is then cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// After this many more bytes to the target, over all connections: a statement arrives in part.
    CutUpstream(u64),
    /// When the target has got a request of at least `least` bytes and answers: it has done its work, and the client
    /// does not learn that.
    CutBeforeAnswer {
        /// The least size of the request.
        least: u64,
    },
    /// The same, but `arrive` bytes of the answer arrive.
    TruncateAnswer {
        /// The least size of the request.
        least: u64,
        /// Bytes of the answer that arrive.
        arrive: u64,
    },
}

/// A proxy in front of one target.
pub(crate) struct Proxy {
    port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    port: u16,
    target: u16,
    state: Mutex<State>,
    closed: AtomicBool,
    listening: AtomicBool,
    next: AtomicU64,
    upstream: AtomicU64,
    downstream: AtomicU64,
    faults_met: AtomicU64,
}

struct State {
    mode: Mode,
    /// For single connections, instead of `mode`.
    own: HashMap<u64, Mode>,
    fault: Option<Fault>,
    open: HashMap<u64, Open>,
}

struct Open {
    client: TcpStream,
    target: TcpStream,
    /// Bytes sent to the target since its last answer.
    request: u64,
    /// Answered since the last request began.
    answered: bool,
}

/// How often a thread checks whether the mode of its connection has changed.
const GLANCE: Duration = Duration::from_millis(10);

impl Proxy {
    /// A proxy in front of `target` on 127.0.0.1 that passes everything.
    pub(crate) fn start(target: u16) -> Self {
        let port = free_port();
        let shared = Arc::new(Shared {
            port,
            target,
            state: Mutex::new(State { mode: Mode::Pass, own: HashMap::new(), fault: None, open: HashMap::new() }),
            closed: AtomicBool::new(false),
            listening: AtomicBool::new(true),
            next: AtomicU64::new(0),
            upstream: AtomicU64::new(0),
            downstream: AtomicU64::new(0),
            faults_met: AtomicU64::new(0),
        });
        let listener = shared.listen();
        let accepting = shared.clone();
        std::thread::spawn(move || accepting.accept(Some(listener)));
        Self { port, shared }
    }

    /// Its port on 127.0.0.1.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Sets the mode of all connections, including open ones.
    pub(crate) fn set(&self, mode: Mode) {
        let mut state = self.shared.state();
        state.mode = mode;
        state.own.clear();
        drop(state);
        if mode == Mode::Refuse {
            self.cut();
        }
        // The mode is in effect when this returns.
        while self.shared.listening.load(Ordering::SeqCst) == (mode == Mode::Refuse) {
            std::thread::sleep(GLANCE);
        }
    }

    /// Sets the mode of one open connection; see [`Self::connections`].
    pub(crate) fn set_one(&self, connection: u64, mode: Mode) {
        self.shared.state().own.insert(connection, mode);
    }

    /// The open connections, oldest first.
    pub(crate) fn connections(&self) -> Vec<u64> {
        let mut open: Vec<u64> = self.shared.state().open.keys().copied().collect();
        open.sort_unstable();
        open
    }

    /// Cuts all connections; new ones are treated as before.
    pub(crate) fn cut(&self) {
        for connection in self.connections() {
            self.cut_one(connection);
        }
    }

    /// Cuts one connection.
    pub(crate) fn cut_one(&self, connection: u64) {
        self.shared.close(connection);
    }

    /// Sets a fault that is to happen once.
    pub(crate) fn arm(&self, fault: Fault) {
        self.shared.state().fault = Some(fault);
    }

    /// How many faults have happened.
    pub(crate) fn faults_met(&self) -> u64 {
        self.shared.faults_met.load(Ordering::SeqCst)
    }

    /// Bytes that went to the target, and that came back.
    pub(crate) fn bytes(&self) -> (u64, u64) {
        (self.shared.upstream.load(Ordering::SeqCst), self.shared.downstream.load(Ordering::SeqCst))
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::SeqCst);
        self.cut();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn listen(&self) -> TcpListener {
        let listener = TcpListener::bind(("127.0.0.1", self.port)).unwrap();
        listener.set_nonblocking(true).unwrap();
        listener
    }

    /// Accepts connections until the proxy is dropped.
    fn accept(self: &Arc<Self>, mut listener: Option<TcpListener>) {
        let mut stalled = Vec::new();
        while !self.closed.load(Ordering::SeqCst) {
            let mode = self.state().mode;
            match (mode, &listener) {
                (Mode::Refuse, _) => {
                    listener = None;
                    stalled.clear();
                }
                (_, None) => listener = Some(self.listen()),
                (Mode::Stall, Some(_)) => {}
                (_, Some(_)) => stalled.drain(..).for_each(|client| self.connect(client)),
            }
            self.listening.store(listener.is_some(), Ordering::SeqCst);
            match listener.as_ref().map(TcpListener::accept) {
                // A stalled network does not even show whether the target is there.
                Some(Ok((client, _))) if mode == Mode::Stall => stalled.push(client),
                Some(Ok((client, _))) => self.connect(client),
                Some(Err(_)) | None => std::thread::sleep(GLANCE),
            }
        }
    }

    fn connect(self: &Arc<Self>, client: TcpStream) {
        // The client sees its connection close at once: the proxy cannot show more.
        let Ok(target) = TcpStream::connect(("127.0.0.1", self.target)) else { return };
        for stream in [&client, &target] {
            stream.set_nonblocking(false).unwrap();
            stream.set_nodelay(true).unwrap();
            stream.set_read_timeout(Some(GLANCE)).unwrap();
        }
        let connection = self.next.fetch_add(1, Ordering::SeqCst);
        let [client_again, target_again] = [&client, &target].map(|stream| stream.try_clone().unwrap());
        let [client_kept, target_kept] = [&client, &target].map(|stream| stream.try_clone().unwrap());
        let open = Open { client: client_kept, target: target_kept, request: 0, answered: true };
        self.state().open.insert(connection, open);
        let (up, down) = (self.clone(), self.clone());
        std::thread::spawn(move || up.pump(connection, client, target, true));
        std::thread::spawn(move || down.pump(connection, target_again, client_again, false));
    }

    /// Carries bytes one way until an end closes or the connection is cut.
    fn pump(&self, connection: u64, mut from: TcpStream, mut to: TcpStream, upstream: bool) {
        let mut buffer = vec![0; 64 << 10];
        loop {
            let mode = self.mode(connection);
            if mode == Mode::Stall {
                if !self.is_open(connection) {
                    break;
                }
                std::thread::sleep(GLANCE);
                continue;
            }
            let count = match from.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => continue,
                Err(_) => break,
            };
            if let Mode::Delay(delay) = mode {
                std::thread::sleep(delay);
            }
            // It may have been stalled while this was read.
            while self.mode(connection) == Mode::Stall && self.is_open(connection) {
                std::thread::sleep(GLANCE);
            }
            let allowed = if upstream { self.send(connection, count) } else { self.answer(connection) };
            let passing = allowed.unwrap_or(count as u64).min(count as u64) as usize;
            let counter = if upstream { &self.upstream } else { &self.downstream };
            counter.fetch_add(passing as u64, Ordering::SeqCst);
            if to.write_all(&buffer[..passing]).is_err() || allowed.is_some() {
                break;
            }
        }
        self.close(connection);
    }

    /// `count` bytes are to go to the target; if some: only this many, then the cut.
    fn send(&self, connection: u64, count: usize) -> Option<u64> {
        let mut state = self.state();
        if let Some(open) = state.open.get_mut(&connection) {
            open.request = if open.answered { 0 } else { open.request } + count as u64;
            open.answered = false;
        }
        match &mut state.fault {
            Some(Fault::CutUpstream(left)) if *left <= count as u64 => {
                let allowed = *left;
                state.fault = None;
                self.faults_met.fetch_add(1, Ordering::SeqCst);
                Some(allowed)
            }
            Some(Fault::CutUpstream(left)) => {
                *left -= count as u64;
                None
            }
            _ => None,
        }
    }

    /// `count` bytes have come from the target; if some: only this many are passed on, then the cut.
    fn answer(&self, connection: u64) -> Option<u64> {
        let mut state = self.state();
        let request = match state.open.get_mut(&connection) {
            Some(open) if !open.answered => {
                open.answered = true;
                open.request
            }
            _ => return None,
        };
        let allowed = match state.fault? {
            Fault::CutBeforeAnswer { least } if request >= least => 0,
            Fault::TruncateAnswer { least, arrive } if request >= least => arrive,
            _ => return None,
        };
        state.fault = None;
        self.faults_met.fetch_add(1, Ordering::SeqCst);
        Some(allowed)
    }

    fn mode(&self, connection: u64) -> Mode {
        let state = self.state();
        state.own.get(&connection).copied().unwrap_or(state.mode)
    }

    fn is_open(&self, connection: u64) -> bool {
        self.state().open.contains_key(&connection)
    }

    fn close(&self, connection: u64) {
        if let Some(open) = self.state().open.remove(&connection) {
            let _ = open.client.shutdown(Shutdown::Both);
            let _ = open.target.shutdown(Shutdown::Both);
        }
    }
}
