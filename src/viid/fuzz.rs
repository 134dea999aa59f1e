//! The fuzzing target `viid`: bodies with vehicles as they come over the network, in pieces, with texts that are left out.

use serde_json::Value;

use super::checkpoints::Checkpoints;
use super::digest::{Authorization, Challenge};
use super::elide::{Elision, LONGEST_TEXT};
use super::upload::{MOST_OBJECTS, Upload, notifications, vehicles};

/// Bytes of records at most.
const ENOUGH: usize = 1 << 20;

/// Input: a byte that says how it is cut, and a body; or a header.
pub(crate) fn bodies(data: &[u8]) -> u64 {
    let (cut, body) = data.split_first().map_or((1, data), |(cut, body)| (usize::from(*cut).max(1), body));
    let elided = |piece: usize| {
        let (mut elision, mut kept) = (Elision::default(), Vec::new());
        body.chunks(piece).for_each(|piece| elision.take(piece, &mut kept));
        kept
    };
    let kept = elided(cut);
    assert_eq!(kept, elided(usize::MAX), "how a body is cut changes what is kept of it");
    if let Ok(value) = serde_json::from_slice::<Value>(body) {
        // Escapes are counted as they are written, so what has no long text is as it was.
        let same = serde_json::from_slice::<Value>(&kept);
        assert!(same.is_ok(), "it was JSON before: {same:?}");
        assert!(body.len() > LONGEST_TEXT || same.is_ok_and(|same| same == value));
    }
    let checkpoints = Checkpoints::default();
    let all = [vehicles(&kept, &checkpoints, ENOUGH), notifications(&kept, &checkpoints, ENOUGH, None)];
    let mut read = 0;
    for upload in all.into_iter().flatten() {
        read += check(&upload);
    }
    if let Ok(header) = std::str::from_utf8(body) {
        // Only what we send must be read back.
        let ours = |answer: &Authorization| {
            answer.count().is_some() && answer.response.bytes().all(|byte| byte.is_ascii_hexdigit())
        };
        if let Some(answer) = Authorization::parse(header).filter(ours) {
            let again = answer.header();
            assert!(again.len() > 2_048 || Authorization::parse(&again).as_ref() == Some(&answer), "{header}");
        }
        if let Some(challenge) = Challenge::parse(header) {
            let answer = challenge.answered("a", "b", "POST", "/", "c");
            assert!(Authorization::parse(&answer).is_some(), "{answer}");
        }
    }
    read
}

fn check(upload: &Upload) -> u64 {
    let lines: Vec<&[u8]> = upload.lines.split_inclusive(|byte| *byte == b'\n').collect();
    assert!(lines.len() <= MOST_OBJECTS && lines.len() == upload.ids.len(), "each object is one line");
    let said: usize = upload.notifications.iter().map(|notification| notification.objects).sum();
    assert!(upload.notifications.is_empty() || said == lines.len());
    for line in &lines {
        assert!(line.starts_with(b"{") || line.starts_with(b"\x15"));
    }
    lines.len() as u64
}

/// Inputs to begin with.
#[cfg(test)]
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let object = r#"{"MotorVehicleID":"a","TollgateID":"32031200001310000001","PassTime":"20240101000024","PlateNo":"苏C12345","PlateClass":"02","VehicleBrand":"1","HasPlate":true}"#;
    let long = "x".repeat(LONGEST_TEXT + 1);
    [
        format!("\u{3}{{\"MotorVehicleListObject\":{{\"MotorVehicleObject\":[{object},{object}]}}}}"),
        format!("\u{7}{{\"SubscribeNotificationListObject\":{{\"SubscribeNotificationObject\":[{{\"NotificationID\":\"n\",\"SubscribeID\":\"s\",\"MotorVehicleObjectList\":{{\"MotorVehicleObject\":[{object}]}}}}]}}}}"),
        format!("\u{64}{{\"MotorVehicleListObject\":[{{\"Data\":\"{long}\"}}]}}"),
        "\u{1}Digest username=\"a\", realm=\"r\", nonce=\"n\", uri=\"/\", response=\"x\", qop=auth, nc=00000001, cnonce=\"c\"".to_owned(),
        "\u{1}Digest realm=\"r\", nonce=\"n\", qop=\"auth\", algorithm=MD5".to_owned(),
    ]
    .map(String::into_bytes)
    .to_vec()
}
