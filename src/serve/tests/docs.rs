//! The embedded documentation: where it is, that every link and image of it leads somewhere here, and that it runs under the
//! policy of the page.

use std::collections::{BTreeSet, HashMap};

use super::Server;
use super::client::request;
use crate::serve::docs::DocsDist;

#[tokio::test]
async fn the_books_are_reached_without_a_login() {
    let server = Server::start().await;
    for (asked, path, place) in [
        ("zh-CN,zh;q=0.9", "/docs", "/docs/zh/"),
        ("en-US", "/docs/", "/docs/en/"),
        ("en-US", "/docs/zh", "/docs/zh/"),
        ("zh", "/docs/en", "/docs/en/"),
    ] {
        let reply = request(server.address, "GET", path, &[("accept-language", asked)], b"").await;
        assert_eq!((reply.status, reply.header("location")), (307, Some(place)), "{path} {asked}");
    }
    for (path, kind) in [
        ("/docs/zh/", "text/html; charset=utf-8"),
        ("/docs/en/", "text/html; charset=utf-8"),
        ("/docs/zh/desk/cases.html", "text/html; charset=utf-8"),
        ("/docs/zh/search.json", "application/json"),
        ("/docs/docs.js", "text/javascript; charset=utf-8"),
        ("/docs/docs.css", "text/css; charset=utf-8"),
    ] {
        let reply = server.get(path).await;
        assert_eq!((reply.status, reply.header("content-type")), (200, Some(kind)), "{path}");
        assert_eq!(reply.header("cache-control"), Some("no-cache"), "{path}");
        assert!(reply.header("content-security-policy").unwrap().contains("script-src 'self';"), "{path}");
        let again =
            request(server.address, "GET", path, &[("if-none-match", reply.header("etag").unwrap())], b"").await;
        assert_eq!((again.status, again.body.is_empty()), (304, true), "{path}");
    }
    for path in ["/docs/zh/nothing.html", "/docs/de/", "/docs/zh/desk/", "/docs/../Cargo.toml"] {
        server.get(path).await.error(404);
    }
}

/// Every page of the site by its path.
fn pages() -> HashMap<String, String> {
    DocsDist::iter()
        .filter(|name| name.ends_with(".html"))
        .map(|name| (name.to_string(), String::from_utf8(DocsDist::get(&name).unwrap().data.into_owned()).unwrap()))
        .collect()
}

/// The values of an attribute.
fn values<'a>(page: &'a str, attribute: &'a str) -> impl Iterator<Item = &'a str> {
    let start = format!(" {attribute}=\"");
    page.match_indices(&start)
        .map(|(at, start)| page[at + start.len()..].split('"').next().unwrap())
        .collect::<Vec<_>>()
        .into_iter()
}

/// What the site links that is no part of it, and is served beside it.
const BESIDE: [&str; 2] = ["/", "/api/openapi.json"];

/// The file that a relative link leads to.
fn resolved(from: &str, link: &str) -> String {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in link.split('/') {
        match part {
            "." | "" => {}
            ".." => assert!(parts.pop().is_some(), "{from}: {link} leads out of the site"),
            part => parts.push(part),
        }
    }
    let path = parts.join("/");
    if link.is_empty() {
        from.to_owned()
    } else if link.ends_with('/') || link == "." || link == ".." {
        format!("{path}/index.html").trim_start_matches('/').to_owned()
    } else {
        path
    }
}

#[test]
fn every_link_and_image_leads_somewhere() {
    let pages = pages();
    let ids: HashMap<&str, BTreeSet<&str>> =
        pages.iter().map(|(name, page)| (name.as_str(), values(page, "id").collect())).collect();
    let mut wrong = Vec::new();
    let (mut links, mut anchors, mut images) = (0, 0, 0);
    for (name, page) in &pages {
        for link in values(page, "href").chain(values(page, "src")) {
            let is_elsewhere = ["https://", "http://", "mailto:"].iter().any(|scheme| link.starts_with(scheme));
            if is_elsewhere || BESIDE.contains(&link) {
                continue;
            }
            let (file, anchor) = link.split_once('#').map_or((link, None), |(file, anchor)| (file, Some(anchor)));
            let decode = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
            let file = resolved(name, &decode(file));
            links += 1;
            images += usize::from(file.ends_with(".png") || file.ends_with(".webp"));
            if DocsDist::get(&file).is_none() {
                wrong.push(format!("{name}: {link}: no such file"));
            } else if let Some(anchor) = anchor.map(decode) {
                anchors += 1;
                if !ids.get(file.as_str()).is_some_and(|ids| ids.contains(anchor.as_str())) {
                    wrong.push(format!("{name}: {link}: no such place"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(links > 500 && anchors > 20 && images >= 8, "{links} links, {anchors} anchors, {images} images");
}

/// Scripts and styles are files, which the policy of the page allows; nothing comes from elsewhere.
#[test]
fn nothing_stands_in_the_pages_that_the_policy_forbids() {
    for (name, page) in pages() {
        for tag in page.split('<').filter(|tag| tag.starts_with("script") || tag.starts_with("style")) {
            assert!(tag.starts_with("script src=\""), "{name}: <{tag}");
        }
        for place in values(&page, "src") {
            assert!(!place.contains("//"), "{name}: {place}");
        }
        for tag in page.split('<').filter(|tag| tag.starts_with("link ")) {
            assert!(!tag.contains("//"), "{name}: <{tag}");
        }
        for handler in [" onclick=", " onload=", " onerror=", "javascript:"] {
            assert!(!page.contains(handler), "{name}: {handler}");
        }
    }
}

/// Each page of the interface has a chapter in each book, to which its help leads.
#[test]
fn every_page_has_its_chapter() {
    let pages = pages();
    for page in [
        "screen", "query", "cases", "warnings", "track", "roads", "predict", "cameras", "prove", "system", "audit",
        "users",
    ] {
        for language in ["zh", "en"] {
            assert!(pages.contains_key(&format!("{language}/desk/{page}.html")), "{language} {page}");
        }
    }
}

/// The site is built from what stands in the repository; pictures stay small, since the program carries them.
#[test]
fn the_site_is_small() {
    let mut all = 0;
    for name in DocsDist::iter() {
        let bytes = DocsDist::get(&name).unwrap().data.len();
        assert!(
            bytes < if name.ends_with(".html") || name.ends_with(".json") { 1 << 20 } else { 150 << 10 },
            "{name}: {bytes}"
        );
        all += bytes;
    }
    assert!(all < 6 << 20, "{all} bytes");
}
