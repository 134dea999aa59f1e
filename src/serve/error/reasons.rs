//! Why a request was not answered: each reason with its status and its sentence, in which a part in braces is a value. The
//! page has a text for every reason in each of its languages: `web/src/i18n/errors.*.ts`, which the type of the reason in
//! `docs/openapi.json` forces. Sentences of other parts of the program are a reason's `{error}`.

use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

/// Declares reasons with their status and sentence.
macro_rules! reasons {
    ($($reason:ident $status:ident: $sentence:literal,)+) => {
        /// Why a request was not answered.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub(in crate::serve) enum ErrorReason {
            $(#[doc = $sentence] $reason,)+
        }

        impl ErrorReason {
            /// The HTTP status that an answer has for this reason.
            pub(super) fn status(self) -> StatusCode {
                match self { $(Self::$reason => StatusCode::$status,)+ }
            }

            /// The sentence, with its values in braces.
            pub(super) fn sentence(self) -> &'static str {
                match self { $(Self::$reason => $sentence,)+ }
            }
        }
    };
}

reasons! {
    UnknownEndpoint NOT_FOUND: "there is no endpoint {path}: /api/openapi.json lists those that there are",
    UnknownFile NOT_FOUND: "there is no file /{path}: the page is at /",
    IngestOnly NOT_FOUND: "this process has the role \"ingest\" and only reports its status (/api/status): ask a process of the role \"api\"",
    MethodNotAllowed METHOD_NOT_ALLOWED: "{method} is not allowed here: use {allowed}",
    UriTooLong URI_TOO_LONG: "the path with its query string has {bytes} bytes, and {limit} are allowed: leave out what is not needed",
    WrongCall BAD_REQUEST: "{error}: /api/openapi.json says how this is called",
    OriginNotAllowed FORBIDDEN: "a page of {origin} may not change anything here: use Platewatch's own page, or name the origin in api.allowed_origins (a reverse proxy must pass the header Host on)",

    HttpsOnly BAD_REQUEST: "this port speaks HTTPS only: write https:// before the address",
    TooManyRequests TOO_MANY_REQUESTS: "too many requests from this client: ask again in {seconds} s (api.client_rate, api.client_concurrent)",
    UnknownHost MISDIRECTED_REQUEST: "this server is not called {host}: use its address, or name the host in api.hosts",
    LoginRequired UNAUTHORIZED: "log in first: on the page, or with a token as `Authorization: Bearer pw_…`",
    WrongToken UNAUTHORIZED: "this token is not valid, or not any more: `platewatch token list` shows those that are",
    WrongLogin UNAUTHORIZED: "the name or the password is wrong",
    LoginBackoff TOO_MANY_REQUESTS: "too many wrong passwords: wait {seconds} s",
    NeedsHttps FORBIDDEN: "from other machines passwords are taken over HTTPS only: set api.tls_certificate, or use a reverse proxy that is named in api.proxies and sends X-Forwarded-Proto",
    NoLogin CONFLICT: "nobody needs to log in here: `platewatch user add` makes the first user",
    NoSingleSignOn NOT_FOUND: "single sign-on is not set up here: oidc.issuer names a provider",
    ExternalUser CONFLICT: "{user} logs in by single sign-on: password, roles and shown name come from there; here it is only disabled, enabled or limited to districts",
    UserDisabled CONFLICT: "{user} is disabled: an admin can enable the account",
    MustChange FORBIDDEN: "choose a new password first: somebody else knows this one",
    WeakPassword BAD_REQUEST: "{error}",
    NotPermitted FORBIDDEN: "this needs the permission {permission}, which your roles do not have: an admin can give you another role",
    Csrf FORBIDDEN: "the header X-CSRF-Token is missing, or not that of this session: GET /api/session says it",
    WrongPurpose BAD_REQUEST: "{error}",
    PurposeRequired FORBIDDEN: "say what this is for: the header X-Purpose takes one of warning, case, accident, complaint, patrol, maintenance, test, other (other;… with words)",
    AuditUnavailable SERVICE_UNAVAILABLE: "the audit log cannot be written, and nothing is shown or changed without an entry: make room on the disk of the data directory, or let the service write its folder access/audit; the server's log says why",
    NoAudit NOT_IMPLEMENTED: "this process keeps no audit log: it has no data directory",
    NoSession CONFLICT: "this needs a session: a token has none",
    NoSuchSession NOT_FOUND: "there is no such session, or no longer: /api/sessions lists yours",
    NotName BAD_REQUEST: "`{name}` must be up to {limit} letters, digits, `.`, `-` and `_`, not {given}",
    NoChange BAD_REQUEST: "nothing is to be changed: give at least one of {known}",
    UserExists CONFLICT: "there is a user {user} already: change that one, or take another name",
    NoSuchUser NOT_FOUND: "there is no user {user}: /api/users lists those that there are",
    NoSuchToken NOT_FOUND: "there is no such token, or no longer: /api/tokens lists those that there are",
    LastAdmin CONFLICT: "{user} is the last admin that may log in: make another one first",
    OwnAccount CONFLICT: "this is your own account: another admin can disable it",
    ScopeNotOwned CONFLICT: "the roles of {owner} do not include {scopes}: leave that out, or give {owner} another role first",
    TooManyAccounts CONFLICT: "there are too many users or tokens: remove some first",
    OutsideScope FORBIDDEN: "your account is limited to {scope}, and this is about more than that, or not kept by place",
    UnlimitedRole CONFLICT: "{user} has the role admin or auditor, which are about all districts: leave the districts and checkpoints empty, or choose other roles",
    LargeArea CONFLICT: "a user or token is limited to at most {limit} districts and {limit} checkpoints, each of up to {characters} characters",

    NotUtf8 BAD_REQUEST: "the query string is not UTF-8: percent-encode it as UTF-8",
    ValueNotUtf8 BAD_REQUEST: "`{name}` is not UTF-8: percent-encode it as UTF-8",
    TooManyParameters BAD_REQUEST: "the query string has more than {limit} parameters: /api/openapi.json lists those that there are",
    TooManyFields BAD_REQUEST: "the body has more than {limit} fields: /api/openapi.json lists those that there are",
    GivenTwice BAD_REQUEST: "`{name}` is given twice: give it once",
    MisspeltParameter BAD_REQUEST: "there is no parameter {given}: did you mean `{near}`?",
    MisspeltField BAD_REQUEST: "there is no field {given}: did you mean `{near}`?",
    UnknownParameter BAD_REQUEST: "there is no parameter {given}: those that there are: {known}",
    UnknownField BAD_REQUEST: "there is no field {given}: those that there are: {known}",
    NoParameters BAD_REQUEST: "there is no parameter {given}: this endpoint takes no parameters",
    NotAnObject BAD_REQUEST: "the body must be a JSON object such as {\"hphm\":\"苏C1\",\"page\":1}",
    NotJson BAD_REQUEST: "the body is not valid JSON: {error}",
    NotJsonAt BAD_REQUEST: "the body is not valid JSON in `{name}`: {error}",
    ContentType UNSUPPORTED_MEDIA_TYPE: "the body is {given}: send JSON with the header Content-Type: application/json",
    BodyTooLarge PAYLOAD_TOO_LARGE: "the body is too large: send only the filter, which fits into a few hundred bytes",
    BodyUnread BAD_REQUEST: "the body could not be read, send it again: {error}",
    TextTooLong BAD_REQUEST: "`{name}` must have at most {limit} characters",
    NotText BAD_REQUEST: "`{name}` must be a text, not {given}",
    ItemNotText BAD_REQUEST: "`{name}` must hold texts only, not {given}",
    TooManyItems BAD_REQUEST: "`{name}` must hold at most {limit} texts",
    NotWhole BAD_REQUEST: "`{name}` must be a whole number from {least} to {most}, not {given}",
    NotTime BAD_REQUEST: "`{name}` must be a time such as 2024-01-31 08:30:00, 2024-01-31T08:30:00 or 2024-01-31, not {given}",
    NotDate BAD_REQUEST: "`{name}` must be a date from {first} to {last} such as 2024-01-31, not {given}",
    NotDay BAD_REQUEST: "`day` must be `today` or a date from 2000 to 2099 such as 2024-01-31, not {given}",
    NotChoice BAD_REQUEST: "`{name}` must be one of {known}, not {given}",
    UnknownColumn BAD_REQUEST: "`columns` must name some of {known}, not {given}",
    NotOneCharacter BAD_REQUEST: "`province` must be the plate's first character, such as 苏",
    NotEventId BAD_REQUEST: "the last event id must be the `seq` of an alert, not {given}: leave it out to begin with the next alert",
    NotAlertId BAD_REQUEST: "the id of an alert is 16 hexadecimal digits, as in /api/warnings",
    NotCaseId BAD_REQUEST: "the id of a case is 16 hexadecimal digits, as in /api/cases",
    NotShare BAD_REQUEST: "`{name}` must be a number from 0 to 1, not {given}",
    NotEtag BAD_REQUEST: "If-Match must be the ETag that came with it, such as \"3\", not {given}",
    NoPlateKey CONFLICT: "plates are stored as pseudonyms here, and this process has no key to look for one (privacy.plate_key_file): search for a pseudonym as it is shown, or filter by `province`, place and time",
    PartOfPlate BAD_REQUEST: "plates are stored as pseudonyms here, so a part of a plate or a pattern cannot be searched for, and {given} is no whole plate: give the whole plate, such as 苏C12345, or filter by `province`, place and time",
    MissingPlate BAD_REQUEST: "`hphm` is missing: give the whole plate, such as ?hphm=苏C12345",
    MissingEnd BAD_REQUEST: "`{name}` is missing: give both checkpoints of the segment, as in /api/roads",
    MissingField BAD_REQUEST: "`{name}` is missing",
    MissingName BAD_REQUEST: "`by` is missing: say who makes the change",
    ControlCharacter BAD_REQUEST: "`{name}` holds the control character {given}: leave it out",
    RangeReversed CONFLICT: "`{start}` ({first}) is after `{end}` ({last}): swap them",
    DayAndRange CONFLICT: "`day` is given together with `start` or `end`: give the day, or the ends of a range",
    TwoVersions CONFLICT: "`version` and If-Match are two different versions: give one of them",
    UnknownCheckpoint NOT_FOUND: "there is no checkpoint {given}: `kkmc` is a code or full name, such as {known}; /api/checkpoints lists all; without `kkmc` the whole city is predicted",

    UnknownRoad NOT_FOUND: "there is no segment from {from} to {to}: /api/roads lists those that there are",
    UnknownAlert NOT_FOUND: "there is no alert {id}: it was never raised here, or is older than store.alerts_retention",
    UnknownCase NOT_FOUND: "there is no case {id}: it was never opened here, or is older than store.alerts_retention",
    NoProof NOT_FOUND: "the detection was not proved on this traffic yet: run `platewatch prove --data-dir DIR` with the data directory of this process, beside it",
    WorkChanged CONFLICT: "it was changed meanwhile (version {actual}, not {expected}): read it again with GET, then decide again",
    WorkNotAllowed CONFLICT: "what is {from} cannot become {to}: allowed is {allowed}",
    WorkUnchanged CONFLICT: "it is {state} already: give a `note` to add one, or another `status`: allowed is {allowed}",
    WorkNeedsNote CONFLICT: "it is {state}: taking it up again needs a `note` that says why",
    WorkNotKept SERVICE_UNAVAILABLE: "{error}",

    NoIntake CONFLICT: "records are not taken here: set source.kind = \"http\", or send them to where they come from",
    IngestType UNSUPPORTED_MEDIA_TYPE: "the body is {given}: send lines as text/plain or text/csv, JSON objects one per line as application/x-ndjson, or application/json; in UTF-8, or lines in GB18030",
    EventType UNSUPPORTED_MEDIA_TYPE: "the body is {given}: send events as application/json, one per line as application/x-ndjson, or in the field `json` of multipart/form-data",
    EventsUnknown NOT_FOUND: "no events are called {given}: there are {known}; others are described in a file, see source.events",
    IngestPacking UNSUPPORTED_MEDIA_TYPE: "the body is compressed as {given}: send it as it is, or by gzip",
    IngestTooLarge PAYLOAD_TOO_LARGE: "the body has more than {limit} bytes, as it came or decompressed (api.ingest_max_body): send it in parts",
    IngestTooMany PAYLOAD_TOO_LARGE: "the body has more than {limit} records: send it in parts",
    IntakeFull TOO_MANY_REQUESTS: "too many records wait to be stored: send this again in {seconds} seconds",
    IntakeEnded SERVICE_UNAVAILABLE: "no more records are taken, /readyz says why; whether these were is not known: send them again later, what was stored already is recognised by its GCXH",
    IntakeSlow GATEWAY_TIMEOUT: "the records were not stored within {seconds} s, and whether they will be is not known: send them again later, what was stored already is recognised by its GCXH",

    ExportTooLong CONFLICT: "{total} passages match, and one file holds {limit} at most (api.export_max_rows): narrow the time range with startTime and endTime, or add filters",
    ExportsBusy SERVICE_UNAVAILABLE: "other exports are being made: ask again in {seconds} seconds",
    QueriesBusy SERVICE_UNAVAILABLE: "the server is busy with other queries: ask again in {seconds} seconds, or narrow the time range",
    ConnectionsFull SERVICE_UNAVAILABLE: "every connection that is allowed is in use (api.max_connections): ask again in a few seconds",
    NoStreams SERVICE_UNAVAILABLE: "this server gives no event streams (api.sse_max_clients): poll /api/warnings/realtime instead",
    TooSlow GATEWAY_TIMEOUT: "no answer within {seconds} s: narrow the time range or add filters",
    TooExpensive BAD_REQUEST: "{error}",
    NotOffered NOT_IMPLEMENTED: "{error}",
    DataAway SERVICE_UNAVAILABLE: "{error}",
    StorageUnreadable INTERNAL_SERVER_ERROR: "the storage could not be read, look into the server's log: {error}",
    Failed INTERNAL_SERVER_ERROR: "the server failed on this request: look into its log for the cause",
    NotReady SERVICE_UNAVAILABLE: "not ready: {error}",
    ShuttingDown SERVICE_UNAVAILABLE: "not ready: shutting down",
}
