//! Makes the document say exactly what the server takes and answers: bounds, forms and choices of every parameter and field,
//! that there are no others, and the answers that every endpoint may give. The handlers read fields one by one
//! ([`super::super::fields`]), and types in Rust cannot say all of that.

use access::trail::Action;
use access::{MAX_NAME_CHARS, Permission, Role};
use serde_json::{Map, Value, json};
use traffic::{Cause, FuelType, RejectReason, Rule, Severity, VehicleType};

use crate::config::TimeFormat;
use crate::gate::{MAX_TOKEN_DAYS, MAX_TOKEN_NOTE_CHARS};
use crate::reader::{CaseOrder, Order};
use crate::serve::codes::{HeaderRow, Named, names_of};
use crate::serve::export::csv::Form;
use crate::serve::fields::{MAX_FIELDS, MAX_NUMBER, MAX_TEXT_CHARS, MAX_WHOLE};
use crate::work::{MAX_BY_CHARS, MAX_NOTE_CHARS, WorkReason, WorkStatus};

/// What `plain::is_hazard` finds, as characters of a class in a pattern.
const HAZARDS: &str = r"\u0000-\u001F\u007F-\u009F\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069";
/// A date that there is, from 1900 to 2099.
const DATE: &str = "(?:(?:19|20)[0-9]{2}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))|(?:19(?:0[48]|[2468][048]|[13579][26])|20(?:[02468][048]|[13579][26]))-02-29)";
/// The same of this century.
const DATE_2000: &str = "(?:20[0-9]{2}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))|20(?:[02468][048]|[13579][26])-02-29)";
/// A time of day behind a date.
const TIME_OF_DAY: &str = "(?:[ T](?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?)?";

/// Where a value stands: a query string has no null, and a body no text for a flag.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Query,
    Body,
}

/// Completes the document.
pub(super) fn complete(document: &mut Value) {
    if let Some(paths) = document.get_mut("paths").and_then(Value::as_object_mut) {
        for (path, operations) in paths.iter_mut() {
            for (method, operation) in operations.as_object_mut().into_iter().flatten() {
                parameters(path, operation);
                answers(path, method, operation);
            }
        }
    }
    if let Some(schemas) = document.pointer_mut("/components/schemas").and_then(Value::as_object_mut) {
        schema(schemas);
    }
}

fn schema(schemas: &mut Map<String, Value>) {
    let mut query = schemas.get("Query").cloned().unwrap_or_default();
    fields(&mut query);
    let mut export = schemas.get("Export").cloned().unwrap_or_default();
    // The filters stand beside the form, so that "and no others" can be said of both together.
    let own = export.pointer("/allOf/1/properties").and_then(Value::as_object).cloned().unwrap_or_default();
    let shared = query.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    if let Some(export) = export.as_object_mut() {
        export.remove("allOf");
        export.insert("type".to_owned(), json!("object"));
        export.insert("properties".to_owned(), Value::Object(shared.into_iter().chain(own).collect()));
    }
    fields(&mut export);
    let mut change = schemas.get("WorkChange").cloned().unwrap_or_default();
    fields(&mut change);
    for name in ["Login", "NewPassword"] {
        texts(schemas.get_mut(name));
    }
    for name in ["NewUser", "UserChange", "NewToken"] {
        schemas.get_mut(name).map(account);
    }
    if let Some(change) = schemas.get_mut("UserChange").and_then(Value::as_object_mut) {
        change.insert("minProperties".to_owned(), json!(1));
    }
    for (name, value) in [("Query", query), ("Export", export), ("WorkChange", change)] {
        schemas.insert(name.to_owned(), value);
    }
    if let Some(error) = schemas.get_mut("Error").and_then(Value::as_object_mut) {
        error.insert("required".to_owned(), json!(["code", "msg", "data", "reason", "values", "notices"]));
        error.insert("additionalProperties".to_owned(), json!(false));
        let fields = error.get_mut("properties");
        if let Some(fields) = fields.and_then(Value::as_object_mut) {
            fields.insert("data".to_owned(), json!({"type": "null", "description": "Always null."}));
            if let Some(values) = fields.get_mut("values").and_then(Value::as_object_mut) {
                values.insert("additionalProperties".to_owned(), json!({"type": ["string", "number"]}));
            }
        }
    }
}

/// Texts that must be there, and no other fields.
fn texts(schema: Option<&mut Value>) {
    let Some(schema) = schema.and_then(Value::as_object_mut) else { return };
    schema.insert("additionalProperties".to_owned(), json!(false));
    for (_, field) in schema.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
        narrow(field, json!({"type": "string", "minLength": 1}));
    }
}

/// The fields of a body about users or tokens, and no others. `name` and `note` mean something else there than elsewhere.
fn account(schema: &mut Value) {
    let required: Vec<Value> = schema.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    for (name, field) in schema.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
        let is_required = required.contains(&json!(name));
        let form = match name.as_str() {
            "name" | "owner" => user_name(),
            "roles" => choices::<Role>(is_required),
            "scopes" => choices::<Permission>(is_required),
            "shown" => line(MAX_BY_CHARS),
            "note" => line(MAX_TOKEN_NOTE_CHARS),
            "disabled" => json!({"enum": [true, false, "true", "false", "", null]}),
            "password" => json!({"enum": ["generate", "", null]}),
            _ => whole(
                Place::Body,
                1,
                MAX_TOKEN_DAYS.into(),
                "0*(?:[1-9][0-9]{0,2}|[12][0-9]{3}|3[0-5][0-9]{2}|36[0-4][0-9]|3650)",
            ),
        };
        narrow(field, form);
    }
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("additionalProperties".to_owned(), json!(false));
    }
}

fn user_name() -> Value {
    json!({"type": "string", "pattern": format!("^[A-Za-z0-9._-]{{1,{MAX_NAME_CHARS}}}$")})
}

/// A text that is shown to others; an empty one is none.
fn line(limit: usize) -> Value {
    json!({"type": ["string", "null"], "maxLength": limit, "pattern": format!("^[^{HAZARDS}]*$")})
}

/// Some of the names of an enum, as an array or as one text with commas.
fn choices<T: Named>(is_required: bool) -> Value {
    let names = names_of::<T>();
    let one = names.join("|");
    let some = format!("(?:{one})(?:,(?:{one})){{0,{}}}", MAX_FIELDS - 1);
    let (kinds, pattern) = match is_required {
        true => (json!(["array", "string"]), format!("^{some}$")),
        false => (json!(["array", "string", "null"]), format!("^(?:{some})?$")),
    };
    json!({"type": kinds, "items": {"type": "string", "enum": names}, "minItems": 1, "maxItems": MAX_FIELDS, "pattern": pattern})
}

/// The fields of a body, and no others.
fn fields(schema: &mut Value) {
    for (name, field) in schema.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
        let form = form(Place::Body, name, field);
        narrow(field, form);
    }
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("additionalProperties".to_owned(), json!(false));
    }
}

fn parameters(path: &str, operation: &mut Value) {
    for parameter in operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
        let text = |key: &str| parameter.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (place, name) = (text("in"), text("name"));
        let required = parameter.get("required") == Some(&json!(true));
        let Some(schema) = parameter.get_mut("schema") else { continue };
        let form = match (place.as_str(), name.as_str()) {
            ("path", "name") => user_name(),
            ("path", _) if path.starts_with("/api/sessions/") || path.starts_with("/api/tokens/") => {
                json!({"type": "string", "pattern": "^[0-9a-f]{12}$"})
            }
            ("path", _) => json!({"type": "string", "pattern": "^[0-9a-fA-F]{16}$"}),
            ("header", "If-Match") => {
                json!({"type": "string", "pattern": "^(?:\\*|(?:W/)?\"[0-9]{1,9}\"|[0-9]{1,9})$"})
            }
            ("header", _) => json!({"type": "integer", "minimum": 0, "maximum": MAX_WHOLE}),
            // Not empty, and not white space alone.
            (_, _) if required => json!({"type": "string", "pattern": "\\S", "maxLength": MAX_TEXT_CHARS}),
            (_, name) => form(Place::Query, name, schema),
        };
        narrow(schema, form);
    }
}

/// What may stand in a parameter or field: by its name, since a name means the same everywhere but for `reason` and `order`.
fn form(place: Place, name: &str, schema: &Value) -> Value {
    let bound = |key: &str| schema.get(key).and_then(Value::as_u64);
    match name {
        "start" | "end" | "startTime" | "endTime" | "from" | "to" => pattern(place, &format!("{DATE}{TIME_OF_DAY}")),
        "date" => pattern(place, DATE_2000),
        "day" => pattern(place, &format!("today|{DATE_2000}")),
        "fold" => json!({"type": "string", "enum": ["true", "false", ""]}),
        "timeFormat" => choice::<TimeFormat>(place),
        "severity" => choice::<Severity>(place),
        "rule" => choice::<Rule>(place),
        "status" => choice::<WorkStatus>(place),
        "reason" if place == Place::Body => choice::<WorkReason>(place),
        "reason" => choice::<RejectReason>(place),
        "action" => choice::<Action>(place),
        "cause" => choice::<Cause>(place),
        "probability" => pattern(place, "0(?:\\.[0-9]{1,9})?|1(?:\\.0{1,9})?"),
        "vehicleType" => choice::<VehicleType>(place),
        "fuelType" => choice::<FuelType>(place),
        "order" if place == Place::Query => choice::<CaseOrder>(place),
        "order" => choice::<Order>(place),
        "header" => choice::<HeaderRow>(place),
        "excel" => json!({"enum": [true, false, "true", "false", "", null]}),
        "columns" => columns(),
        "province" => json!({"type": ["string", "null"], "maxLength": 1}),
        "by" => json!({"type": "string", "minLength": 1, "maxLength": MAX_BY_CHARS,
            "pattern": format!("^[^{HAZARDS}]*[^\\s{HAZARDS}][^{HAZARDS}]*$")}),
        "note" => json!({"type": ["string", "null"], "maxLength": MAX_NOTE_CHARS,
            "pattern": format!("^(?:[^{HAZARDS}]|\\r\\n|\\n|\\t)*$")}),
        "page" => whole(place, 1, MAX_NUMBER, "0*[1-9][0-9]{0,8}"),
        "limit" if place == Place::Body => whole(place, 1, 500, "0*(?:[1-9][0-9]?|[1-4][0-9]{2}|500)"),
        "version" => whole(place, 0, MAX_NUMBER, "[0-9]{1,9}"),
        _ if schema.get("type").is_some_and(|kind| kind == "integer") => {
            whole(place, bound("minimum").unwrap_or(0), bound("maximum").unwrap_or(MAX_WHOLE), "")
        }
        _ if place == Place::Query => json!({"type": "string", "maxLength": MAX_TEXT_CHARS}),
        _ => json!({"type": ["string", "number", "null"], "maxLength": MAX_TEXT_CHARS}),
    }
}

/// A text of this form; an empty one is none.
fn pattern(place: Place, form: &str) -> Value {
    let kinds = if place == Place::Query { json!("string") } else { json!(["string", "null"]) };
    json!({"type": kinds, "pattern": format!("^(?:{form})?$")})
}

/// One of the names of an enum; an empty text is none.
fn choice<T: Named>(place: Place) -> Value {
    let mut words: Vec<Value> = names_of::<T>().into_iter().map(Value::from).collect();
    words.push(json!(""));
    if place == Place::Body {
        words.push(Value::Null);
        return json!({"type": ["string", "null"], "enum": words});
    }
    json!({"type": "string", "enum": words})
}

/// A whole number, in a body as a number or as the text of one; an empty text is none.
fn whole(place: Place, least: u64, most: u64, digits: &str) -> Value {
    match place {
        Place::Query => json!({"type": ["integer", "string"], "minimum": least, "maximum": most, "maxLength": 0}),
        Place::Body => {
            json!({"type": ["integer", "string", "null"], "minimum": least, "maximum": most, "pattern": format!("^(?:{digits})?$")})
        }
    }
}

fn columns() -> Value {
    let names: Vec<&str> = Form::names().collect();
    let one = names.join("|");
    json!({
        "type": ["array", "string", "null"],
        "items": {"type": "string", "enum": names},
        "maxItems": MAX_FIELDS,
        "pattern": format!("^(?:(?:{one})(?:,(?:{one})){{0,{}}})?$", MAX_FIELDS - 1),
    })
}

/// Puts a form in the place of the type, and leaves what explains it.
fn narrow(schema: &mut Value, form: Value) {
    let (Some(schema), Value::Object(form)) = (schema.as_object_mut(), form) else { return };
    schema.retain(|key, _| matches!(key.as_str(), "description" | "example" | "default"));
    schema.extend(form);
}

/// What any endpoint may answer beside its own answers.
fn answers(path: &str, method: &str, operation: &mut Value) {
    let takes_parameters = operation.get("parameters").is_some() || operation.get("requestBody").is_some();
    let is_api = path.starts_with("/api/");
    let has_range = operation
        .get("parameters")
        .and_then(Value::as_array)
        .is_some_and(|all| all.iter().any(|it| ["end", "to"].iter().any(|name| it.get("name") == Some(&json!(name)))));
    let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) else { return };
    let mut add = |status: &str, description: &str| {
        responses.entry(status).or_insert_with(|| {
            json!({"description": description, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}})
        });
    };
    if is_api {
        add(
            "400",
            if takes_parameters {
                "A parameter or field has the wrong form, or does not exist; `msg` names it"
            } else {
                "There is no such parameter; `msg` says so"
            },
        );
        add("504", "No answer within `api.query_timeout`");
    }
    if has_range || method == "post" {
        add("409", "The first time is after the last");
    }
    if path != "/healthz" && path != "/readyz" {
        add(
            "429",
            "The client asks too much (`api.client_rate`, `api.client_concurrent`); `Retry-After` says when to ask again",
        );
        add("421", "Nobody needs to log in, and the server is called by a name that is not in `api.hosts`");
        add("401", "A login or a token is needed, or the one that was sent is not valid any more");
        add(
            "403",
            "The role does not allow it, `X-CSRF-Token` is missing, or a page of another origin may not change anything",
        );
    }
    if method == "post" || method == "patch" {
        add("413", "The body is larger than `api.max_body`");
        add("415", "The body is not JSON");
    }
    add("414", "The path with its query string is longer than 8 KiB");
    add("500", "The server failed; its log says why");
    add("503", "The server is busy, or a server that it needs is away; `Retry-After` says when to ask again");
}
