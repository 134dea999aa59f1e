//! `GET /api/prove`.

use super::Server;

#[tokio::test]
async fn the_newest_proof_is_shown_without_its_pairs() {
    let server = Server::start().await;
    let proof = server.get("/api/prove").await.data();
    assert_eq!((&proof["made_at"], &proof["passages"]), (&"2024-01-01 08:00:00".into(), &52_000.into()));
    assert_eq!((&proof["cases"][1]["found"], &proof["rules"][0]["rule"]), (&9.into(), &"window".into()));
    assert_eq!(proof["reliability"][9]["predicted"], 0.98);
    assert!(proof["pairs"].is_null(), "plates are left out: {proof}");
}

#[tokio::test]
async fn without_a_proof_it_says_how_to_make_one() {
    let server = Server::start().await;
    server.reader.prove(None);
    let reply = server.get("/api/prove").await;
    assert_eq!(reply.status, 404);
    assert!(reply.text().contains("platewatch prove --data-dir"), "{}", reply.text());
}
