//! The embedded page.

use super::Server;
use super::client::request;
use crate::serve::assets::WebDist;

#[tokio::test]
async fn files_have_their_type_and_a_tag() {
    let server = Server::start().await;
    for (path, kind) in [
        ("/", "text/html; charset=utf-8"),
        ("/index.html", "text/html; charset=utf-8"),
        ("/warnings", "text/html; charset=utf-8"),
        ("/some/deep/place?x=1", "text/html; charset=utf-8"),
        ("/apiary", "text/html; charset=utf-8"),
        ("/query", "text/html; charset=utf-8"),
        ("/warnings/9f0c5a7be1d24c38", "text/html; charset=utf-8"),
        ("/track/%E8%8B%8FC12345", "text/html; charset=utf-8"),
        ("/track/苏C12345", "text/html; charset=utf-8"),
    ] {
        let reply = server.get(path).await;
        assert_eq!((reply.status, reply.header("content-type")), (200, Some(kind)), "{path}");
        assert_eq!(reply.header("cache-control"), Some("no-cache"), "{path}");
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"), "{path}");
        let policy = reply.header("content-security-policy").unwrap();
        assert!(policy.contains("default-src 'self'") && policy.contains("script-src 'self';"), "{policy}");
        assert_eq!(reply.header("x-frame-options"), Some("DENY"));
        assert_eq!(reply.header("referrer-policy"), Some("no-referrer"));
        let tag = reply.header("etag").unwrap();
        for known in [tag, "\"other\", W/\"x\"", "*"] {
            let again = request(server.address, "GET", path, &[("if-none-match", known)], b"").await;
            let unchanged = known == tag || known == "*";
            assert_eq!(again.status, if unchanged { 304 } else { 200 }, "{path} {known}");
            assert_eq!(again.body.is_empty(), unchanged);
        }
        let head = request(server.address, "HEAD", path, &[], b"").await;
        assert_eq!((head.status, head.body.len()), (200, 0), "{path}");
    }
}

/// What the page names is there, with the right type; nothing comes from another server.
#[tokio::test]
async fn the_page_is_whole() {
    let server = Server::start().await;
    let page = server.get("/").await.text().to_owned();
    let links = page.split(['"', '\'']).filter(|text| text.starts_with('/') && text.contains('.'));
    let mut seen = 0;
    for link in links {
        let reply = server.get(link).await;
        let kind = match link.rsplit('.').next().unwrap() {
            "js" => "text/javascript; charset=utf-8",
            "css" => "text/css; charset=utf-8",
            "svg" => "image/svg+xml",
            other => panic!("{other} is new here: say which type it must have"),
        };
        assert_eq!((reply.status, reply.header("content-type")), (200, Some(kind)), "{link}");
        seen += 1;
    }
    assert!(seen >= 2, "{page}");
    assert!(!page.contains("src=\"http") && !page.contains("href=\"http"), "{page}");
}

#[tokio::test]
async fn text_is_compressed_once_and_is_the_same() {
    use std::io::Read as _;
    let server = Server::start().await;
    let is_text = |name: &str| name.ends_with(".js") || name.ends_with(".css");
    let mut seen = 0;
    for name in WebDist::iter().filter(|name| is_text(name)) {
        let path = format!("/{name}");
        let plain = server.get(&path).await;
        if plain.body.len() < 1024 {
            continue;
        }
        assert_eq!((plain.header("content-encoding"), plain.header("vary")), (None, Some("accept-encoding")), "{path}");
        for _ in 0..2 {
            let packed = request(server.address, "GET", &path, &[("accept-encoding", "br, gzip")], b"").await;
            assert_eq!(
                (packed.header("content-encoding"), packed.header("vary")),
                (Some("gzip"), Some("accept-encoding"))
            );
            assert_eq!(packed.header("etag"), plain.header("etag"));
            assert_eq!(packed.header("content-type"), plain.header("content-type"));
            assert_eq!(packed.header("content-length"), Some(packed.body.len().to_string().as_str()));
            let mut unpacked = Vec::new();
            flate2::read::GzDecoder::new(packed.body.as_slice()).read_to_end(&mut unpacked).unwrap();
            assert!(unpacked == plain.body && packed.body.len() < plain.body.len(), "{path}");
        }
        seen += 1;
    }
    assert!(seen > 0, "the page has no script or style of any length");
    // A script that stands in the page itself would not run.
    let page = server.get("/").await.text().to_owned();
    assert!(!page.contains("<script>") && !page.contains(" onload="), "{page}");
}

/// Files of a build are kept for ever, all others are asked for again.
#[tokio::test]
async fn what_a_browser_may_keep() {
    let server = Server::start().await;
    for name in WebDist::iter() {
        let reply = server.get(&format!("/{name}")).await;
        let expected = if name.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
        assert_eq!((reply.status, reply.header("cache-control")), (200, Some(expected)), "{name}");
    }
}

#[tokio::test]
async fn a_file_that_is_not_there_is_404() {
    let server = Server::start().await;
    for path in
        ["/nope.js", "/assets/app.0000.js", "/assets/nope", "/assets/", "/../Cargo.toml", "/%2e%2e/Cargo.toml", "/.env"]
    {
        assert!(server.get(path).await.error(404).contains("no file"), "{path}");
    }
}
