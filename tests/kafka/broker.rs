//! A real Apache Kafka for tests: one or more KRaft brokers in temporary folders, on free ports, with small heaps.
//!
//! [`Broker`] stops everything when it is dropped, or when the whole test process dies.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::admin::{
    AdminClient, AdminOptions, AlterConfig, NewPartitions, NewTopic, ResourceSpecifier, TopicReplication,
};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer as _};

use crate::harness::{repository, wait_until};
use crate::servers::{Process, START_DEADLINE, free_port, newest_lines};

/// A broker, or a cluster of them, with its data.
pub(crate) struct Broker {
    nodes: Vec<Node>,
    bootstrap: String,
    doors: Vec<(&'static str, String)>,
    controller: String,
    dir: tempfile::TempDir,
}

/// A listener of a broker in addition to its plain one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Door {
    /// The listener's name.
    pub(crate) name: &'static str,
    /// `PLAINTEXT`, `SSL`, `SASL_PLAINTEXT` or `SASL_SSL`.
    pub(crate) protocol: &'static str,
    /// Where it listens; 127.0.0.1 if empty.
    pub(crate) host: &'static str,
    /// The address that it advertises to clients, `host:port`; its own if empty.
    pub(crate) advertised: String,
}

struct Node {
    /// `node.id`, from 1.
    id: i32,
    properties: PathBuf,
    log: PathBuf,
    process: Process,
}

const JAVA: &str = "default-jre-headless";
/// Follows two digits that distinguish clusters.
const CLUSTER_ID: &str = "U3OEVBNTcwNTJENDM2Qg";
const LOG4J: &str = "\
appender.file.type = File
appender.file.name = file
appender.file.fileName = ${sys:platewatch.log}
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %d %p %m (%c{1})%n
rootLogger.level = warn
rootLogger.appenderRef.file.ref = file
";

impl Broker {
    /// One broker, ready to serve.
    pub(crate) fn start() -> Self {
        Self::start_nodes(1)
    }

    /// A cluster of `count` brokers, each of them also a controller. IMPORTANT: with three, two must run; with two, both.
    pub(crate) fn start_nodes(count: usize) -> Self {
        Self::start_with(count, &[], "", &[])
    }

    /// One broker with more listeners, with more lines in its server.properties, and with more arguments when its storage
    /// is formatted.
    pub(crate) fn start_with_doors(doors: &[Door], properties: &str, format: &[&str]) -> Self {
        Self::start_with(1, doors, properties, format)
    }

    fn start_with(count: usize, doors: &[Door], more: &str, format: &[&str]) -> Self {
        let dir = tempfile::Builder::new().prefix("platewatch-kafka-").tempdir().unwrap();
        std::fs::write(dir.path().join("log4j2.properties"), LOG4J).unwrap();
        let ports: Vec<(u16, u16)> = (0..count).map(|_| (free_port(), free_port())).collect();
        let voters: Vec<String> = ports
            .iter()
            .enumerate()
            .map(|(at, (_, controller))| format!("{}@127.0.0.1:{controller}", at + 1))
            .collect();
        let (mut addresses, mut listeners, mut advertised, mut protocols) =
            (Vec::new(), String::new(), String::new(), String::new());
        for Door { name, protocol, host, advertised: told } in doors {
            let host = if host.is_empty() { "127.0.0.1" } else { host };
            let address = format!("{host}:{}", free_port());
            let told = if told.is_empty() { &address } else { told };
            let _ = write!(listeners, ",{name}://{address}");
            let _ = write!(advertised, ",{name}://{told}");
            let _ = write!(protocols, ",{name}:{protocol}");
            addresses.push((*name, address));
        }
        static NEXT: AtomicU16 = AtomicU16::new(10);
        let cluster = format!("{}{CLUSTER_ID}", NEXT.fetch_add(1, Ordering::Relaxed));
        let format: Vec<&str> = ["--cluster-id", &cluster].iter().chain(format).copied().collect();
        let nodes = ports
            .iter()
            .enumerate()
            .map(|(at, &(port, controller))| {
                let home = dir.path().join(format!("node-{}", at + 1));
                std::fs::create_dir(&home).unwrap();
                let properties = home.join("server.properties");
                let text = server_properties(at + 1, count, port, controller, &voters, &home)
                    .replace("{LISTENERS}", &listeners)
                    .replace("{ADVERTISED}", &advertised)
                    .replace("{PROTOCOLS}", &protocols);
                std::fs::write(&properties, text + more).unwrap();
                format_storage(dir.path(), &properties, &format);
                Node { id: at as i32 + 1, properties, log: home.join("broker.log"), process: Process::default() }
            })
            .collect();
        let bootstrap = ports.iter().map(|(port, _)| format!("127.0.0.1:{port}")).collect::<Vec<_>>().join(",");
        let controller = format!("127.0.0.1:{}", ports[0].1);
        let mut broker = Self { nodes, bootstrap, doors: addresses, controller, dir };
        broker.start_again();
        broker
    }

    /// One broker for all tests of a process, with topics of their own. It goes when the process ends.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<Broker> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// `bootstrap.servers`.
    pub(crate) fn bootstrap(&self) -> &str {
        &self.bootstrap
    }

    /// The address of the first broker's controller, which serves no clients.
    pub(crate) fn controller(&self) -> &str {
        &self.controller
    }

    /// The address of an additional listener.
    pub(crate) fn door(&self, name: &str) -> &str {
        &self.doors.iter().find(|(door, _)| *door == name).unwrap().1
    }

    /// Runs one of Kafka's own tools against the plain listener; it must succeed. Returns what it prints.
    pub(crate) fn tool(&self, class: &str, args: &[&str]) -> String {
        self.java_tool(class, &[&["--bootstrap-server", &self.bootstrap][..], args].concat())
    }

    /// Copies a topic of one partition into another by Kafka's own Java client, in transactions of `size` messages. About
    /// one of three is aborted, and its messages are sent again in another.
    pub(crate) fn copy_in_transactions(&self, from: &str, to: &str, size: usize) {
        let size = size.to_string();
        self.java_tool(
            "org.apache.kafka.tools.TransactionalMessageCopier",
            &[
                "--broker-list",
                &self.bootstrap,
                "--input-topic",
                from,
                "--input-partition",
                "0",
                "--output-topic",
                to,
                "--transactional-id",
                to,
                "--consumer-group",
                &format!("{to}-copier"),
                "--transaction-size",
                &size,
                "--enable-random-aborts",
            ],
        );
    }

    fn java_tool(&self, class: &str, args: &[&str]) -> String {
        let output = java(self.dir.path())
            .arg(format!("-Dplatewatch.log={}", self.dir.path().join("tool.log").display()))
            .arg(class)
            .args(args)
            .output()
            .unwrap();
        assert!(output.status.success(), "{class} {args:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// A topic, replicated to all brokers.
    pub(crate) fn create_topic(&self, name: &str, partitions: i32) {
        self.create_topic_with(name, partitions, &[]);
    }

    /// A topic with settings such as `("retention.ms", "1000")`, replicated to all brokers.
    pub(crate) fn create_topic_with(&self, name: &str, partitions: i32, settings: &[(&str, &str)]) {
        let replicas = TopicReplication::Fixed(self.nodes.len() as i32);
        let topic = settings.iter().fold(NewTopic::new(name, partitions, replicas), |topic, (k, v)| topic.set(k, v));
        self.admin(async |admin, options| {
            for result in admin.create_topics([&topic], options).await.unwrap() {
                result.unwrap();
            }
        });
        // A created topic is not yet known everywhere: wait until each partition has a leader.
        let leads = || (0..partitions).all(|partition| self.leader(name, partition).is_some());
        wait_until(START_DEADLINE, &format!("leaders of {name}"), leads);
    }

    /// Creates a topic, unless it is still there from before.
    pub(crate) fn try_create_topic(&self, name: &str, partitions: i32) -> bool {
        let topic = NewTopic::new(name, partitions, TopicReplication::Fixed(self.nodes.len() as i32));
        let mut made = false;
        self.admin(async |admin, options| {
            made = admin.create_topics([&topic], options).await.unwrap().iter().all(Result::is_ok);
        });
        let leads = || (0..partitions).all(|partition| self.leader(name, partition).is_some());
        if made {
            wait_until(START_DEADLINE, &format!("leaders of {name}"), leads);
        }
        made
    }

    /// Sets properties of a topic; those that are not named go back to their defaults.
    pub(crate) fn set_topic(&self, name: &str, settings: &[(&str, &str)]) {
        let topic = AlterConfig::new(ResourceSpecifier::Topic(name));
        let topic = settings.iter().fold(topic, |topic, (name, value)| topic.set(name, value));
        self.admin(async |admin, options| {
            for result in admin.alter_configs([&topic], options).await.unwrap() {
                result.unwrap();
            }
        });
    }

    /// Gives a topic more partitions.
    pub(crate) fn set_partitions(&self, name: &str, partitions: i32) {
        let more = NewPartitions::new(name, partitions as usize);
        self.admin(async |admin, options| {
            for result in admin.create_partitions([&more], options).await.unwrap() {
                result.unwrap();
            }
        });
        let leads = || (0..partitions).all(|partition| self.leader(name, partition).is_some());
        wait_until(START_DEADLINE, &format!("leaders of {name}"), leads);
    }

    /// The first file of a partition's log at the first broker.
    pub(crate) fn segment(&self, topic: &str, partition: i32) -> PathBuf {
        self.dir.path().join(format!("node-1/data/{topic}-{partition}/00000000000000000000.log"))
    }

    /// Removes a topic with its data.
    pub(crate) fn delete_topic(&self, name: &str) {
        self.admin(async |admin, options| {
            for result in admin.delete_topics(&[name], options).await.unwrap() {
                result.unwrap();
            }
        });
    }

    /// Deletes the messages below `offset`, as retention does.
    pub(crate) fn delete_before(&self, topic: &str, partition: i32, offset: i64) {
        let mut offsets = rdkafka::TopicPartitionList::new();
        offsets.add_partition_offset(topic, partition, rdkafka::Offset::Offset(offset)).unwrap();
        self.admin(async |admin, options| {
            admin.delete_records(&offsets, options).await.unwrap();
        });
    }

    /// The `node.id` of a partition's leader, if it has one.
    pub(crate) fn leader(&self, topic: &str, partition: i32) -> Option<i32> {
        let client: BaseConsumer = self.client_config().create().unwrap();
        let metadata = client.fetch_metadata(Some(topic), Duration::from_secs(2)).ok()?;
        let leader = metadata.topics().first()?.partitions().iter().find(|it| it.id() == partition)?.leader();
        (leader > 0).then_some(leader)
    }

    /// Stops all brokers in order; their data stays.
    pub(crate) fn stop(&mut self) {
        // All at once: each would wait a while for its successor.
        for node in &self.nodes {
            node.process.signal("-TERM");
        }
        self.nodes.iter_mut().for_each(|node| node.process.wait());
    }

    /// Kills all brokers; their data stays.
    pub(crate) fn kill(&mut self) {
        self.nodes.iter_mut().for_each(|node| node.process.end("-KILL"));
    }

    /// Starts the brokers that do not run, on the same ports with the same data, and waits until they serve.
    pub(crate) fn start_again(&mut self) {
        let dir = self.dir.path().to_owned();
        for node in self.nodes.iter_mut().filter(|node| !node.process.is_started()) {
            node.start(&dir);
        }
        self.wait_until_ready();
    }

    /// Stops one broker by its `node.id`; those that it led move to others.
    pub(crate) fn stop_node(&mut self, id: i32) {
        self.node(id).process.end("-TERM");
    }

    /// Starts one broker again by its `node.id` and waits until it serves.
    pub(crate) fn start_node(&mut self, id: i32) {
        let dir = self.dir.path().to_owned();
        self.node(id).start(&dir);
        self.wait_until_ready();
    }

    /// A client's configuration that names these brokers.
    pub(crate) fn client_config(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.bootstrap);
        config
    }

    fn admin(&self, work: impl AsyncFnOnce(&AdminClient<DefaultClientContext>, &AdminOptions)) {
        let admin: AdminClient<DefaultClientContext> = self.client_config().create().unwrap();
        let options = AdminOptions::new().operation_timeout(Some(Duration::from_secs(30)));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(work(&admin, &options));
    }

    fn node(&mut self, id: i32) -> &mut Node {
        self.nodes.iter_mut().find(|node| node.id == id).unwrap()
    }

    fn wait_until_ready(&mut self) {
        let wanted = self.nodes.iter().filter(|node| node.process.is_started()).count();
        let client: BaseConsumer = self.client_config().create().unwrap();
        let deadline = Instant::now() + START_DEADLINE;
        loop {
            // A refused connection is not retried at once: the wait is inside.
            let known = client.fetch_metadata(None, Duration::from_secs(1)).map_or(0, |it| it.brokers().len());
            if known >= wanted {
                return;
            }
            for node in &mut self.nodes {
                node.process.must_run(&node.log);
            }
            assert!(Instant::now() < deadline, "Kafka does not get ready:\n{}", self.complaints());
        }
    }

    /// What the brokers logged.
    fn complaints(&self) -> String {
        self.nodes.iter().fold(String::new(), |mut text, node| {
            let _ = writeln!(text, "-- broker {}\n{}", node.id, newest_lines(&node.log));
            text
        })
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Node {
    fn start(&mut self, dir: &Path) {
        let mut java = java(dir);
        java.arg(format!("-Dplatewatch.log={}", self.log.display())).arg("kafka.Kafka").arg(&self.properties);
        self.process.start(&mut java, &self.log, dir, JAVA);
    }
}

fn server_properties(id: usize, nodes: usize, port: u16, controller: u16, voters: &[String], home: &Path) -> String {
    let replicas = nodes.min(3);
    format!(
        "process.roles=broker,controller
node.id={id}
controller.quorum.voters={voters}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}{{LISTENERS}}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}{{ADVERTISED}}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT{{PROTOCOLS}}
inter.broker.listener.name=PLAINTEXT
controller.listener.names=CONTROLLER
log.dirs={data}
auto.create.topics.enable=false
offsets.topic.replication.factor={replicas}
offsets.topic.num.partitions=3
transaction.state.log.replication.factor={replicas}
transaction.state.log.num.partitions=3
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor={replicas}
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
log.cleaner.dedupe.buffer.size=4194304
log.retention.check.interval.ms=500
log.segment.delete.delay.ms=500
num.network.threads=2
num.io.threads=3
num.replica.fetchers=1
broker.session.timeout.ms=4000
broker.heartbeat.interval.ms=500
controlled.shutdown.enable=true
",
        voters = voters.join(","),
        data = home.join("data").display(),
    )
}

fn format_storage(dir: &Path, properties: &Path, more: &[&str]) {
    let output = java(dir)
        .arg(format!("-Dplatewatch.log={}", properties.with_file_name("format.log").display()))
        .args(["kafka.tools.StorageTool", "format", "--config"])
        .arg(properties)
        .args(more)
        .output()
        .unwrap_or_else(|error| panic!("java cannot be run ({error}): install the package {JAVA}"));
    assert!(output.status.success(), "Kafka's storage cannot be formatted: {output:?}");
}

/// A Java that starts fast and stays small.
fn java(dir: &Path) -> Command {
    let mut java = Command::new("java");
    java.args(["-Xmx256m", "-Xms64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto"])
        .arg(format!("-Dlog4j2.configurationFile={}", dir.join("log4j2.properties").display()))
        .args(["-cp", class_path()]);
    java
}

/// The jars, resolved by Maven once per machine.
pub(crate) fn class_path() -> &'static str {
    static CLASS_PATH: OnceLock<String> = OnceLock::new();
    CLASS_PATH.get_or_init(|| {
        let script = repository("tests/kafka/classpath.sh");
        let output = Command::new(&script).stderr(Stdio::inherit()).output().unwrap();
        assert!(output.status.success(), "{} failed", script.display());
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    })
}
