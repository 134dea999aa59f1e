//! Values that have a fixed name in the API, each list taken from the enum that the rest of the program uses. From it come
//! the choices of a filter, `enum` in the OpenAPI document, and the unions of the page's types.

use std::borrow::Cow;

use access::trail::{Action, PurposeCode, Via};
use access::{Permission, Role as UserRole};
use traffic::evidence::CameraFault;
use traffic::{Cause, FuelType, RejectReason, Rule, Severity, VehicleType};
use utoipa::PartialSchema;
use utoipa::ToSchema;
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};

use super::roads::{DistanceBasis, RoadLink};
use crate::camera_clocks::ClockAdvice;
use crate::cameras::CameraHealth;
use crate::config::{PurposeUse, Role, ServedModel, SourceKind, TimeFormat};
use crate::forecast::Basis;
use crate::reader::{CaseOrder, Order};
use crate::roads::{RoadBasis, RoadLevel, RoadsState};
use crate::status::{BackendState, MirrorState, MissingCause, Retained, SourceState, StopReason};
use crate::viid::Stage;
use crate::work::{WorkReason, WorkStatus};

/// An enum whose values have names in the API.
pub(super) trait Named: Copy + 'static {
    /// All values, in the order in which an error lists them.
    const ALL: &'static [Self];

    /// The name in the API.
    fn name(self) -> &'static str;
}

/// The names of all values.
pub(super) fn names_of<T: Named>() -> Vec<&'static str> {
    T::ALL.iter().map(|value| value.name()).collect()
}

/// The kind that is reported where there is no model.
pub(super) const UNTRAINED: &str = "untrained";

/// The first line of an exported file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HeaderRow {
    /// The names of the columns.
    Names,
    /// Chinese titles.
    Titles,
}

/// Implements [`Named`].
macro_rules! named {
    ($($type:ty: $all:expr, $name:expr;)+) => {
        $(
            impl Named for $type {
                const ALL: &'static [Self] = &$all;

                fn name(self) -> &'static str {
                    ($name)(self)
                }
            }
        )+
    };
}

named! {
    Severity: Severity::ALL, Severity::name;
    Rule: Rule::ALL, Rule::name;
    Cause: Cause::ALL, Cause::as_str;
    WorkStatus: WorkStatus::ALL, WorkStatus::as_str;
    CameraFault: CameraFault::ALL, CameraFault::as_str;
    CameraHealth: CameraHealth::ALL, CameraHealth::as_str;
    RoadLevel: RoadLevel::ALL, RoadLevel::as_str;
    RoadBasis: RoadBasis::ALL, RoadBasis::as_str;
    RoadsState: RoadsState::ALL, RoadsState::as_str;
    RoadLink: RoadLink::ALL, RoadLink::as_str;
    DistanceBasis: DistanceBasis::ALL, DistanceBasis::as_str;
    WorkReason: WorkReason::ALL, WorkReason::as_str;
    RejectReason: RejectReason::ALL, RejectReason::as_str;
    VehicleType: VehicleType::ALL, VehicleType::as_str;
    FuelType: FuelType::ALL, FuelType::as_str;
    Order: [Order::Newest, Order::Oldest], order;
    CaseOrder: [CaseOrder::Probability, CaseOrder::Newest], case_order;
    HeaderRow: [HeaderRow::Names, HeaderRow::Titles], header_row;
    Role: Role::ALL, Role::as_str;
    SourceKind: SourceKind::ALL, SourceKind::as_str;
    SourceState: SourceState::ALL, SourceState::as_str;
    StopReason: StopReason::ALL, StopReason::as_str;
    MissingCause: MissingCause::ALL, MissingCause::as_str;
    Retained: Retained::ALL, Retained::as_str;
    MirrorState: MirrorState::ALL, MirrorState::as_str;
    BackendState: BackendState::ALL, BackendState::as_str;
    Stage: Stage::ALL, Stage::as_str;
    Basis: Basis::ALL, Basis::as_str;
    UserRole: UserRole::ALL, UserRole::as_str;
    Permission: Permission::ALL, Permission::as_str;
    PurposeUse: PurposeUse::ALL, PurposeUse::as_str;
    TimeFormat: TimeFormat::ALL, TimeFormat::as_str;
    PurposeCode: PurposeCode::ALL, PurposeCode::as_str;
    Action: *Action::ALL, Action::as_str;
    Via: *Via::ALL, Via::as_str;
}

fn order(order: Order) -> &'static str {
    match order {
        Order::Newest => "newest",
        Order::Oldest => "oldest",
    }
}

fn case_order(order: CaseOrder) -> &'static str {
    match order {
        CaseOrder::Probability => "probability",
        CaseOrder::Newest => "newest",
    }
}

fn header_row(row: HeaderRow) -> &'static str {
    match row {
        HeaderRow::Names => "names",
        HeaderRow::Titles => "titles",
    }
}

/// Declares the schema of each list of names, and its name in the document.
macro_rules! schemas {
    ($($schema:ident $called:literal: $names:expr,)+) => {
        $(
            pub(super) struct $schema;

            impl PartialSchema for $schema {
                fn schema() -> RefOr<Schema> {
                    one_of($names)
                }
            }

            impl ToSchema for $schema {
                fn name() -> Cow<'static, str> {
                    Cow::Borrowed($called)
                }
            }
        )+
    };
}

schemas! {
    SeverityName "Severity": names_of::<Severity>(),
    RuleName "Rule": names_of::<Rule>(),
    CauseName "AlertCause": names_of::<Cause>(),
    WorkStatusName "WorkStatus": names_of::<WorkStatus>(),
    CameraFaultName "CameraFault": names_of::<CameraFault>(),
    CameraHealthName "CameraHealth": names_of::<CameraHealth>(),
    RoadLevelName "RoadLevel": names_of::<RoadLevel>(),
    RoadBasisName "RoadBasis": names_of::<RoadBasis>(),
    RoadsStateName "RoadsState": names_of::<RoadsState>(),
    RoadLinkName "RoadLink": names_of::<RoadLink>(),
    DistanceBasisName "DistanceBasis": names_of::<DistanceBasis>(),
    WorkReasonName "WorkReason": names_of::<WorkReason>(),
    RejectReasonName "RejectReason": names_of::<RejectReason>(),
    VehicleTypeName "VehicleType": names_of::<VehicleType>(),
    FuelTypeName "FuelType": names_of::<FuelType>(),
    RoleName "Role": names_of::<Role>(),
    SourceKindName "SourceKind": names_of::<SourceKind>(),
    SourceStateName "SourceState": names_of::<SourceState>(),
    StopReasonName "KafkaStopReason": names_of::<StopReason>(),
    MissingCauseName "KafkaGapCause": names_of::<MissingCause>(),
    RetainedName "Retained": names_of::<Retained>(),
    MirrorStateName "MirrorState": names_of::<MirrorState>(),
    StageName "ViidStage": names_of::<Stage>(),
    BackendStateName "BackendState": names_of::<BackendState>(),
    BasisName "FlowBasis": names_of::<Basis>(),
    UserRoleName "UserRole": names_of::<UserRole>(),
    PermissionName "Permission": names_of::<Permission>(),
    PurposeUseName "PurposeUse": names_of::<PurposeUse>(),
    PurposeCodeName "PurposeCode": names_of::<PurposeCode>(),
    ActionName "AuditAction": names_of::<Action>(),
    ViaName "AuditVia": names_of::<Via>(),
    ClockAdviceName "ClockAdviceCode": ClockAdvice::CODES.to_vec(),
    ModelKindName "FlowModelKind": models(),
    PredictorName "FlowPredictor": [models(), vec![UNTRAINED]].concat(),
}

/// The models that can be served: `auto` in the configuration chooses one of them.
fn models() -> Vec<&'static str> {
    let served = ServedModel::ALL.into_iter().filter(|model| *model != ServedModel::Auto);
    served.map(ServedModel::as_str).collect()
}

fn one_of(names: Vec<&'static str>) -> RefOr<Schema> {
    let text = ObjectBuilder::new().schema_type(SchemaType::Type(Type::String)).enum_values(Some(names)).build();
    RefOr::T(Schema::Object(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An alert is written by serde, and its filters are read by these names.
    #[test]
    fn names_are_those_of_an_alerts_json() {
        let in_json = |value: serde_json::Value| value.as_str().unwrap().to_owned();
        let named = |value: serde_json::Result<serde_json::Value>| in_json(value.unwrap());
        assert!(Severity::ALL.iter().all(|value| named(serde_json::to_value(value)) == value.name()));
        assert!(Rule::ALL.iter().all(|value| named(serde_json::to_value(value)) == value.name()));
        assert!(Cause::ALL.iter().all(|value| named(serde_json::to_value(value)) == value.name()));
        assert!(WorkStatus::ALL.iter().all(|value| named(serde_json::to_value(value)) == Named::name(*value)));
        assert!(WorkReason::ALL.iter().all(|value| named(serde_json::to_value(value)) == Named::name(*value)));
    }
}
