//! GA/T 1400 with the real program: a camera and a platform of our own send vehicles, are killed, repeat themselves, lie and forget.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::{Value, json};

use crate::harness::{Appliance, PATIENCE, folder, wait_until};
use crate::servers::viid::{Answer, Camera, Mood, PASSWORD, PLATFORM, Platform, USER, list, proof};

const OURS: &str = "32031200005030000001";
const CAMERA: &str = "32031200001190000001";
const TOLLGATE: &str = "32031200001310000001";
const REGISTER: &str = "/VIID/System/Register";

fn configure(folder: &Path, viid: &str, api: &str) -> Appliance {
    let users = folder.join("users");
    std::fs::write(&users, "# cameras\ngate:three lorries\nother:four lorries\n").unwrap();
    std::fs::set_permissions(&users, std::fs::Permissions::from_mode(0o600)).unwrap();
    let appliance = Appliance::new(folder);
    configure_again(&appliance, &format!("users_file = {users:?}\n{viid}"), api);
    appliance
}

fn configure_again(appliance: &Appliance, viid: &str, api: &str) {
    let data = appliance.data();
    let settings = format!(
        "data_dir = {data:?}\n[source]\nkind = \"http\"\n[store]\nretention = \"forever\"\n[predict]\ntrain = \"off\"\n\
         [viid]\ndevice_id = \"{OURS}\"\n{viid}"
    );
    appliance.configure(&settings, api);
}

fn camera(appliance: &Appliance) -> Camera {
    Camera::new(&appliance.address(), CAMERA, "gate", "three lorries")
}

/// A vehicle with a picture of so many bytes.
fn vehicle(number: u32, picture: usize) -> Value {
    json!({
        "MotorVehicleID": format!("{TOLLGATE}02202401010000{:02}{number:05}", number % 60), "InfoKind": 1,
        "SourceID": "s", "TollgateID": TOLLGATE, "DeviceID": CAMERA, "LaneNo": 1, "HasPlate": true,
        "PlateClass": "02", "PlateColor": "5", "PlateNo": format!("苏C{number:05}"), "Speed": 80.5, "Direction": "3",
        "VehicleClass": "K33", "VehicleBrand": "1", "VehicleModel": "朗逸", "VehicleStyles": "2015", "VehicleColor": "2",
        "PassTime": format!("202401010000{:02}", number % 60),
        "SubImageList": {"SubImageInfoObject": [{"ImageID": "i", "Data": "A".repeat(picture)}]},
    })
}

fn vehicles(numbers: std::ops::Range<u32>) -> Vec<Value> {
    numbers.map(|number| vehicle(number, 20_000)).collect()
}

/// What must be stored of a vehicle.
fn row(number: u32) -> [String; 8] {
    let second = number % 60;
    [
        format!("{TOLLGATE}02202401010000{second:02}{number:05}"),
        "铜山县".to_owned(),
        "G3_Sulu".to_owned(),
        "3".to_owned(),
        format!("2024-01-01 00:00:{second:02}"),
        "02".to_owned(),
        format!("苏C{number:05}"),
        "大众牌-朗逸-2015".to_owned(),
    ]
}

/// All rows, sorted.
fn rows(appliance: &Appliance) -> Vec<[String; 8]> {
    let found = appliance.post("/api/query", &json!({"limit": 500}));
    let names = ["GCXH", "XZQHMC", "KKMC", "FXLX", "GCSJ", "HPZL", "HPHM", "CLPPXH"];
    let row = |record: &Value| names.map(|name| record[name].as_str().unwrap_or_default().to_owned());
    let mut rows: Vec<_> = found.data()["records"].as_array().unwrap().iter().map(row).collect();
    rows.sort();
    rows
}

fn expected(numbers: std::ops::Range<u32>) -> Vec<[String; 8]> {
    let mut rows: Vec<_> = numbers.map(row).collect();
    rows.sort();
    rows
}

#[track_caller]
fn all_fine(answer: &Answer, count: usize) {
    assert_eq!((answer.status, answer.codes()), (200, vec!["0"; count]), "{answer:?}");
}

#[test]
fn vehicles_of_a_camera_are_stored_once_whatever_is_repeated_or_killed() {
    let folder = folder();
    let table = folder.path().join("checkpoints.csv");
    std::fs::write(&table, format!("id,kkmc,xzqhmc\n{TOLLGATE},G3_Sulu,铜山县\n")).unwrap();
    let mut appliance = configure(folder.path(), &format!("checkpoints = {table:?}\n"), "");
    appliance.start();
    let camera = camera(&appliance);
    let registered = camera.register();
    let status = &registered.json["ResponseStatusObject"];
    let said = ["Id", "RequestURL", "StatusCode", "StatusString"].map(|name| status[name].clone());
    assert_eq!((registered.status, json!(said)), (200, json!([CAMERA, REGISTER, "0", "OK"])));
    assert_eq!(status["LocalTime"].as_str().unwrap().len(), 14);
    assert_eq!(camera.keep_alive().status, 200);
    let time = appliance.answer("/VIID/System/Time");
    assert!(time.0 == 200 && time.1.contains(OURS) && time.1.contains("LocalTime"), "{time:?}");

    all_fine(&camera.send(&vehicles(0..50)), 50);
    all_fine(&camera.send(&vehicles(0..50)), 50);
    // Killed at once after an answer: what was answered is there.
    all_fine(&camera.send(&vehicles(50..100)), 50);
    appliance.kill();
    appliance.start();
    assert_eq!(camera.send(&vehicles(100..101)).status, 401, "who has registered is in memory alone");
    assert_eq!(camera.keep_alive().status, 401);
    camera.register();
    all_fine(&camera.send(&vehicles(40..120)), 80);
    // Killed while it sends: what has no answer comes again.
    let sending = std::thread::scope(|scope| {
        let sender = scope
            .spawn(|| camera.try_post("/VIID/MotorVehicles", list(&vehicles(120..200)).to_string().as_bytes(), None));
        appliance.kill();
        sender.join().unwrap()
    });
    if let Some(answer) = &sending {
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    appliance.start();
    camera.register();
    all_fine(&camera.send(&vehicles(120..200)), 80);
    assert_eq!(rows(&appliance), expected(0..200));

    // What cannot be read is kept, and those around it are stored.
    let mut odd = [vehicle(200, 0), vehicle(201, 0), vehicle(202, 0), vehicle(203, 0)];
    odd[1]["PassTime"] = json!("yesterday");
    odd[2]["PlateNo"] = json!(["苏C00202"]);
    let answer = camera.send(&odd);
    assert_eq!((answer.status, answer.codes()), (200, vec!["0", "8", "8", "0"]));
    let words = &answer.json["ResponseStatusListObject"]["ResponseStatusObject"];
    assert_eq!(
        (&words[1]["StatusString"], &words[2]["StatusString"]),
        (&json!("invalid_gcsj"), &json!("invalid_json"))
    );
    let rejects = appliance.get("/api/rejects").unwrap().to_string();
    assert!(rejects.contains(&format!("viid {CAMERA}")) && rejects.contains("苏C00202"), "{rejects}");
    let status = appliance.status()["viid"].clone();
    let counts = ["device_id", "registered", "online", "vehicles", "rejected", "unknown_ids", "peer"]
        .map(|name| status[name].clone());
    assert_eq!(json!(counts), json!([OURS, 1, 1, 82, 2, 0, null]), "{status}");
    let metrics = appliance.text("/metrics").unwrap();
    assert!(metrics.contains("platewatch_viid_devices{state=\"online\"} 1"), "{metrics}");
    // The same ways of the standard for who gives notice, and a platform below that notifies.
    let notification = json!({"SubscribeNotificationListObject": {"SubscribeNotificationObject": [{"NotificationID": "n1",
        "SubscribeID": "any", "MotorVehicleObjectList": {"MotorVehicleObject": vehicles(198..205)}}]}});
    let answer = camera.post("/VIID/SubscribeNotifications", &notification);
    assert_eq!((answer.status, answer.codes()), (200, vec!["0"]));
    let left = camera.post("/VIID/System/UnRegister", &json!({"UnRegisterObject": {"DeviceID": CAMERA}}));
    assert_eq!((left.status, camera.send(&vehicles(0..1)).status), (200, 401));
    assert_eq!(rows(&appliance), expected(0..205));
}

#[test]
fn nobody_sends_who_has_not_registered_from_there() {
    let folder = folder();
    let api = "proxies = [\"127.0.0.1\"]\nopen = true\n";
    let mut appliance = configure(folder.path(), &format!("devices = [\"{CAMERA}\"]\n"), api);
    appliance.start();
    let at = |address: &str| Camera { from: Some(address.to_owned()), ..camera(&appliance) };
    let one = [vehicle(1, 0)];
    let send = |camera: &Camera| camera.send(&one);
    let here = at("10.0.0.7");
    let unknown = send(&here);
    assert!(unknown.status == 401 && unknown.challenge.is_some(), "{unknown:?}");
    assert_eq!(unknown.json["ResponseStatusObject"]["StatusCode"], "4");
    assert_eq!(here.register().status, 200);
    assert_eq!(send(&here).status, 200);
    assert_eq!((send(&at("10.0.0.8")).status, at("10.0.0.8").keep_alive().status), (401, 401), "another address");
    // A digest needs no registration, and is taken once.
    let challenge = send(&at("10.0.0.8")).challenge.unwrap();
    let place = ("POST", "/VIID/MotorVehicles");
    let body = list(&one).to_string();
    let proven = |camera: &Camera, proof: &str| camera.try_post(place.1, body.as_bytes(), Some(proof)).unwrap();
    let right = proof(&challenge, "gate", "three lorries", place, 1);
    assert_eq!(proven(&at("10.0.0.8"), &right).status, 200);
    let again = proven(&at("10.0.0.8"), &right);
    assert!(again.status == 401 && again.challenge.unwrap().contains("stale=true"));
    assert_eq!(proven(&at("10.0.0.8"), &proof(&challenge, "gate", "three lorries", place, 2)).status, 200);
    // Another id, another account, and an id that is online by another account.
    let other = Camera { id: "32031200001190000002".to_owned(), ..at("10.0.0.7") };
    assert_eq!((other.register().status, send(&other).status), (403, 401));
    let thief = Camera { user: "other".to_owned(), password: "four lorries".to_owned(), ..at("10.0.0.9") };
    assert_eq!(thief.register().status, 403);
    let forged = thief.prove(place.1, &list(&one));
    assert_eq!(forged.status, 403, "another account sends in its name: {forged:?}");
    let ending = ("/VIID/System/UnRegister", json!({"UnRegisterObject": {"DeviceID": CAMERA}}));
    assert_eq!(thief.prove(ending.0, &ending.1).status, 403);
    // A page in a browser has the address of who looks at it.
    assert_eq!(here.try_post_from("http://evil.example", place.1, &list(&one)).unwrap().status, 403);
    assert_eq!(send(&here).status, 200);
    // Who guesses waits; others do not.
    let guesser = Camera { password: "five lorries".to_owned(), ..at("10.0.0.10") };
    let mut guesses = (0..40).map(|_| guesser.register().status);
    assert!(guesses.by_ref().take(5).all(|status| status == 401) && guesses.any(|status| status == 429));
    let entries = |appliance: &Appliance| {
        let log = appliance.get("/api/audit?length=100").unwrap().to_string();
        log.matches("\"login\"").count()
    };
    let before = entries(&appliance);
    assert!(before > 0);
    for _ in 0..3 {
        assert_eq!(here.register().status, 200);
    }
    assert_eq!(entries(&appliance), before, "it registers again and again");
    let wrong = here.post(REGISTER, &json!({"RegisterObject": {"DeviceID": "7"}}));
    assert_eq!(wrong.status, 400);
    let log = appliance.get("/api/audit?length=100").unwrap().to_string();
    for words in ["\"device\"", CAMERA, "login_failed", "\"ingest\"", "10.0.0.10"] {
        assert!(log.contains(words), "{words} is not in {log}");
    }
    assert!(!log.contains("苏C00001"), "{log}");
    assert!(appliance.status()["viid"]["refused"].as_u64().unwrap() >= 8);
    assert_eq!(appliance.status()["pipeline"]["accepted"], 1);
    appliance.stop();

    // Where each request needs a digest, to have registered is not enough.
    let users = folder.path().join("users");
    configure_again(&appliance, &format!("users_file = {users:?}\nproof = \"digest\"\n"), api);
    appliance.start();
    let here = Camera { from: Some("10.0.0.7".to_owned()), ..camera(&appliance) };
    assert_eq!(here.register().status, 200);
    assert_eq!((here.send(&one).status, here.keep_alive().status), (401, 401));
    assert_eq!(here.prove(place.1, &list(&one)).status, 200);
    assert_eq!(appliance.status()["viid"]["refused"], 0, "each request begins without a digest");
    // An account ends what it has registered, from wherever it is.
    let moved = Camera { from: Some("10.0.0.8".to_owned()), ..camera(&appliance) };
    assert_eq!(moved.prove(ending.0, &ending.1).status, 200);
    assert_eq!(appliance.status()["viid"]["registered"], 0);
    // A sign of life with a digest registers, and the log says so once.
    let (before, alive) = (entries(&appliance), json!({"KeepaliveObject": {"DeviceID": CAMERA}}));
    for _ in 0..2 {
        assert_eq!(moved.prove("/VIID/System/Keepalive", &alive).status, 200);
    }
    assert_eq!((entries(&appliance), &appliance.status()["viid"]["registered"]), (before + 1, &json!(1)));
}

#[test]
fn a_platform_is_joined_again_whatever_becomes_of_it() {
    let folder = folder();
    let mut platform = Platform::start();
    let mut appliance = Appliance::new(folder.path());
    let table = folder.path().join("checkpoints.csv");
    std::fs::write(&table, format!("id,kkmc,xzqhmc\n{TOLLGATE},G3_Sulu,铜山县\n")).unwrap();
    let settings = format!(
        "checkpoints = {table:?}\npeer = {:?}\npeer_id = \"{PLATFORM}\"\npeer_user = \"{USER}\"\npeer_password = \"{PASSWORD}\"\n\
         receive_url = \"http://{}/VIID/SubscribeNotifications\"\nkeepalive = \"100ms\"\ntimeout = \"500ms\"\nretry_max = \"100ms\"\n",
        platform.url(),
        appliance.address()
    );
    configure_again(&appliance, &settings, "");
    appliance.start();
    let peer = |appliance: &Appliance| appliance.status()["viid"]["peer"].clone();
    let reaches = |appliance: &Appliance, stage: &str| {
        wait_until(PATIENCE, stage, || peer(appliance)["stage"] == stage);
        peer(appliance)
    };
    let subscribed = reaches(&appliance, "subscribed");
    let subscription = platform.subscriptions()[0].clone();
    let id = subscription["SubscribeID"].as_str().unwrap().to_owned();
    assert_eq!((id.len(), &subscribed["subscription"]), (33, &json!(id)));
    assert_eq!((&subscription["SubscribeDetail"], &subscription["ResourceURI"]), (&json!("13"), &json!(PLATFORM)));

    assert_eq!(platform.done("DELETE"), 0, "there was nothing to be ended");

    all_fine(&platform.notify(&id, &vehicles(0..60)), 1);
    all_fine(&platform.notify(&id, &vehicles(30..90)), 1);
    assert_eq!(platform.notify("320000000000032024010100000000001", &vehicles(90..91)).status, 403);
    let stranger = Camera::new(&appliance.address(), CAMERA, "", "");
    let notification =
        json!({"SubscribeNotificationListObject": {"SubscribeNotificationObject": [{"SubscribeID": id}]}});
    assert_eq!(stranger.post("/VIID/SubscribeNotifications", &notification).status, 401, "it names another id");
    assert_eq!(stranger.send(&vehicles(90..91)).status, 401);
    assert_eq!(peer(&appliance)["notifications"], 2);
    assert!(peer(&appliance)["last_notification"].is_string());

    // Away, and back without knowing us.
    platform.stop();
    let away = reaches(&appliance, "away");
    assert!(away["last_error"].as_str().unwrap().contains("127.0.0.1"), "{away}");
    platform.start_again();
    reaches(&appliance, "subscribed");
    assert_eq!(platform.subscriptions().len(), 1, "the old one was ended before the new one");
    for (mood, words) in [(Mood::Nonsense, "viid.peer"), (Mood::Refuses, "viid.peer_password"), (Mood::Slow, "0.5 s")] {
        platform.set(mood);
        let away = reaches(&appliance, "away");
        wait_until(PATIENCE, words, || peer(&appliance)["last_error"].to_string().contains(words));
        assert!(!away.to_string().contains(PASSWORD) && !appliance.log().contains(PASSWORD));
        platform.set(Mood::Fine);
        assert_eq!(reaches(&appliance, "subscribed")["last_error"], json!(null));
    }
    let registrations = platform.done("POST /VIID/System/Register");
    platform.set(Mood::DropsKeepalives);
    wait_until(PATIENCE, "it registers again", || platform.done("POST /VIID/System/Register") > registrations);
    platform.set(Mood::Fine);
    reaches(&appliance, "subscribed");

    // Killed it cannot end its subscription; the next process does, and is notified by the same id.
    appliance.kill();
    assert_eq!(platform.subscriptions().len(), 1);
    let joined = platform.done("POST /VIID/Subscribes");
    appliance.start();
    wait_until(PATIENCE, "it subscribes", || platform.done("POST /VIID/Subscribes") > joined);
    reaches(&appliance, "subscribed");
    assert_eq!((platform.subscriptions().len(), &platform.subscriptions()[0]["SubscribeID"]), (1, &json!(id)));
    all_fine(&platform.notify(&id, &vehicles(60..120)), 1);
    assert_eq!(rows(&appliance), expected(0..120));
    let metrics = appliance.text("/metrics").unwrap();
    assert!(
        metrics.contains("platewatch_viid_subscribed 1")
            && metrics.contains("platewatch_viid_last_notification_seconds")
    );
    appliance.stop();
    assert_eq!(platform.subscriptions(), Vec::<Value>::new());
    assert_eq!(platform.done("POST /VIID/System/UnRegister"), 1);
}

#[test]
fn hostile_bodies_take_nothing_with_them() {
    let folder = folder();
    let mut appliance = configure(folder.path(), "", "");
    appliance.start();
    let camera = camera(&appliance);
    camera.register();
    all_fine(&camera.send(&vehicles(0..1)), 1);
    let before = appliance.memory_kib("VmHWM");
    all_fine(&camera.send(&[vehicle(1, 48 << 20)]), 1);
    let grown = appliance.memory_kib("VmHWM").saturating_sub(before);
    assert!(grown < 24 << 10, "a picture of 48 MiB takes {grown} KiB");
    let post = |body: &str| camera.try_post("/VIID/MotorVehicles", body.as_bytes(), None).unwrap();
    let nested = format!("{{\"MotorVehicleListObject\":{}{}}}", "[".repeat(200_000), "]".repeat(200_000));
    assert_eq!(post(&nested).codes(), ["8"], "it is one object that cannot be read");
    for (body, status, code) in [
        ("".to_owned(), 400, "7"),
        ("{".to_owned(), 400, "7"),
        ("\u{0}\u{1}".to_owned(), 400, "7"),
        ("{\"MotorVehicleListObject\":7}".to_owned(), 400, "7"),
        ("[]".to_owned(), 400, "7"),
        ("{}".to_owned(), 400, "8"),
        (list(&vec![json!({}); 10_001]).to_string(), 413, "8"),
        (format!("{{\"a\":[{}0]}}", "\"x\",".repeat(5 << 20)), 413, "8"),
        ("\"".to_owned() + &"x".repeat((64 << 20) + 100), 413, "8"),
    ] {
        let answer = post(&body);
        let shown: String = body.chars().take(40).collect();
        assert_eq!(
            (answer.status, &answer.json["ResponseStatusObject"]["StatusCode"]),
            (status, &json!(code)),
            "{shown}"
        );
    }
    let many = camera.send(&vec![json!({"MotorVehicleID": "x", "PassTime": 1}); 10_000]);
    let codes = many.codes();
    assert_eq!((codes.len(), codes[0], codes[99], codes[100]), (10_000, "8", "8", "8"));
    // A good one behind them is stored, and its sender learns that.
    let mut nearly = vec![json!({"MotorVehicleID": "x", "PassTime": 1}); 300];
    nearly.push(vehicle(0, 0));
    assert_eq!(camera.send(&nearly).codes()[298..], ["8", "8", "0"]);
    // What stands around a body, and what is no UTF-8 in one vehicle, takes no other with it.
    let body = list(&[vehicle(0, 0), vehicle(9, 0)]).to_string().into_bytes();
    let place = body.windows(7).position(|bytes| bytes == b"C00009\"").unwrap();
    let mut body = [b"\xef\xbb\xbf", &body[..], b"\0"].concat();
    body[place + 3] = 0xcb;
    assert_eq!(camera.try_post("/VIID/MotorVehicles", &body, None).unwrap().codes(), ["0", "8"]);
    let odd = [json!(7), json!(null), json!([]), json!({"MotorVehicleID": {"a": []}}), vehicle(2, 0)];
    assert_eq!(camera.send(&odd).codes(), ["8", "8", "8", "8", "0"]);
    let packed = camera.try_packed("/VIID/MotorVehicles", list(&vehicles(0..1)).to_string().as_bytes()).unwrap();
    assert_eq!((packed.status, &packed.json["ResponseStatusObject"]["StatusCode"]), (415, &json!("7")));
    let whole = format!("{{\"RegisterObject\":{{\"DeviceID\":\"{}\"}}}}", "7".repeat(70_000));
    assert_eq!(camera.try_post(REGISTER, whole.as_bytes(), None).unwrap().status, 413);
    all_fine(&camera.send(&vehicles(3..5)), 2);
    assert_eq!(appliance.status()["pipeline"]["accepted"], 5);
}
