//! What listens on an open port, found out by speaking to it: a broker in plain text, one that requires a login, TLS,
//! or something else. A Kafka client only knows that its connection was closed; this says why.
//!
//! Two of Kafka's requests are encoded here, since they are answered before any login: ApiVersions and SaslHandshake.
//! It sends no secret, and knows no configuration.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(10);
/// Kafka's answers to these requests are never longer.
const LONGEST_ANSWER: usize = 1 << 20;
const API_VERSIONS: i16 = 18;
const SASL_HANDSHAKE: i16 = 17;
const METADATA: i16 = 3;
/// Kafka's error code for a handshake where no login is required.
const ILLEGAL_SASL_STATE: i16 = 34;

/// What listens.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Listener {
    /// A broker, in plain text, without a login.
    Plain,
    /// A broker, in plain text, that requires a login by one of these mechanisms.
    Login(Vec<String>),
    /// A node that answers in Kafka's protocol and serves no clients.
    Controller,
    /// Something that speaks TLS.
    Tls,
    /// Something else, and what it sent.
    Foreign(String),
    /// Something that closes, or sends nothing.
    Mute,
}

/// Probes what `connect` connects to; it is called for each of the few connections.
pub(super) fn probe<E>(mut connect: impl FnMut() -> Result<TcpStream, E>, mechanism: &str) -> Result<Listener, E> {
    let answer = ask(&mut connect()?, API_VERSIONS, &[]);
    match answer {
        Answer::Kafka(body) if !versions_of(&body).contains(&METADATA) => Ok(Listener::Controller),
        Answer::Kafka(_) => Ok(match handshake(&mut connect()?, mechanism) {
            Some(mechanisms) => Listener::Login(mechanisms),
            None => Listener::Plain,
        }),
        Answer::Foreign(said) => Ok(Listener::Foreign(said)),
        Answer::Tls => Ok(Listener::Tls),
        Answer::None if speaks_tls(&mut connect()?) => Ok(Listener::Tls),
        Answer::None => Ok(Listener::Mute),
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Answer {
    /// The body after the correlation id.
    Kafka(Vec<u8>),
    Tls,
    Foreign(String),
    None,
}

/// Sends a request and reads its answer.
fn ask(stream: &mut TcpStream, api: i16, body: &[u8]) -> Answer {
    const CORRELATION: i32 = 0x504c_5741;
    const VERSION: [u8; 2] = [0, 0];
    const CLIENT: &[u8] = b"platewatch";
    let client_length = (CLIENT.len() as i16).to_be_bytes();
    let version = if api == SASL_HANDSHAKE { [0, 1] } else { VERSION };
    let request = [&api.to_be_bytes()[..], &version, &CORRELATION.to_be_bytes(), &client_length, CLIENT, body].concat();
    let length = (request.len() as i32).to_be_bytes();
    // A server that speaks first may have closed already: what it sent is read anyway.
    let _ = stream.set_write_timeout(Some(ANSWER)).and_then(|()| stream.write_all(&[&length[..], &request].concat()));
    if stream.set_read_timeout(Some(ANSWER)).is_err() {
        return Answer::None;
    }
    let head = read(stream, 8);
    let (Some(length), Some(correlation)) = (number(&head, 0), number(&head, 4)) else { return other(&head, stream) };
    match usize::try_from(length) {
        Ok(length) if correlation == CORRELATION && (4..=LONGEST_ANSWER).contains(&length) => {
            Answer::Kafka(read(stream, length - 4))
        }
        _ => other(&head, stream),
    }
}

/// What begins unlike Kafka.
fn other(head: &[u8], stream: &mut TcpStream) -> Answer {
    match head {
        [] => Answer::None,
        [0x15 | 0x16, 3, ..] => Answer::Tls,
        _ => {
            let mut said = head.to_vec();
            let _ = stream.set_read_timeout(Some(Duration::from_millis(200)));
            said.extend(read(stream, 56));
            let printable = |byte: u8| if byte == b' ' || byte.is_ascii_graphic() { char::from(byte) } else { '.' };
            Answer::Foreign(said.into_iter().map(printable).collect())
        }
    }
}

/// The login mechanisms of a broker; none where it requires no login.
fn handshake(stream: &mut TcpStream, mechanism: &str) -> Option<Vec<String>> {
    let length = i16::try_from(mechanism.len()).ok()?.to_be_bytes();
    let Answer::Kafka(body) = ask(stream, SASL_HANDSHAKE, &[&length[..], mechanism.as_bytes()].concat()) else {
        return None;
    };
    let code = i16::from_be_bytes(body.first_chunk().copied()?);
    if code == ILLEGAL_SASL_STATE {
        return None;
    }
    let (mut mechanisms, mut rest) = (Vec::new(), body.get(6..)?);
    while let Some((length, behind)) = rest.split_first_chunk::<2>() {
        let length = usize::try_from(i16::from_be_bytes(*length)).ok()?;
        mechanisms.push(String::from_utf8_lossy(behind.get(..length)?).into_owned());
        rest = behind.get(length..)?;
    }
    Some(mechanisms)
}

/// The requests that are answered.
fn versions_of(body: &[u8]) -> Vec<i16> {
    let entries = body.get(6..).unwrap_or_default().chunks_exact(6);
    entries.filter_map(|entry| entry.first_chunk().map(|key| i16::from_be_bytes(*key))).collect()
}

/// Sends a TLS 1.2 ClientHello: any TLS record counts as an answer, even an alert.
fn speaks_tls(stream: &mut TcpStream) -> bool {
    #[rustfmt::skip]
    const EXTENSIONS: [u8; 26] = [
        0x00, 0x0a, 0x00, 0x06, 0x00, 0x04, 0x00, 0x17, 0x00, 0x1d, // groups: P-256, X25519
        0x00, 0x0d, 0x00, 0x08, 0x00, 0x06, 0x04, 0x03, 0x08, 0x04, 0x04, 0x01, // signatures: ECDSA, RSA-PSS, RSA
        0x00, 0x17, 0x00, 0x00, // extended master secret
    ];
    const SUITES: [u8; 10] = [0x00, 0x08, 0xc0, 0x2b, 0xc0, 0x2f, 0xc0, 0x2c, 0xc0, 0x30];
    let mut hello = vec![3, 3];
    hello.extend([0x5a; 32]);
    hello.push(0); // no session
    hello.extend(SUITES);
    hello.extend([1, 0]); // no compression
    hello.extend((EXTENSIONS.len() as u16).to_be_bytes());
    hello.extend(EXTENSIONS);
    let mut record = vec![0x16, 3, 1];
    record.extend((hello.len() as u16 + 4).to_be_bytes());
    record.extend([1, 0]);
    record.extend((hello.len() as u16).to_be_bytes());
    record.extend(hello);
    let sent = stream.write_all(&record).and_then(|()| stream.set_read_timeout(Some(ANSWER)));
    sent.is_ok() && matches!(read(stream, 5).as_slice(), [0x15 | 0x16, 3, ..])
}

/// Up to `count` bytes: fewer at the end, or when nothing more comes.
fn read(stream: &mut TcpStream, count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    let mut length = 0;
    while let Some(rest) = bytes.get_mut(length..).filter(|rest| !rest.is_empty()) {
        match stream.read(rest) {
            Ok(0) => break,
            Ok(more) => length += more,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => break,
        }
    }
    bytes.truncate(length);
    bytes
}

fn number(bytes: &[u8], at: usize) -> Option<i32> {
    Some(i32::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    /// Probes a server that answers every connection with `bytes`.
    fn check(bytes: &'static [u8], expected: Listener) {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = server.local_addr().unwrap();
        std::thread::spawn(move || {
            for stream in server.incoming() {
                let mut stream = stream.unwrap();
                let _ = stream.write_all(bytes);
                let _ = stream.shutdown(std::net::Shutdown::Write);
                let _ = stream.read_to_end(&mut Vec::new());
            }
        });
        assert_eq!(probe(|| TcpStream::connect(address), "PLAIN").unwrap(), expected);
    }

    #[test]
    fn what_is_not_kafka_is_told() {
        check(b"HTTP/1.1 400 Bad Request\r\n\r\n", Listener::Foreign("HTTP/1.1 400 Bad Request....".to_owned()));
        check(b"J\0\0\0\x0a8.0.36\0", Listener::Foreign("J....8.0.36.".to_owned()));
        check(b"-ERR", Listener::Foreign("-ERR".to_owned()));
        check(b"\x15\x03\x03\x00\x02\x02\x46", Listener::Tls);
        check(b"", Listener::Mute);
    }
}
