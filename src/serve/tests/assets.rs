//! The embedded page.

use super::Server;
use super::client::request;

#[tokio::test]
async fn files_have_their_type_and_a_tag() {
    let server = Server::start().await;
    for (path, kind) in [
        ("/", "text/html; charset=utf-8"),
        ("/index.html", "text/html; charset=utf-8"),
        ("/warnings", "text/html; charset=utf-8"),
        ("/some/deep/place?x=1", "text/html; charset=utf-8"),
        ("/apiary", "text/html; charset=utf-8"),
    ] {
        let reply = server.get(path).await;
        assert_eq!((reply.status, reply.header("content-type")), (200, Some(kind)), "{path}");
        assert_eq!(reply.header("cache-control"), Some("no-cache"), "{path}");
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert!(reply.header("content-security-policy").unwrap().contains("default-src 'self'"));
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
async fn a_file_that_is_not_there_is_404() {
    let server = Server::start().await;
    for path in ["/nope.js", "/assets/app.0000.js", "/../Cargo.toml", "/%2e%2e/Cargo.toml", "/.env"] {
        assert!(server.get(path).await.error(404).contains("no file"), "{path}");
    }
}
