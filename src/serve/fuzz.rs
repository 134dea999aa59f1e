//! Fuzzing of what a client sends: query strings, bodies, headers; and of certificates. What is read is what a plain reading
//! of the same text gives, and audit log, filters and masks see the same fields.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use serde_json::Value;
use traffic::{Catalogue, CivilTime, TimeZoneName};

use super::access::{asks_by_plate, credential, is_our_name, purpose_of};
use super::codes::Named as _;
use super::error::ApiError;
use super::fields::{Fields, MAX_FIELDS, MAX_TEXT_CHARS, MAX_WHOLE};
use super::ingest::one_a_line_of;
use super::listen::certificate_ends_at;
use super::query::{FIELDS, details, filter, order};
use super::settings::ServeSettings;
use super::stream::last_event_id;
use crate::fuzz::outcome::{kind, outcome, size};
use crate::plain;
use crate::reader::Order;

/// Input: a query string.
pub(crate) fn query_string(data: &[u8]) -> u64 {
    let text = String::from_utf8_lossy(data);
    let expected = pairs(&text);
    let fields = Fields::from_query(&text);
    let read = match &fields {
        Ok(Fields::Query(read)) => Some(read),
        _ => None,
    };
    assert_eq!(read, expected.as_ref(), "{text:?}");
    let by_plate = read.is_some_and(|read| read.iter().any(|(name, _)| name == "hphm"));
    assert!(!by_plate || asks_by_plate(&text), "it asks by a plate, which nobody notices: {text:?}");
    match &fields {
        Ok(fields) => outcome((size(expected.map_or(0, |pairs| pairs.len())), values(fields))),
        Err(error) => outcome(words(error)),
    }
}

/// A query string read plainly: as HTML forms are encoded, `%` without two digits as it is; none where it must be refused.
fn pairs(text: &str) -> Option<Vec<(String, String)>> {
    let mut all: Vec<(String, String)> = Vec::new();
    for pair in text.split('&') {
        if pair.is_empty() {
            continue;
        }
        let (name, value) = pair.split_at(pair.find('=').unwrap_or(pair.len()));
        let (name, value) = (decoded(name)?, decoded(value.strip_prefix('=').unwrap_or_default())?);
        if all.len() == MAX_FIELDS || all.iter().any(|(known, _)| *known == name) {
            return None;
        }
        all.push((name, value));
    }
    Some(all)
}

fn decoded(text: &str) -> Option<String> {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match (byte, after) {
            (b'+', _) => bytes.push(b' '),
            (b'%', &[high, low, ref more @ ..]) if digit(high).is_some() && digit(low).is_some() => {
                bytes.push(digit(high)? << 4 | digit(low)?);
                rest = more;
            }
            _ => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).ok()
}

/// Input: the body of a query.
pub(crate) fn query_body(data: &[u8]) -> u64 {
    let plain = serde_json::from_slice::<Value>(data);
    let fields = match Fields::from_json(data) {
        Ok(fields) => fields,
        Err(error) => {
            assert!(!matches!(plain, Ok(Value::Null)), "null is an empty body");
            return outcome(words(&error));
        }
    };
    let Fields::Body(map) = &fields else { return 0 };
    match plain {
        Ok(Value::Object(expected)) => assert_eq!(*map, expected),
        other => assert!(matches!(other, Ok(Value::Null)) && map.is_empty(), "{other:?} is taken for an object"),
    }
    assert!(map.len() <= MAX_FIELDS);
    outcome((size(map.len()), values(&fields)))
}

/// Input: a body of JSON records. Each element stands on a line of its own, and means the same.
pub(crate) fn ingest_body(data: &[u8]) -> u64 {
    let plain = serde_json::from_slice::<Value>(data.strip_prefix(b"\xef\xbb\xbf").unwrap_or(data));
    let lines = match one_a_line_of(data) {
        Ok(lines) => lines,
        Err(error) => {
            assert!(plain.is_err(), "sound JSON is refused");
            return outcome(words(&error));
        }
    };
    let read: Vec<_> = lines.split(|byte| *byte == b'\n').map(serde_json::from_slice::<Value>).collect();
    let read = read.get(..read.len() - 1).unwrap_or_default();
    // A number beyond all bounds is passed on as it is.
    if let Ok(plain) = plain {
        let expected = match plain {
            Value::Array(all) => all,
            one => vec![one],
        };
        let read: Vec<_> = read.iter().flatten().cloned().collect();
        assert_eq!(read, expected);
    }
    outcome((size(read.len()), size(lines.len())))
}

#[cfg(test)]
pub(crate) fn ingest_bodies() -> Vec<Vec<u8>> {
    let bodies = ["[{\"GCXH\":\"G1\",\r\n\"a\":[1, 2e999]},\n7 ,[]]", "{\"GCXH\":1}", "\u{feff} [ ]", "[1,"];
    bodies.map(|body| body.as_bytes().to_vec()).into()
}

/// Reads the fields in every way that handlers do; says how that went.
fn values(fields: &Fields) -> Vec<String> {
    let zone = TimeZoneName::default();
    let settings = ServeSettings::new(std::sync::Arc::new(|| CivilTime(1_704_067_200)), zone.clone());
    let mut said = Vec::new();
    let mut say = |result: Result<(), ApiError>| said.extend(result.err().map(|error| words(&error)));
    for name in ["kkmc", "hphm", "clppxh"] {
        say(fields.text(name).map(|text| {
            let sound = |text: &str| !text.is_empty() && text.trim() == text && text.chars().count() <= MAX_TEXT_CHARS;
            assert!(text.is_none_or(|text| sound(&text)));
        }));
    }
    say(fields.list("columns").map(|list| assert!(list.len() <= MAX_FIELDS)));
    say(fields.flag("excel").map(|flag| assert!(flag.is_none() || fields.has("excel"))));
    say(fields.share("min_probability").map(|share| assert!(share.is_none_or(|share| (0.0..=1.0).contains(&share)))));
    say(fields.whole("limit", 1..=500, 10).map(|limit| assert!((1..=500).contains(&limit))));
    say(fields.page().map(|page| assert!(page > 0)));
    say(fields.visible("note", 20).map(|note| {
        let sound = |note: &String| note.chars().count() <= 20 && !note.contains(plain::is_hazard);
        assert!(note.as_ref().is_none_or(sound));
    }));
    say(fields.named::<Order>("order").map(|order| {
        assert!(order.is_none_or(|order| fields.exact("order").is_ok_and(|text| text == Some(order.name()))));
    }));
    say(fields.only(&FIELDS));
    let filter = filter(fields, &Catalogue::xuzhou(), &settings);
    say(filter.map(|filter| {
        let reversed = filter.time.start.zip(filter.time.end).is_some_and(|(start, end)| start > end);
        assert!(!reversed, "a range from its end to its start");
        assert!(filter.province.as_ref().is_none_or(|province| province.chars().count() <= 1));
        let recorded = details(fields, &filter, order(fields).unwrap_or_default());
        assert_eq!(recorded.get("hphm").is_some(), filter.hphm.is_some(), "the audit log lacks the plate");
    }));
    said.truncate(3);
    said
}

/// Input: lines of headers; the first letter says which. Cookies and tokens are whole and as they were sent, hosts are ours only
/// if they are addresses, and an id of an event is a number.
pub(crate) fn headers(data: &[u8]) -> u64 {
    let mut headers = HeaderMap::new();
    for line in data.split(|byte| *byte == b'\n').take(20) {
        let name = match line.first() {
            Some(b'c') => header::COOKIE,
            Some(b'a') => header::AUTHORIZATION,
            Some(b'h') => header::HOST,
            Some(b'p') => HeaderName::from_static("x-purpose"),
            _ => HeaderName::from_static("last-event-id"),
        };
        if let Ok(value) = HeaderValue::from_bytes(line.get(1..).unwrap_or_default()) {
            headers.append(name, value);
        }
    }
    let found = credential(&headers);
    let cookies: Vec<String> = headers
        .get_all(header::COOKIE)
        .iter()
        .filter(|value| value.as_bytes().iter().all(|byte| matches!(byte, 0x20..0x7f | b'\t')))
        .flat_map(|value| String::from_utf8_lossy(value.as_bytes()).split(';').map(str::to_owned).collect::<Vec<_>>())
        .filter_map(|cookie| cookie.trim().strip_prefix("__Host-platewatch=").map(str::to_owned))
        .collect();
    let expected = if cookies.len() == 1 { cookies.first() } else { None };
    assert_eq!(found.cookie, expected.map(String::as_str), "{headers:?}");
    if let Some(token) = found.token {
        let sent =
            headers.get(header::AUTHORIZATION).map(|value| value.as_bytes().to_ascii_lowercase()).unwrap_or_default();
        assert!(sent.starts_with(b"bearer ") && token.trim() == token, "{headers:?}");
    }
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let ours = is_our_name(&headers, &[]);
    if let Some(host) = host.filter(|_| ours) {
        let name = host.rsplit_once('@').map_or(host, |(_, host)| host).to_ascii_lowercase();
        let known = name.starts_with('[')
            || name.starts_with("localhost")
            || name.starts_with(|first: char| first.is_ascii_digit());
        assert!(known, "{host:?} is taken for an address");
    }
    let event = last_event_id(&headers, &Fields::Query(Vec::new()));
    let event = event.map(|id| id.inspect(|id| assert!(*id <= MAX_WHOLE)).is_some()).map_err(|error| words(&error));
    let purpose = purpose_of(&headers).map(|purpose| {
        purpose.map(|purpose| {
            assert!(!purpose.text.contains(plain::is_hazard) && purpose.text.chars().count() <= 200);
            purpose.code.as_str()
        })
    });
    outcome((found.cookie.is_some(), found.token.is_some(), ours, event, purpose.map_err(|error| words(&error))))
}

/// Input: a certificate in DER, and as PEM. Of what it holds only the end is read here.
pub(crate) fn certificate(data: &[u8]) -> u64 {
    use rustls::pki_types::pem::PemObject as _;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};

    let ends_at = |der: &[u8]| {
        let end = certificate_ends_at(der);
        // DER has years of four digits at most.
        assert!(end.is_none_or(|end| (-62_200_000_000..=253_402_300_799).contains(&end)), "it ends at {end:?}");
        end.map(|end| end / 86_400 / 3_650)
    };
    let plain = ends_at(data);
    let all = CertificateDer::pem_slice_iter(data).take(50).collect::<Result<Vec<_>, _>>();
    let of_pem = all.as_ref().map(|all| (all.len().min(3), all.first().and_then(|der| ends_at(der))));
    let key = PrivateKeyDer::from_pem_slice(data);
    outcome((plain, of_pem.map_err(kind), key.is_ok()))
}

fn words(error: &ApiError) -> String {
    kind(format!("{error:?}"))
}
