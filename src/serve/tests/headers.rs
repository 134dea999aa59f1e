//! What every answer says to a browser.

use super::Server;

/// Each answer says what a browser may do with it, whatever it is.
#[tokio::test]
async fn every_answer_is_protected() {
    let server = Server::start().await;
    let index = server.get("/").await;
    let script = index.text().split("src=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let paths = [
        "/",
        "/query",
        &script,
        "/favicon.svg",
        "/missing.js",
        "/healthz",
        "/metrics",
        "/api/overview",
        "/api/nothing",
    ];
    for path in paths.into_iter().chain(["/api/overview?x=1", "/api/openapi.json"]) {
        let reply = server.get(path).await;
        let header = |name: &str| reply.header(name).unwrap_or_else(|| panic!("{path} has no {name}")).to_owned();
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(header("x-frame-options"), "DENY", "{path}");
        assert_eq!(header("referrer-policy"), "no-referrer", "{path}");
        assert_eq!(header("cross-origin-resource-policy"), "same-origin", "{path}");
        // Of what is no page a browser asks no such policy.
        let permissions = reply.header("permissions-policy").unwrap_or_default();
        for feature in ["camera=()", "microphone=()", "geolocation=()", "usb=()"] {
            assert_eq!(permissions.contains(feature), ["/", "/query"].contains(&path), "{path}: {permissions}");
        }
        let policy = header("content-security-policy");
        assert!(policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
        let is_page = reply.status == 200 && !path.starts_with("/api") && !["/healthz", "/metrics"].contains(&path);
        assert_eq!(policy.contains("script-src 'self';"), is_page, "{path}: {policy}");
        assert_eq!(policy.contains("default-src 'none'"), !is_page, "{path}: {policy}");
        assert!(!policy.contains("unsafe-eval") && !policy.contains('*'), "{path}: {policy}");
        // Only attributes of style may be inline, in the tooltips of charts.
        let inline: Vec<&str> = policy.split(';').filter(|part| part.contains("unsafe-inline")).collect();
        assert!(inline.iter().all(|part| part.trim() == "style-src-attr 'unsafe-inline'"), "{path}: {policy}");
    }
    let page = index.text();
    assert!(!page.contains("<style") && !page.contains("style=") && !page.contains("onload="), "{page}");
    assert!(page.split("<script").skip(1).all(|script| script.contains("src=\"/")), "no inline script: {page}");
}
