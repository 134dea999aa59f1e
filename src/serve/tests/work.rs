//! `GET` and `PATCH /api/warnings/{id}`, and the state of the work in `GET /api/warnings`.

use serde_json::{Value, json};
use traffic::AlertId;

use super::Server;
use super::client::{Reply, request};

fn id() -> String {
    AlertId::of("苏C12345", "A2", "B2").to_string()
}

async fn patch_with(server: &Server, id: &str, headers: &[(&str, &str)], body: &Value) -> Reply {
    let mut all = vec![("content-type", "application/json")];
    all.extend(headers);
    request(server.address, "PATCH", &format!("/api/warnings/{id}"), &all, body.to_string().as_bytes()).await
}

async fn patch(server: &Server, body: Value) -> Reply {
    patch_with(server, &id(), &[], &body).await
}

#[tokio::test]
async fn one_alert_with_its_places() {
    let server = Server::start().await;
    let reply = server.get(&format!("/api/warnings/{}", id())).await;
    assert_eq!(reply.header("etag"), Some("\"0\""));
    let data = reply.data();
    assert_eq!((&data["seq"], &data["hphm"], &data["gap_seconds"]), (&json!(2), &json!("苏C12345"), &json!(50)));
    assert_eq!(
        data["curr"],
        json!({"kkmc": "S250_Pizhou_Sulu", "code": "S250_Pizhou_Sulu", "label": "S250-邳州-苏鲁界", "xzqhmc": "邳州市",
            "road": "S250", "lon": 118.06454, "lat": 34.641634})
    );
    assert_eq!(data["prev"]["label"], "G3-京台高速-苏鲁界");
    for (field, expected) in
        [("status", json!("new")), ("version", json!(0)), ("allowed", json!(["investigating"])), ("history", json!([]))]
    {
        assert_eq!(data[field], expected, "{field}");
    }
    let unlisted = server.get(&format!("/api/warnings/{}", AlertId::of("苏CD12345", "A1", "B1"))).await.data();
    assert_eq!(
        unlisted["curr"],
        json!({"kkmc": "unlisted-1", "code": null, "label": "unlisted-1", "xzqhmc": null, "road": null, "lon": null, "lat": null})
    );
    assert!(server.get("/api/warnings/0123456789abcdef").await.error(404).contains("0123456789abcdef"));
    assert!(server.get("/api/warnings/12").await.error(400).contains("16 hexadecimal digits"));
}

#[tokio::test]
async fn from_new_to_confirmed_and_taken_up_again() {
    let server = Server::start().await;
    let taken = patch(&server, json!({"status": "investigating", "by": "王警官", "note": "调取图像"})).await;
    assert_eq!(taken.header("etag"), Some("\"1\""));
    let data = taken.data();
    assert_eq!((&data["status"], &data["allowed"]), (&json!("investigating"), &json!(["confirmed", "dismissed"])));
    patch(&server, json!({"by": "李", "note": "两车颜色不同"})).await.data();
    patch(&server, json!({"status": "confirmed", "by": "李", "version": 2})).await.data();
    let again = json!({"status": "investigating", "by": "赵"});
    let msg = patch(&server, again).await.error(409);
    assert!(msg.contains("confirmed") && msg.contains("`note`"), "{msg}");
    patch(&server, json!({"status": "investigating", "by": "赵", "note": "申诉"})).await.data();
    patch(&server, json!({"status": "dismissed", "by": "赵", "note": "误识别"})).await.data();

    let data = server.get(&format!("/api/warnings/{}", id())).await.data();
    assert_eq!((&data["status"], &data["version"]), (&json!("dismissed"), &json!(5)));
    let step = |by: &str, from: &str, to: &str, note: &str| json!({"at": "2024-01-02 12:00:00", "by": by, "from": from, "to": to, "note": note, "reason": null});
    assert_eq!(
        data["history"],
        json!([
            step("王警官", "new", "investigating", "调取图像"),
            step("李", "investigating", "investigating", "两车颜色不同"),
            step("李", "investigating", "confirmed", ""),
            step("赵", "confirmed", "investigating", "申诉"),
            step("赵", "investigating", "dismissed", "误识别"),
        ])
    );
    // The list tells the state, the last change, and can be asked for states.
    let list = |query: &str| {
        let path = format!("/api/warnings?{query}");
        let server = &server;
        async move { server.get(&path).await.data() }
    };
    let record = &list("status=dismissed").await["records"][0];
    assert_eq!(record["id"], json!(id()));
    for (field, expected) in [("status", "dismissed"), ("changed_by", "赵"), ("note", "误识别")] {
        assert_eq!(record[field], expected);
    }
    assert_eq!((&record["version"], &record["changed_at"]), (&json!(5), &json!("2024-01-02 12:00:00")));
    let new = list("status=new").await;
    assert_eq!((&new["total"], &new["records"][0]["changed_by"]), (&json!(2), &Value::Null));
    assert_eq!(list("status=confirmed").await["total"], 0);
    assert_eq!(list("status=new&severity=low").await["total"], 1);
    assert!(
        server.get("/api/warnings?status=done").await.error(400).contains("new, investigating, confirmed, dismissed")
    );
}

#[tokio::test]
async fn a_change_that_is_not_allowed_says_what_is() {
    let server = Server::start().await;
    for (body, status, parts) in [
        (json!({"status": "confirmed", "by": "a"}), 409, vec!["new", "confirmed", "allowed is investigating"]),
        (json!({"status": "new", "by": "a"}), 409, vec!["is new already"]),
        (json!({"by": "a"}), 409, vec!["is new already", "`note`"]),
        (json!({"status": "investigating"}), 400, vec!["`by` is missing"]),
        (json!({"status": "investigating", "by": "  "}), 400, vec!["`by` is missing"]),
        (json!({"status": "done", "by": "a"}), 400, vec!["`status`", "investigating"]),
        (json!({"status": "investigating", "by": "长".repeat(65)}), 400, vec!["`by`", "64"]),
        (json!({"status": "investigating", "by": "a", "note": "长".repeat(1001)}), 400, vec!["`note`", "1000"]),
        (json!({"status": "investigating", "by": "a", "note": ["x"]}), 400, vec!["`note`"]),
        (json!({"status": "investigating", "by": "a", "version": 3}), 409, vec!["version 0, not 3", "GET"]),
        (json!({"status": "investigating", "by": "a", "version": "x"}), 400, vec!["`version`"]),
    ] {
        let msg = patch(&server, body.clone()).await.error(status);
        for part in parts {
            assert!(msg.contains(part), "{body}: {msg}");
        }
    }
    let unknown = patch_with(&server, "0123456789abcdef", &[], &json!({"status": "investigating", "by": "a"})).await;
    assert!(unknown.error(404).contains("alerts_retention"));
    let malformed = patch_with(&server, "xyz", &[], &json!({"status": "investigating", "by": "a"})).await;
    malformed.error(400);
    let data = server.get(&format!("/api/warnings/{}", id())).await.data();
    assert_eq!((&data["version"], &data["history"]), (&json!(0), &json!([])), "a refused change leaves nothing");
    // The longest that is allowed.
    let long = json!({"status": "investigating", "by": "长".repeat(64), "note": "长".repeat(1000)});
    assert_eq!(patch(&server, long).await.data()["version"], 1);
    let delete = request(server.address, "DELETE", &format!("/api/warnings/{}", id()), &[], b"").await;
    assert!(delete.error(405).contains("PATCH"));
}

#[tokio::test]
async fn of_two_at_once_one_is_told_to_look_again() {
    let server = Server::start().await;
    let take = json!({"status": "investigating", "by": "a"});
    for (tag, status) in [("\"1\"", 409), ("W/\"0\"", 200), ("\"0\"", 409), ("x", 400)] {
        let reply = patch_with(&server, &id(), &[("if-match", tag)], &take).await;
        assert_eq!(reply.status, status, "{tag}: {}", reply.text());
    }
    let both =
        patch_with(&server, &id(), &[("if-match", "\"1\"")], &json!({"by": "a", "note": "n", "version": 2})).await;
    assert!(both.error(409).contains("two different versions"));
    let any = patch_with(&server, &id(), &[("if-match", "*")], &json!({"by": "a", "note": "n"})).await;
    assert_eq!(any.data()["version"], 2);

    // Many at once with the same version: exactly one is taken.
    let change = json!({"status": "confirmed", "by": "a", "version": 2});
    let asked = (0..8).map(|_| patch(&server, change.clone()));
    let replies = futures_util::future::join_all(asked).await;
    let mut statuses: Vec<u16> = replies.iter().map(|reply| reply.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409, 409, 409, 409, 409, 409, 409]);
}
