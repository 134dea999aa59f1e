//! The bodies in which MotorVehicle objects come, from a device or as a notification, to lines of records. It does not know HTTP.
//!
//! What is not JSON, or holds too much, is refused whole. An object or notification that cannot be read becomes a line that is refused
//! and kept as it came, and those around it are taken: who is refused sends the same again.

use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::body::Body;
use super::checkpoints::Checkpoints;
use super::vehicle::{Columns, id_of};
use crate::deliveries::spaced;
use crate::events::{Bounds, EventLines};

/// Objects of one body at most.
pub const MOST_OBJECTS: usize = 10_000;
/// Characters of an id that is answered.
const LONGEST_ID: usize = 64;

/// A body that is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UploadError {
    /// It is not what it should be.
    #[error("{0}")]
    NotJson(String),
    /// It has no list of objects.
    #[error("there is no {0} in it")]
    NoList(&'static str),
    /// There is too much in it.
    #[error("it holds more than {MOST_OBJECTS} objects, or too much text")]
    TooMuch,
}

impl From<serde_json::Error> for UploadError {
    fn from(error: serde_json::Error) -> Self {
        Self::NotJson(error.to_string())
    }
}

/// Objects that belong together, and are answered together or each by itself.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Notification {
    /// Its own id.
    pub id: String,
    /// Of which subscription it is.
    pub subscription: String,
    /// How many objects of it were taken.
    pub objects: usize,
    /// It is of another subscription than ours: nothing of it was taken.
    pub is_foreign: bool,
}

/// What a body holds.
#[derive(Debug, Default)]
pub struct Upload {
    /// A line for each object: a record, or what is refused.
    pub lines: Vec<u8>,
    /// The id of each object, cut where it is too long.
    pub ids: Vec<String>,
    /// Which notifications they came in, in their order; none if they came by themselves.
    pub notifications: Vec<Notification>,
}

#[derive(Deserialize)]
struct Vehicles<'a> {
    #[serde(borrow, rename = "MotorVehicleListObject", alias = "MotorVehicleObjectList")]
    list: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Notifications<'a> {
    #[serde(borrow, rename = "SubscribeNotificationListObject", alias = "SubscribeNotificationObjectList")]
    list: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Notified<'a> {
    #[serde(borrow, rename = "MotorVehicleObjectList", alias = "MotorVehicleListObject")]
    vehicles: Option<&'a RawValue>,
    #[serde(borrow, rename = "NotificationID")]
    id: Option<&'a RawValue>,
    #[serde(borrow, rename = "SubscribeID")]
    subscription: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct List<'a> {
    #[serde(borrow, rename = "MotorVehicleObject", alias = "SubscribeNotificationObject")]
    elements: Option<&'a RawValue>,
}

/// The elements of a JSON array, as long as they are not too many.
struct Elements<'a>(Vec<&'a RawValue>, usize);

impl<'de: 'a, 'a> Deserialize<'de> for Elements<'a> {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        struct Visit;
        impl<'de> Visitor<'de> for Visit {
            type Value = (Vec<&'de RawValue>, usize);

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut all: A) -> Result<Self::Value, A::Error> {
                let (mut kept, mut count) = (Vec::new(), 0);
                while let Some(element) = all.next_element::<&RawValue>()? {
                    count += 1;
                    if count <= MOST_OBJECTS {
                        kept.push(element);
                    }
                }
                Ok((kept, count))
            }
        }
        let (kept, count) = json.deserialize_seq(Visit)?;
        Ok(Self(kept, count))
    }
}

/// The elements of a list: an object that holds them under its name, one element instead of several, or the array itself.
fn elements(list: &RawValue) -> Result<Vec<&RawValue>, UploadError> {
    let array = |value: &'_ RawValue| value.get().starts_with('[');
    let all = if array(list) {
        list
    } else {
        let List { elements } = serde_json::from_str(list.get())?;
        match elements.filter(|elements| elements.get() != "null") {
            None => return Ok(Vec::new()),
            Some(one) if !array(one) => return Ok(vec![one]),
            Some(all) => all,
        }
    };
    let Elements(kept, count) = serde_json::from_str(all.get())?;
    if count > MOST_OBJECTS { Err(UploadError::TooMuch) } else { Ok(kept) }
}

/// A text or a number, for an answer.
fn short_text(value: Option<&RawValue>) -> String {
    let value = value.map(RawValue::get).unwrap_or_default();
    let text = serde_json::from_str::<String>(value).unwrap_or_else(|_| value.to_owned());
    text.chars().take(LONGEST_ID).collect()
}

/// What collects objects.
struct Collector<'a> {
    body: &'a Body<'a>,
    checkpoints: &'a Checkpoints,
    lines: EventLines,
    ids: Vec<String>,
}

impl<'a> Collector<'a> {
    fn new(body: &'a Body<'a>, checkpoints: &'a Checkpoints, most_bytes: usize) -> Self {
        // What is refused has a byte more.
        let bounds = Bounds { bytes: most_bytes.saturating_add(2 * MOST_OBJECTS), records: MOST_OBJECTS };
        Self { body, checkpoints, lines: EventLines::within(bounds), ids: Vec::new() }
    }

    /// Adds the objects of a list; how many there were.
    fn take(&mut self, list: &RawValue) -> Result<usize, UploadError> {
        let all = elements(list)?;
        for object in &all {
            let object = object.get();
            match Columns::of(object, self.checkpoints) {
                Some(columns) => {
                    self.lines.push(&columns).map_err(|_| UploadError::TooMuch)?;
                    self.ids.push(id_of(object).chars().take(LONGEST_ID).collect());
                }
                None => self.refuse(object)?,
            }
        }
        Ok(all.len())
    }

    /// Adds what cannot be read.
    fn refuse(&mut self, object: &str) -> Result<(), UploadError> {
        let line: Vec<u8> = self.body.came(object).iter().copied().map(spaced).collect();
        self.lines.push_refused(&line).map_err(|_| UploadError::TooMuch)?;
        self.ids.push(id_of(object).chars().take(LONGEST_ID).collect());
        Ok(())
    }

    /// Adds what a notification holds, unless it is of another subscription than `ours`.
    fn notified(&mut self, notification: &str, ours: Option<&str>) -> Result<Notification, UploadError> {
        let read = serde_json::from_str::<Notified<'_>>(notification);
        let Ok(Notified { vehicles, id, subscription }) = read else {
            self.refuse(notification)?;
            return Ok(Notification { objects: 1, ..Notification::default() });
        };
        let said =
            Notification { id: short_text(id), subscription: short_text(subscription), ..Notification::default() };
        if ours.is_some_and(|ours| said.subscription != ours) {
            return Ok(Notification { is_foreign: true, ..said });
        }
        let objects = match vehicles.filter(|vehicles| vehicles.get() != "null").map(|vehicles| self.take(vehicles)) {
            None => 0,
            Some(Err(UploadError::NotJson(_) | UploadError::NoList(_))) => {
                self.refuse(notification)?;
                1
            }
            Some(taken) => taken?,
        };
        Ok(Notification { objects, ..said })
    }
}

/// The objects that a device sends (`/VIID/MotorVehicles`). No more than `most_bytes` are made of them.
///
/// # Errors
/// [`UploadError`].
pub fn vehicles(body: &[u8], checkpoints: &Checkpoints, most_bytes: usize) -> Result<Upload, UploadError> {
    let body = Body::of(body);
    let Vehicles { list } = serde_json::from_str(&body.text)?;
    let mut collector = Collector::new(&body, checkpoints, most_bytes);
    collector.take(list.ok_or(UploadError::NoList("MotorVehicleListObject"))?)?;
    Ok(Upload { lines: collector.lines.into_bytes(), ids: collector.ids, notifications: Vec::new() })
}

/// The objects of notifications (`/VIID/SubscribeNotifications`): of this subscription, or of any. What else they are about is passed
/// over.
///
/// # Errors
/// [`UploadError`].
pub fn notifications(
    body: &[u8],
    checkpoints: &Checkpoints,
    most_bytes: usize,
    ours: Option<&str>,
) -> Result<Upload, UploadError> {
    let body = Body::of(body);
    let Notifications { list } = serde_json::from_str(&body.text)?;
    let list = list.ok_or(UploadError::NoList("SubscribeNotificationListObject"))?;
    let mut collector = Collector::new(&body, checkpoints, most_bytes);
    let all = elements(list)?.into_iter().map(|notification| collector.notified(notification.get(), ours));
    let all = all.collect::<Result<_, _>>()?;
    Ok(Upload { lines: collector.lines.into_bytes(), ids: collector.ids, notifications: all })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const ENOUGH: usize = 1 << 20;

    fn object(id: &str) -> Value {
        json!({"MotorVehicleID": id, "DeviceID": "d", "PassTime": "20240101000024", "PlateNo": "苏C12345"})
    }

    fn plated(id: &str, plate: &[u8]) -> Vec<u8> {
        [b"{\"MotorVehicleID\":\"", id.as_bytes(), b"\",\"PlateNo\":\"", plate, b"\"}"].concat()
    }

    fn read(body: &Value) -> Result<Upload, UploadError> {
        vehicles(body.to_string().as_bytes(), &Checkpoints::default(), ENOUGH)
    }

    fn lines(upload: &Upload) -> Vec<String> {
        String::from_utf8(upload.lines.clone()).unwrap().lines().map(str::to_owned).collect()
    }

    #[test]
    fn lists_are_read_however_they_are_spelt() {
        for body in [
            json!({"MotorVehicleListObject": {"MotorVehicleObject": [object("a")]}}),
            json!({"MotorVehicleObjectList": {"MotorVehicleObject": [object("a")]}}),
            json!({"MotorVehicleListObject": {"MotorVehicleObject": object("a")}}),
            json!({"MotorVehicleListObject": [object("a")]}),
        ] {
            let upload = read(&body).unwrap();
            assert_eq!((lines(&upload).len(), &upload.ids[..]), (1, &["a".to_owned()][..]), "{body}");
            assert!(lines(&upload)[0].contains("\"GCXH\":\"a\""));
        }
        for nothing in
            [json!({"MotorVehicleListObject": {}}), json!({"MotorVehicleListObject": {"MotorVehicleObject": null}})]
        {
            assert_eq!(read(&nothing).unwrap().ids.len(), 0);
        }
    }

    #[test]
    fn an_object_that_cannot_be_read_is_kept_and_those_around_it_are_taken() {
        let body = json!({"MotorVehicleListObject": {"MotorVehicleObject": [object("a"), {"MotorVehicleID": "b", "PlateNo": []}, 7, object("c")]}});
        let pretty = serde_json::to_vec_pretty(&body).unwrap();
        let upload = vehicles(&pretty, &Checkpoints::default(), ENOUGH).unwrap();
        assert_eq!(upload.ids, ["a", "b", "", "c"]);
        let lines = lines(&upload);
        assert!(lines.len() == 4 && lines[1].starts_with("\u{15}{") && lines[2] == "\u{15}7", "{lines:?}");
    }

    #[test]
    fn notifications_say_how_much_is_theirs() {
        let body = json!({"SubscribeNotificationListObject": {"SubscribeNotificationObject": [
            {"NotificationID": "n1", "SubscribeID": "s", "MotorVehicleObjectList": {"MotorVehicleObject": [object("a"), object("b")]}},
            {"NotificationID": 7, "SubscribeID": "s", "FaceObjectList": {"FaceObject": [{"FaceID": "f"}]}},
            {"NotificationID": "n3", "MotorVehicleObjectList": [object("c")], "Title": {"a": [1]}},
        ]}});
        let upload = notifications(body.to_string().as_bytes(), &Checkpoints::default(), ENOUGH, None).unwrap();
        let said = |id: &str, subscription: &str, objects| Notification {
            id: id.to_owned(),
            subscription: subscription.to_owned(),
            objects,
            is_foreign: false,
        };
        assert_eq!(upload.notifications, [said("n1", "s", 2), said("7", "s", 0), said("n3", "", 1)]);
        assert_eq!(
            (upload.ids, upload.lines.iter().filter(|byte| **byte == b'\n').count()),
            (vec!["a".into(), "b".into(), "c".into()], 3)
        );
    }

    #[test]
    fn what_is_around_a_body_or_no_utf8_costs_no_vehicle_that_can_be_read() {
        let (gbk, ..) = encoding_rs::GBK.encode("苏C12345");
        let (fine, odd) = (plated("a", "苏C12345".as_bytes()), plated("b", &gbk));
        let elsewhere = b"{\"MotorVehicleID\":\"c\",\"Remarks\":\"\xff\xe8\"}";
        let all = [&fine[..], b",\n", &odd, b",", elsewhere].concat();
        for (before, after) in
            [(&b""[..], &b""[..]), (b"\xef\xbb\xbf", b""), (b"", b"\0"), (b"\xef\xbb\xbf", b"\n\0\0")]
        {
            let body = [before, b"{\"MotorVehicleListObject\":[", &all, b"]}", after].concat();
            let upload = vehicles(&body, &Checkpoints::default(), ENOUGH).unwrap();
            assert_eq!(upload.ids, ["a", "b", "c"]);
            let lines: Vec<&[u8]> = upload.lines.split_inclusive(|byte| *byte == b'\n').collect();
            assert!(lines[0].starts_with(b"{") && lines[2].starts_with(b"{"), "{before:?}");
            assert_eq!(lines[1], [b"\x15", &odd[..], b"\n"].concat(), "as it came");
        }
        for wrong in [&b"{\xff}"[..], b"\xff", b"\0", b"\xef\xbb\xbf"] {
            let refused = vehicles(wrong, &Checkpoints::default(), ENOUGH).unwrap_err();
            assert!(matches!(refused, UploadError::NotJson(_)), "{wrong:?}");
        }
    }

    #[test]
    fn an_odd_notification_or_one_of_others_takes_nothing_with_it() {
        let body = json!({"SubscribeNotificationListObject": {"SubscribeNotificationObject": [
            {"NotificationID": "n1", "SubscribeID": "s", "MotorVehicleObjectList": [object("a")]},
            7,
            {"NotificationID": "n3", "SubscribeID": "s", "MotorVehicleObjectList": "b"},
            {"NotificationID": "n4", "SubscribeID": "t", "MotorVehicleObjectList": [object("d")]},
            {"NotificationID": "n5", "SubscribeID": "s", "MotorVehicleObjectList": {"MotorVehicleObject": object("e")}},
        ]}});
        let read = |ours| notifications(body.to_string().as_bytes(), &Checkpoints::default(), ENOUGH, ours).unwrap();
        let upload = read(Some("s"));
        let said: Vec<_> = upload.notifications.iter().map(|one| (&*one.id, one.objects, one.is_foreign)).collect();
        let expected = [("n1", 1, false), ("", 1, false), ("n3", 1, false), ("n4", 0, true), ("n5", 1, false)];
        assert_eq!((said, &upload.ids[..]), (expected.to_vec(), &["a", "", "", "e"].map(str::to_owned)[..]));
        let lines = lines(&upload);
        assert!(lines[1] == "\u{15}7" && lines[2].starts_with("\u{15}{") && lines[2].contains("n3"), "{lines:?}");
        assert_eq!(read(None).ids.len(), 5);
    }

    #[test]
    fn hostile_bodies_are_refused() {
        let refused = |body: &str| vehicles(body.as_bytes(), &Checkpoints::default(), ENOUGH).unwrap_err();
        for wrong in ["", "{", "7", "[]", "\u{0}", "{\"MotorVehicleListObject\":{\"MotorVehicleObject\":[{]}}"] {
            assert!(matches!(refused(wrong), UploadError::NotJson(_)), "{wrong}");
        }
        assert_eq!(refused("{}"), UploadError::NoList("MotorVehicleListObject"));
        let nested = format!("{{\"MotorVehicleListObject\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        let upload = vehicles(nested.as_bytes(), &Checkpoints::default(), ENOUGH).unwrap();
        assert_eq!((upload.ids.len(), upload.lines[0]), (1, 0x15), "depth costs nothing where nobody asks for it");
        let many = |count: usize| format!("{{\"MotorVehicleListObject\":[{}7]}}", "{},".repeat(count));
        assert_eq!(refused(&many(MOST_OBJECTS)), UploadError::TooMuch);
        assert_eq!(
            vehicles(many(MOST_OBJECTS - 1).as_bytes(), &Checkpoints::default(), ENOUGH).unwrap().ids.len(),
            MOST_OBJECTS
        );
        let notifying = json!({"SubscribeNotificationListObject": {"SubscribeNotificationObject": vec![
            json!({"MotorVehicleObjectList": {"MotorVehicleObject": vec![json!({}); MOST_OBJECTS / 2 + 1]}}); 2]}});
        let refused =
            notifications(notifying.to_string().as_bytes(), &Checkpoints::default(), 1 << 30, None).unwrap_err();
        assert_eq!(refused, UploadError::TooMuch);
        let long = "x".repeat(1_000);
        let body = json!({"MotorVehicleListObject": [object(&long), {"MotorVehicleID": [long.clone()]}]});
        assert_eq!(read(&body).unwrap().ids[0].len(), LONGEST_ID);
    }
}
