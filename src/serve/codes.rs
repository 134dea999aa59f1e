//! Names that stand for something, as the description of the interface lists them: so a client, the page among them, can
//! have a text for each, and a test finds one that is missing.

use traffic::RejectReason;
use utoipa::PartialSchema;
use utoipa::ToSchema;
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};

use crate::camera_clocks::ClockAdvice;
use crate::status::{MirrorState, SOURCE_STATES};

/// Declares a schema that is one of these texts.
macro_rules! names {
    ($($name:ident: $values:expr,)+) => {
        $(
            pub(super) struct $name;

            impl PartialSchema for $name {
                fn schema() -> RefOr<Schema> {
                    one_of($values)
                }
            }

            impl ToSchema for $name {}
        )+
    };
}

names! {
    RejectReasonName: RejectReason::ALL.map(RejectReason::as_str),
    MirrorStateName: MirrorState::ALL.map(MirrorState::as_str),
    SourceStateName: SOURCE_STATES,
    ClockAdviceName: ClockAdvice::CODES,
}

fn one_of<const N: usize>(values: [&'static str; N]) -> RefOr<Schema> {
    let text = ObjectBuilder::new().schema_type(SchemaType::Type(Type::String)).enum_values(Some(values)).build();
    RefOr::T(Schema::Object(text))
}
