//! Whether an address can be reached at all: its name, and a TCP connection. It knows no protocol above that.

use std::fmt;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, ToSocketAddrs as _};
use std::sync::mpsc;
use std::time::Duration;

/// How long a name may take to be resolved.
const RESOLVING: Duration = Duration::from_secs(10);
/// How long a connection may take.
const CONNECTING: Duration = Duration::from_secs(5);

/// `host:port`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) host: String,
    pub(super) port: u16,
}

/// Why there is no connection.
#[derive(Debug)]
pub(super) enum Unreachable {
    /// The name cannot be resolved here.
    Unresolved,
    /// The machine is there, and nothing listens.
    Refused,
    /// Nothing comes back.
    Silent,
    /// What the operating system says.
    Other(io::Error),
}

impl Address {
    /// Reads `host:port`; an IPv6 address may be in brackets.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (host, port) = text.trim().rsplit_once(':')?;
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        Some(Self { host: host.to_owned(), port: port.parse().ok()? })
    }

    /// The addresses of the name.
    pub(super) fn resolve(&self) -> Result<Vec<SocketAddr>, Unreachable> {
        let (found, wait) = mpsc::channel();
        let (host, port) = (self.host.clone(), self.port);
        // The system's resolver has no deadline: a late answer is dropped.
        let resolving = std::thread::Builder::new().name("resolver".to_owned()).spawn(move || {
            let _ = found.send((host.as_str(), port).to_socket_addrs().map(Iterator::collect::<Vec<_>>));
        });
        resolving.map_err(Unreachable::Other)?;
        match wait.recv_timeout(RESOLVING) {
            Ok(Ok(addresses)) if !addresses.is_empty() => Ok(addresses),
            _ => Err(Unreachable::Unresolved),
        }
    }

    /// A connection to the first of its addresses that accepts one.
    pub(super) fn connect(&self) -> Result<TcpStream, Unreachable> {
        let mut failure = Unreachable::Unresolved;
        for address in self.resolve()? {
            match TcpStream::connect_timeout(&address, CONNECTING) {
                Ok(stream) => return Ok(stream),
                Err(error) => failure = Unreachable::of(error),
            }
        }
        Err(failure)
    }

    /// Whether it is a loopback address.
    pub(super) fn is_loopback(&self) -> bool {
        self.resolve().is_ok_and(|all| all.iter().all(|it| it.ip().to_canonical().is_loopback()))
    }

    /// Whether it is one of this machine's own addresses.
    pub(super) fn is_here(&self) -> bool {
        let own = |ip: IpAddr| TcpListener::bind((ip, 0)).is_ok();
        self.resolve().is_ok_and(|all| all.iter().any(|address| own(address.ip())))
    }
}

impl Unreachable {
    fn of(error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::ConnectionRefused => Self::Refused,
            ErrorKind::TimedOut | ErrorKind::WouldBlock => Self::Silent,
            _ => Self::Other(error),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

/// The end of a sentence about an address.
impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unresolved => f.write_str("this machine cannot resolve the name"),
            Self::Refused => f.write_str("the connection is refused: nothing listens there"),
            Self::Silent => {
                write!(f, "no answer within {} s: a firewall, or a machine that is off", CONNECTING.as_secs())
            }
            Self::Other(error) => write!(f, "{error}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_written() {
        for (text, host, port) in [("kafka-1:9092", "kafka-1", 9092), (" 10.0.0.1:1 ", "10.0.0.1", 1)] {
            let address = Address::parse(text).unwrap();
            assert_eq!((address.host.as_str(), address.port, address.to_string().as_str()), (host, port, text.trim()));
        }
        for text in ["[::1]:9092", "::1:9092"] {
            assert_eq!(Address::parse(text).unwrap().to_string(), "[::1]:9092");
        }
        assert!(Address::parse("kafka").is_none() && Address::parse("kafka:x").is_none());
    }

    #[test]
    fn what_is_here_is_told_from_what_is_not() {
        let here = Address::parse("localhost:1").unwrap();
        assert!(here.is_loopback() && here.is_here());
        // A block for documentation: no machine has such an address.
        let elsewhere = Address::parse("192.0.2.7:1").unwrap();
        assert!(!elsewhere.is_loopback() && !elsewhere.is_here());
    }

    #[test]
    fn what_fails_is_told_apart() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let open = Address { host: "127.0.0.1".to_owned(), port: listener.local_addr().unwrap().port() };
        assert!(open.connect().is_ok());
        drop(listener);
        assert!(matches!(open.connect(), Err(Unreachable::Refused)));
        let nameless = Address::parse("no-such-host.invalid:9092").unwrap();
        assert!(matches!(nameless.connect(), Err(Unreachable::Unresolved)));
    }
}
