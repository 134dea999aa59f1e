//! The sentences that reach the page from other parts of the program, each with its code. A part in braces is a value.
//!
//! The first match counts, so the more specific sentence comes first. The page has a text for every code in each of
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
    EarlierCommitFailed: "an earlier commit failed, so no more is taken: restart, and it continues after the last good commit",
    DirectoryDamaged: "{what} in data directory {path} is damaged ({error}): restore the directory from a backup or replay into a new one",
    SegmentDamaged: "a segment of the log: {error}",
    ValueDamaged: "a stored value: {error}",

    ModelUnreadableKept: "cannot read {path}: {error} (still serving {version})",
    FileMissing: "cannot read {path}: no such file: check the name",
    FileForbidden: "cannot read {path}: permission denied: let this user read it",
    FileBroken: "cannot read {path} after byte {offset}: {error}",
    FileUnreadable: "cannot read {path}: {error}",
    FileIsFolder: "{path} is a directory: name the capture files in it",
    FileShorter: "{path} has only {found} bytes where {read} were read before: give the same input again",
    OtherInput: "the data directory holds the replay of other input ({files}, order {order}): give the same files and order to continue it, or another --data-dir",
    OtherOptions: "the data directory holds a replay with other options ({options}): give the same ones to continue it, or another --data-dir",
    FileReplaced: "{path} {how}: it was rotated or replaced. To go on, name the file that was read before it and then this one (such as {older} {again}); to read this one alone, give another --data-dir",
    FileGrownSorted: "{path} has grown since it was sorted by time: sort all of it into another --data-dir",
    FileGrownPacked: "{path} has grown since an older platewatch read it, and where it ended then is not known for a packed file: give another --data-dir",
    InputEnded: "standard input has ended: nothing more is taken in, and what is stored is still served; restart with an input that stays open, such as tail -F of the log",
    PositionUnreadable: "the stored position of the capture does not read ({error}): give another --data-dir",
    PositionDamaged: "the stored position of the capture does not read: {error}",
    SortNoSpace: "no space left for sorting by time: free some space beside the output and start again",
    SortFailed: "cannot sort by time: {error}",
    SourceThreadEnded: "the source's thread ended unexpectedly: restart, and please report it",

    KafkaPositionDamaged: "the stored position of {partition} cannot be read ({error}): restore the data directory, or begin with another",
    KafkaFenced: "another process has joined the group with this group.instance.id ({error}): give each appliance its own, then restart this one",
    KafkaFatal: "Kafka's client cannot go on ({error}): see to the cause, then restart",
    KafkaStoppedCodec: "partitions {partitions} of the topic cannot be read on: records there are compressed with a codec that this program does not have: let the producers use gzip, snappy, lz4 or zstd, and delete the records that are in the way (kafka-delete-records.sh), which are then shown as a gap ({error})",
    KafkaStoppedDamaged: "partitions {partitions} of the topic cannot be read on: records there are damaged: see to the broker's disk, and delete the records that are in the way (kafka-delete-records.sh), which are then shown as a gap ({error})",
    KafkaStoppedTooLarge: "partitions {partitions} of the topic cannot be read on: a record there is larger than what is taken: in [kafka.properties] raise \"receive.message.max.bytes\" and \"fetch.message.max.bytes\" ({error})",
    KafkaStoppedRights: "partitions {partitions} of the topic cannot be read on: this user may not read the topic: grant Read on it (kafka-acls.sh --add --allow-principal User:NAME) ({error})",
    KafkaStoppedFetch: "partitions {partitions} of the topic cannot be read on: the broker gives no records: see to its log ({error})",
    KafkaUnkeyed: "passages of one plate come in different partitions, where they are not compared, so clones are missed: let the producer use HPHM as the key of each message (as `platewatch ship` does); harmless for a while after partitions were added",
    KafkaGroupChange: "the group's change could not be followed: {error}",

    MqttLogin: "it refuses the login: check mqtt.user and mqtt.password",
    MqttClient: "it refuses the name of this client: change mqtt.client_id",
    MqttSilent: "it does not answer: check mqtt.url and the network",
    MqttUnreachable: "it cannot be reached ({error}): check mqtt.url, and that the broker listens there",
    MqttTls: "no encrypted connection to it ({error}): check mqtt.url and mqtt.tls_ca",
    MqttRefused: "the broker refuses a subscription: allow the user to read these topics",

    PlatformLogin: "{what} is refused: check viid.peer_user and viid.peer_password, and that the platform knows viid.device_id",
    PlatformNonsense: "{what} is answered by what is no answer of GA/T 1400: check viid.peer",
    HttpUnreachable: "cannot connect to {host}: {error}",
    HttpSlow: "{host} gave no whole answer within {seconds} s",

    NoAnswersAway: "{name} at {address} does not answer, so there are no {serves} for now: {error}. Start it or the way to it; this ends by itself",
    NoAnswersHalf: "{name} at {address} lacks a part of the data, so there are no {serves} for now: {error}. Start that instance; this ends by itself",
    NoAnswersBlocked: "{name} at {address} answers, but there are no {serves} for now: {error}",
    QuestionFailed: "{name} at {address} did not answer this question: {error}. Ask again, or narrow the time range",
    StillCounting: "the passages in MySQL are still being counted, which takes some seconds per million: ask again in a moment",
    TooManyInSecond: "too many passages in one second before this page: narrow the time range or the filter",
    TooManyRows: "the answer has more than {count} rows: narrow the time range or the filter",
    NotInThisProcess: "{what} is kept in local storage, which this process does not have: ask a process of role \"all\"",
    ProcessEnding: "the process is ending",

    ServerSilent: "{name} at {address} has not answered yet",
    ServerAway: "{name} at {address} does not answer: {error}",
    ServerHalf: "{name} at {address} lacks a part of the data: {error}",
    ServerBlocked: "{name} at {address} answers, but {error}",
    NodeAway: "the instance behind dataNode {node} is away ({error})",
    NodeSqlMode: "the instance behind dataNode {node} has {mode} in its sql_mode, so that it would read texts with backslashes otherwise than they are meant: take it out of sql_mode in its configuration (sql/instance.cnf has the right one), restart it, then MyCat",
    NodeUnknown: "MyCat knows no dataNode {node} ({error}): set mycat.data_nodes to the names in its schema.xml, in the order in which the table traffic_data has them",
    MycatChangesTexts: "MyCat changes texts on their way: {text} comes back as {came}. Its schema.xml has checkSQLschema=\"true\", with which values are changed and rows go to the wrong instance: set it to \"false\" and restart MyCat, then compare what was written before with verify-mirror",
    NoGreeting: "it accepts connections and does not greet within {time}: if it is MyCat, an instance behind it is away or refuses MyCat's own account (look into MyCat's logs, and at user and password of each writeHost in schema.xml); else something on the way swallows what is said, such as a firewall",
    MysqlAccountOf: "{error}; it refuses the account: check mycat.user, mycat.password and its rights (sql/users.sql)",
    MysqlAccount: "it refuses the account: check mycat.user, mycat.password and its rights (sql/users.sql) (MySQL error {number})",
    MysqlTableMissing: "{error}; the database or its table is missing: load sql/schema.sql on the instance",
    MysqlOtherColumns: "{error}; its table has other columns: compare it with sql/schema.sql",
    MysqlError: "{error} (MySQL error {number}, SQLSTATE {state})",
    NoAnswer: "no answer within {time} ({question})",
    RedisAccount: "it refuses the account: check redis.user and redis.password",
    RedisCluster: "{error}: it is a node of a Redis Cluster, set redis.url to a single Redis",
    RedisClusterNode: "it is a node of a Redis Cluster ({error}): set redis.url to a single Redis",
    RedisKeyKind: "the key {key} holds a {kind}, not a list, and is left alone: rename or delete it, or set redis.key to another",
    RedisKeyNoList: "its key {key} is not a list: rename or delete it, or check redis.key",
    RedisEvicts: "Redis throws the list {key} away (maxmemory {limit} MiB, maxmemory-policy {policy}, {count} keys evicted): set maxmemory-policy noeviction, and maxmemory so that there is room for {needed} MiB more, which is what {length} alerts take; or lower redis.max_length. It was filled {times} times, and will be again in {seconds} s",
    RedisListLost: "the list {key} loses alerts again and again: look who else deletes or cuts it (DEL, FLUSHALL, LTRIM, EXPIRE) or restarts Redis without persistence. It was filled {times} times, and will be again in {seconds} s",
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

    LostPassages: "{missing} of {all} passages ({rows}; newest passage time known {known}, held {held})",
    LostRows: "rows {first} to {last} of shard {shard}",
    LostFromMiddle: "{count} passages in the middle of the log",
    LostAlerts: "alerts {first} to {last}",
    LostRejects: "rejected lines {first} to {last}",
    LostWork: "{missing} of {all} changes of the work on alerts",
    LostCounts: "the counts that tell what there should be ({error})",
    LostUncounted: "nothing that is counted",
    LostUnexplained: "it holds less than was committed",

    ReadsTopic: "topic {topic} of Kafka at {brokers}, group {group}",
    ReadsSorted: "capture {path} sorted by time",
    ReadsFile: "capture {path} in the order of arrival",
    ReadsFilesSorted: "{count} capture files sorted by time",
    ReadsFiles: "{count} capture files in the order of arrival",
    ReadsSimulated: "simulated traffic, seed {seed}, from {start}",
    ReadsHttp: "what is sent to /api/ingest",
    AtDelivery: "delivery {count}",
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
