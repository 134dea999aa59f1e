//! Responses without an end: one ends when what let it in no longer holds, and its plates are masked like any other's.

use std::sync::Arc;

use access::Permission;
use axum::body::{Body, Bytes};
use axum::response::Response;
use futures_util::StreamExt as _;

use super::visit::Ending;

use crate::clock::unix_now;
use crate::gate::Identity;
use crate::serve::state::Api;

/// The response as long as its identity holds: that is looked at before each of its pieces, and an event stream sends one at
/// least every 15 s.
pub(super) fn while_it_holds(api: Arc<Api>, identity: Identity, mut response: Response) -> Response {
    let ending = response.extensions_mut().remove::<Arc<Ending>>();
    let sees_plates = identity.may(Permission::Plates);
    response.map(|body| {
        let pieces = body.into_data_stream();
        let gate = api.gate.clone();
        let held = pieces.take_while(move |_| std::future::ready(gate.holds(&identity, unix_now())));
        let shown = held.map(move |piece| {
            // It says how much was sent, when the last piece is gone.
            let _ = &ending;
            piece.map(
                |piece| if sees_plates { piece } else { Bytes::from(api.mask.text(&String::from_utf8_lossy(&piece))) },
            )
        });
        Body::from_stream(shown)
    })
}
