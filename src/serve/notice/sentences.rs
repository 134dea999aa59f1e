//! The sentences that reach the page from other parts of the program, each with its code. A part in braces is a value.
//!
//! The first that fits counts, so what says more stands before what says less. The page has a text for every code in each of
//! its languages: `web/src/i18n/notices.*.ts`, which the type of the code in `docs/openapi.json` forces.

use serde::Serialize;
use utoipa::ToSchema;

/// Declares codes, and the sentence of each.
macro_rules! sentences {
    ($(#[$doc:meta])* $name:ident, $table:ident, $($code:ident: $sentence:literal,)+) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub(in crate::serve) enum $name {
            $(#[doc = $sentence] $code,)+
        }

        pub(super) const $table: &[($name, &str)] = &[$(($name::$code, $sentence),)+];
    };
}

sentences! {
    /// Which sentence it is; `other` where it is none that is known, and `values.error` is the whole of it.
    NoticeCode, SENTENCES,
    DiskFull: "no space left on the disk of {path}: free some space and start again, nothing committed is lost",
    EarlierWriteFailed: "an earlier write to {path} failed ({error}): no more is written until a restart",
    DataDirectoryFailed: "cannot {action} in data directory {path}: {error}",
    EarlierCommitFailed: "an earlier commit failed, so no more is taken: restart, and it continues behind the last good commit",
    SegmentDamaged: "a segment of the log: {error}",
    ValueDamaged: "a stored value: {error}",

    ModelUnreadableKept: "cannot read {path}: {error} (still serving {version})",
    FileMissing: "cannot read {path}: no such file: check the name",
    FileForbidden: "cannot read {path}: permission denied: let this user read it",
    FileBroken: "cannot read {path} behind byte {offset}: {error}",
    FileUnreadable: "cannot read {path}: {error}",
    FileIsFolder: "{path} is a directory: name the capture files in it",
    FileShorter: "{path} has only {found} bytes where {read} were read before: give the same input again",
    OtherInput: "the data directory holds the replay of other input ({files}, order {order}): give the same files and order to continue it, or another --data-dir",
    OtherOptions: "the data directory holds a replay with other options ({options}): give the same ones to continue it, or another --data-dir",
    PositionDamaged: "the stored position of the capture does not read: {error}",
    SortNoSpace: "no space left for sorting by time: free some space beside the output and start again",
    SortFailed: "cannot sort by time: {error}",
    InputEnded: "standard input has ended: nothing more is taken in, and what is stored is still served; restart with an input that stays open, such as tail -F of the log",
    SourceThreadEnded: "the source's thread ended unexpectedly: restart, and please report it",

    KafkaPositionDamaged: "the stored position of {partition} cannot be read ({error}): restore the data directory, or begin with another",
    KafkaFenced: "another process has joined the group with this group.instance.id ({error}): give each appliance its own, then restart this one",
    KafkaFatal: "Kafka's client cannot go on ({error}): see to the cause, then restart",
    KafkaUnkeyed: "passages of one plate come in different partitions, where they are not compared, so clones are missed: let the producer use HPHM as the key of each message (as `platewatch ship` does); harmless for a while after partitions were added",
    KafkaGroupChange: "the group's change could not be followed: {error}",

    ServerSilent: "{name} at {address} has not answered yet",
    ServerAway: "{name} at {address} does not answer: {error}",
    MysqlError: "{error} (MySQL error {number}, SQLSTATE {state})",
    NoAnswer: "no answer within {time} ({question})",
    RedisFull: "{error}: raise its maxmemory, or lower redis.max_length",
    RedisReplica: "{error}: it is a replica, set redis.url to the master",
    RedisPassword: "{error}: set redis.password",

    ModelDamagedKept: "{path} cannot be used: {error}; train the model again, or copy both files of its folder again (still serving {version})",
    ModelDamaged: "{path} cannot be used: {error}; train the model again, or copy both files of its folder again (no model is served)",
    ModelFileMissingKept: "there is no {file} in {folder} (still serving {version})",
    ModelFileMissing: "there is no {file} in {folder} (no model is served)",
    NothingToLearn: "there is nothing to learn from: not one hour has a count",
    HolidaysWrong: "the holidays in {path}: {error}",
    CannotWrite: "cannot write {path}: {error}",

    ReadsTopic: "topic {topic} of Kafka at {brokers}, group {group}",
    ReadsSorted: "capture {path} sorted by time",
    ReadsFile: "capture {path} in the order of arrival",
    ReadsFilesSorted: "{count} capture files sorted by time",
    ReadsFiles: "{count} capture files in the order of arrival",
    ReadsSimulated: "simulated traffic, seed {seed}, from {start}",
    AtLine: "line {line}",
    AtFileLine: "{file} line {line}",
    AtSortedLine: "{count} lines in the order of time",
    AtEnd: "the end of {count} files",
    Other: "{error}",
}

/// Words that other programs say in many sentences, and their code.
macro_rules! causes {
    ($($code:ident: [$($words:literal),+],)+) => {
        /// What the words of another program in `values.error` mean, where that is known.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub(in crate::serve) enum NoticeCause {
            $(#[doc = concat!($($words, "; "),+)] $code,)+
        }

        pub(super) const CAUSES: &[(NoticeCause, &[&str])] = &[$((NoticeCause::$code, &[$($words),+]),)+];
    };
}

causes! {
    NameUnknown: ["failed to lookup address", "Name or service not known", "name resolution", "Failed to resolve", "nodename nor servname"],
    Refused: ["Connection refused"],
    Unreachable: ["No route to host", "Network is unreachable", "Host is unreachable"],
    Certificate: ["certificate", "TLS", "SSL"],
    Login: ["Access denied for user", "NOAUTH", "WRONGPASS", "SASL", "uthentication fail", "invalid username-password"],
    Forbidden: ["command denied", "NOPERM", "uthorization fail", "ACCESS_DENIED"],
    NoTable: ["doesn't exist (MySQL error 1146", "doesn't exist", "Unknown column"],
    TooLong: ["Data too long for column"],
    WrongValue: ["Incorrect string value", "Incorrect datetime value", "cannot be null"],
    WrongType: ["WRONGTYPE"],
    MemoryFull: ["OOM command not allowed"],
    ReadOnly: ["READONLY", "read-only", "read only"],
    Loading: ["LOADING"],
    Moved: ["MOVED "],
    UnknownTopic: ["Unknown topic", "UnknownTopic"],
    BrokersDown: ["brokers are down", "AllBrokersDown"],
    BrokerGone: ["Broker transport failure", "BrokerTransportFailure", "Disconnected", "ApiVersionRequest"],
    DiskFull: ["No space left on device", "StorageFull"],
    NoPermission: ["Permission denied"],
    NoFile: ["No such file or directory"],
    TimedOut: ["timed out", "imeout", "no answer within"],
    Closed: ["Connection reset", "Broken pipe", "onnection closed", "server closed", "Server disconnected", "unexpected end of file"],
    Checksum: ["checksum"],
    NewerVersion: ["is newer than"],
}
