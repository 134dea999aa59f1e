//! What a request is for, and whether that must be said. It does not know what becomes of it.

use access::Permission;
use access::trail::Purpose;
use axum::http::{HeaderMap, HeaderName};

use super::table::{Needs, Records, Row};
use crate::config::PurposeUse;
use crate::plain;
use crate::serve::error::{ApiError, ErrorReason};

/// The header.
const PURPOSE: HeaderName = HeaderName::from_static("x-purpose");

/// The purpose that a request brings.
///
/// # Errors
/// 400 if it is none.
pub(in crate::serve) fn purpose_of(headers: &HeaderMap) -> Result<Option<Purpose>, ApiError> {
    let Some(value) = headers.get(PURPOSE).filter(|value| !value.is_empty()) else { return Ok(None) };
    let text = value.to_str().unwrap_or("?");
    let purpose = Purpose::parse(text, plain::is_hazard);
    purpose.map(Some).map_err(|wrong| ApiError::new(ErrorReason::WrongPurpose).with("error", wrong.to_string()))
}

/// Refuses a request that must have a purpose, and has none.
///
/// # Errors
/// 403.
pub(super) fn demanded(
    of_all: PurposeUse,
    row: Option<Row>,
    by_plate: bool,
    purpose: Option<&Purpose>,
) -> Result<(), ApiError> {
    let Some(row) = row.filter(|_| of_all == PurposeUse::Required && purpose.is_none()) else { return Ok(()) };
    let shows_plates = matches!(
        row.needs,
        Needs::Permission(Permission::Plates | Permission::Export | Permission::Rejects | Permission::Work)
    );
    if shows_plates || by_plate && matches!(row.records, Records::Lists(_)) {
        return Err(ApiError::new(ErrorReason::PurposeRequired));
    }
    Ok(())
}
