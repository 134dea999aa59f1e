//! Both sides of GA/T 1400, of our own making: a camera that registers and sends vehicles, and a platform at which the program registers,
//! which can go away, forget, refuse, answer nonsense or slowly. Digests are made here from RFC 2617 alone.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use md5::{Digest as _, Md5};
use serde_json::{Value, json};

use super::free_port;

const TIMEOUT: Duration = Duration::from_secs(60);

fn md5(text: &str) -> String {
    Md5::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The value of `name="…"` or `name=…` in a header.
fn part(header: &str, name: &str) -> Option<String> {
    header.split([',', ' ']).find_map(|part| {
        let (key, value) = part.trim().split_once('=')?;
        (key == name).then(|| value.trim_matches('"').to_owned())
    })
}

/// The answer to a challenge, with a number for this nonce.
pub(crate) fn proof(challenge: &str, user: &str, password: &str, place: (&str, &str), number: u32) -> String {
    let [realm, nonce] = ["realm", "nonce"].map(|name| part(challenge, name).unwrap());
    let (method, uri) = place;
    let count = format!("{number:08x}");
    let secret = md5(&format!("{user}:{realm}:{password}"));
    let asked = md5(&format!("{method}:{uri}"));
    let response = md5(&format!("{secret}:{nonce}:{count}:0a4f113b:auth:{asked}"));
    format!(
        "Digest username=\"{user}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{uri}\", algorithm=MD5, \
         response=\"{response}\", qop=auth, nc={count}, cnonce=\"0a4f113b\""
    )
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// With what to answer to.
    pub(crate) challenge: Option<String>,
    pub(crate) json: Value,
}

impl Answer {
    /// The codes of a list of statuses.
    pub(crate) fn codes(&self) -> Vec<&str> {
        let all = self.json["ResponseStatusListObject"]["ResponseStatusObject"].as_array();
        all.unwrap_or_else(|| panic!("{self:?}")).iter().map(|one| one["StatusCode"].as_str().unwrap()).collect()
    }
}

/// A camera.
pub(crate) struct Camera {
    /// `host:port` of the program.
    pub(crate) server: String,
    pub(crate) id: String,
    pub(crate) user: String,
    pub(crate) password: String,
    /// From which address a proxy says that it comes.
    pub(crate) from: Option<String>,
}

impl Camera {
    pub(crate) fn new(server: &str, id: &str, user: &str, password: &str) -> Self {
        let [server, id, user, password] = [server, id, user, password].map(str::to_owned);
        Self { server, id, user, password, from: None }
    }

    /// Sends a request with a proof besides its id; none if there is no answer.
    pub(crate) fn try_post(&self, path: &str, body: &[u8], proof: Option<&str>) -> Option<Answer> {
        self.try_with(path, body, proof.map(|proof| ("authorization", proof)))
    }

    /// Sends a request as a page from there does.
    pub(crate) fn try_post_from(&self, origin: &str, path: &str, body: &Value) -> Option<Answer> {
        self.try_with(path, body.to_string().as_bytes(), Some(("origin", origin)))
    }

    /// Says that the body is compressed.
    pub(crate) fn try_packed(&self, path: &str, body: &[u8]) -> Option<Answer> {
        self.try_with(path, body, Some(("content-encoding", "gzip")))
    }

    fn try_with(&self, path: &str, body: &[u8], more: Option<(&str, &str)>) -> Option<Answer> {
        let agent: ureq::Agent =
            ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(TIMEOUT)).build().into();
        let mut request = agent
            .post(format!("http://{}{path}", self.server))
            .header("content-type", "application/VIID+JSON; charset=utf-8")
            .header("user-identify", &self.id);
        if let Some(from) = &self.from {
            request = request.header("x-forwarded-for", from);
        }
        if let Some((name, value)) = more {
            request = request.header(name, value);
        }
        let mut response = request.send(body).ok()?;
        let header = |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        let (status, challenge) = (response.status().as_u16(), header("www-authenticate"));
        let text = response.body_mut().read_to_string().ok()?;
        let json = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{status}: {text}"));
        Some(Answer { status, challenge, json })
    }

    #[track_caller]
    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        self.try_post(path, body.to_string().as_bytes(), None).unwrap()
    }

    /// Sends a request twice: without a proof, and with the one that is asked for.
    #[track_caller]
    pub(crate) fn prove(&self, path: &str, body: &Value) -> Answer {
        let first = self.post(path, body);
        assert_eq!(first.status, 401, "{first:?}");
        let proof = proof(first.challenge.as_deref().unwrap(), &self.user, &self.password, ("POST", path), 1);
        self.try_post(path, body.to_string().as_bytes(), Some(&proof)).unwrap()
    }

    #[track_caller]
    pub(crate) fn register(&self) -> Answer {
        self.prove("/VIID/System/Register", &json!({"RegisterObject": {"DeviceID": self.id}}))
    }

    #[track_caller]
    pub(crate) fn keep_alive(&self) -> Answer {
        self.post("/VIID/System/Keepalive", &json!({"KeepaliveObject": {"DeviceID": self.id}}))
    }

    #[track_caller]
    pub(crate) fn send(&self, vehicles: &[Value]) -> Answer {
        self.post("/VIID/MotorVehicles", &list(vehicles))
    }
}

/// The body with these vehicles.
pub(crate) fn list(vehicles: &[Value]) -> Value {
    json!({"MotorVehicleListObject": {"MotorVehicleObject": vehicles}})
}

/// What a platform does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    /// What it should.
    Fine,
    /// It takes keep-alives and does not answer them.
    DropsKeepalives,
    /// It answers something that is none of its answers.
    Nonsense,
    /// It knows no account.
    Refuses,
    /// It answers later than anybody waits.
    Slow,
}

#[derive(Debug)]
struct Known {
    mood: Mood,
    is_registered: bool,
    subscriptions: Vec<Value>,
    /// `METHOD path` of all that it did.
    done: Vec<String>,
}

/// A platform at which the program registers.
pub(crate) struct Platform {
    port: u16,
    known: Arc<Mutex<Known>>,
    running: Option<(Arc<AtomicBool>, std::thread::JoinHandle<()>)>,
    next: AtomicU64,
}

/// Its account for the program.
pub(crate) const USER: &str = "platewatch";
pub(crate) const PASSWORD: &str = "hush-hush";
/// Its id.
pub(crate) const PLATFORM: &str = "32000000005030000001";

impl Platform {
    pub(crate) fn start() -> Self {
        let known = Known { mood: Mood::Fine, is_registered: false, subscriptions: Vec::new(), done: Vec::new() };
        let known = Arc::new(Mutex::new(known));
        let mut platform = Self { port: free_port(), known, running: None, next: AtomicU64::new(1) };
        platform.start_again();
        platform
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set(&self, mood: Mood) {
        self.known().mood = mood;
    }

    /// How often it did this, as `POST /VIID/System/Register`.
    pub(crate) fn done(&self, what: &str) -> usize {
        self.known().done.iter().filter(|done| done.starts_with(what)).count()
    }

    /// The subscriptions that it has.
    pub(crate) fn subscriptions(&self) -> Vec<Value> {
        self.known().subscriptions.clone()
    }

    /// Stops; it forgets who has registered, and keeps subscriptions.
    pub(crate) fn stop(&mut self) {
        let (stop, thread) = self.running.take().unwrap();
        stop.store(true, Ordering::Release);
        thread.join().unwrap();
        self.known().is_registered = false;
    }

    pub(crate) fn start_again(&mut self) {
        let listener = TcpListener::bind(("127.0.0.1", self.port)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let (stopping, known) = (stop.clone(), self.known.clone());
        let thread = std::thread::spawn(move || {
            while !stopping.load(Ordering::Acquire) {
                match listener.accept() {
                    Ok((stream, _)) => {
                        let known = known.clone();
                        std::thread::spawn(move || drop(answer(stream, &known)));
                    }
                    Err(_) => std::thread::sleep(Duration::from_millis(5)),
                }
            }
        });
        self.running = Some((stop, thread));
    }

    /// Sends a notification with vehicles, of a subscription that it has or another.
    #[track_caller]
    pub(crate) fn notify(&self, subscription: &str, vehicles: &[Value]) -> Answer {
        let url = self.subscriptions()[0]["ReceiveAddr"].as_str().unwrap().to_owned();
        let (server, path) = url.strip_prefix("http://").and_then(|place| place.split_once('/')).unwrap();
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let body = json!({"SubscribeNotificationListObject": {"SubscribeNotificationObject": [{
            "NotificationID": format!("{number:033}"), "SubscribeID": subscription, "Title": "t",
            "TriggerTime": "20240101000030", "InfoIDs": "a,b",
            "MotorVehicleObjectList": {"MotorVehicleObject": vehicles},
        }]}});
        Camera::new(server, PLATFORM, "", "").post(&format!("/{path}"), &body)
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        if let Some((stop, _)) = &self.running {
            stop.store(true, Ordering::Release);
        }
    }
}

/// Reads one request and answers it.
fn answer(mut stream: TcpStream, known: &Mutex<Known>) -> std::io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let (mut first, mut length, mut proof) = (String::new(), 0, None);
    reader.read_line(&mut first)?;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().unwrap_or(0),
            "authorization" => proof = Some(value.trim().to_owned()),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let mut words = first.split(' ');
    let (method, path) = (words.next().unwrap_or_default().to_owned(), words.next().unwrap_or_default().to_owned());
    let mood = known.lock().unwrap_or_else(PoisonError::into_inner).mood;
    let (status, more, text) = match mood {
        Mood::DropsKeepalives if path.ends_with("/Keepalive") => return Ok(()),
        Mood::Slow => {
            std::thread::sleep(Duration::from_secs(2));
            return Ok(());
        }
        Mood::Nonsense => (200, String::new(), "<html>welcome</html>".to_owned()),
        Mood::Refuses => (401, challenge(), String::new()),
        Mood::Fine | Mood::DropsKeepalives => {
            let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
            match done(&mut known, &method, &path, proof.as_deref(), &body) {
                Some(status) => {
                    known.done.push(format!("{method} {path}"));
                    (
                        200,
                        String::new(),
                        json!({"ResponseStatusObject": {"StatusCode": status, "StatusString": "x"}}).to_string(),
                    )
                }
                None => (401, challenge(), String::new()),
            }
        }
    };
    let head = format!("HTTP/1.1 {status} x\r\n{more}Content-Length: {}\r\nConnection: close\r\n\r\n", text.len());
    stream.write_all(head.as_bytes())?;
    stream.write_all(text.as_bytes())
}

fn challenge() -> String {
    "WWW-Authenticate: Digest realm=\"there\", nonce=\"n1\", qop=\"auth\", algorithm=MD5\r\n".to_owned()
}

/// The status code of what was asked for; none if it is not proven who asks.
fn done(known: &mut Known, method: &str, path: &str, proof: Option<&str>, body: &[u8]) -> Option<Value> {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    if path == "/VIID/System/Register" {
        let header = proof?;
        let [nonce, count, client, response] = ["nonce", "nc", "cnonce", "response"].map(|name| part(header, name));
        let secret = md5(&format!("{USER}:there:{PASSWORD}"));
        let asked = md5(&format!("{method}:{path}"));
        let expected = md5(&format!("{secret}:{}:{}:{}:auth:{asked}", nonce?, count?, client?));
        if response? != expected || body["RegisterObject"]["DeviceID"].as_str().is_none_or(|id| id.len() != 20) {
            return None;
        }
        known.is_registered = true;
        return Some(json!("0"));
    }
    if !known.is_registered {
        return None;
    }
    match (method, path) {
        ("POST", "/VIID/Subscribes") => {
            let new = body["SubscribeListObject"]["SubscribeObject"][0].clone();
            if known.subscriptions.iter().any(|old| old["SubscribeID"] == new["SubscribeID"]) {
                return Some(json!(4));
            }
            known.subscriptions.push(new);
        }
        ("DELETE", _) => {
            let id = path.split("IDList=").nth(1).unwrap_or_default();
            known.subscriptions.retain(|old| old["SubscribeID"] != *id);
        }
        ("POST", "/VIID/System/UnRegister") => known.is_registered = false,
        _ => {}
    }
    Some(json!(0))
}
