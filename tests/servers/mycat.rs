//! What MyCat 1.6 does to statements, as measured, in front of two real instances: it routes by KKMC on its own ring,
//! asks one dataNode on a hint, merges the answers of both, answers with half of the data while an instance is dead
//! (1.6-Release) or fails (1.6.7.6), strips the schema's name from values where `checkSQLschema` is true, and accepts
//! connections without a greeting where an instance refuses its account. It is not MyCat: it knows the forms of
//! statements that Platewatch sends, and fails on others.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, OptsBuilder, Value};
use shard::Ring;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::free_port;
use super::mariadb::{MYCAT_PASSWORD, MariaDb};

const OK: &[u8] = &[0, 0, 0, 2, 0, 0, 0];

/// Something that treats statements as MyCat does.
pub(crate) struct MyCat {
    port: u16,
    shared: Arc<Shared>,
    _runtime: tokio::runtime::Runtime,
}

struct Shared {
    instances: [u16; 2],
    ring: Ring,
    strips_schema: AtomicBool,
    fails_when_half: AtomicBool,
    is_mute: AtomicBool,
    statements: Mutex<Vec<String>>,
}

impl MyCat {
    /// In front of two instances, whose order is that of `dn1,dn2`. Behaves as 1.6-Release with `checkSQLschema="false"`.
    pub(crate) fn start(instances: [&MariaDb; 2]) -> Self {
        let port = free_port();
        let shared = Arc::new(Shared {
            instances: instances.map(MariaDb::port),
            ring: Ring::mycat_default(2).unwrap(),
            strips_schema: AtomicBool::new(false),
            fails_when_half: AtomicBool::new(false),
            is_mute: AtomicBool::new(false),
            statements: Mutex::default(),
        });
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind(("127.0.0.1", port))).unwrap();
        let serving = shared.clone();
        runtime.spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let mut session = Session { shared: serving.clone(), client, backends: [None, None] };
                tokio::spawn(async move {
                    let _ = session.serve().await;
                });
            }
        });
        Self { port, shared, _runtime: runtime }
    }

    /// `mysql://…/MYETCDB`.
    pub(crate) fn url(&self) -> String {
        format!("mysql://platewatch:any@127.0.0.1:{}/MYETCDB", self.port)
    }

    /// `checkSQLschema` of its schema.xml.
    pub(crate) fn check_sql_schema(&self, yes: bool) {
        self.shared.strips_schema.store(yes, Ordering::SeqCst);
    }

    /// As 1.6.7.6: a query over both instances fails while one is dead.
    pub(crate) fn fail_when_half(&self, yes: bool) {
        self.shared.fails_when_half.store(yes, Ordering::SeqCst);
    }

    /// Connections are accepted without a greeting: an instance refuses MyCat's own account.
    pub(crate) fn mute(&self, yes: bool) {
        self.shared.is_mute.store(yes, Ordering::SeqCst);
    }

    /// Takes the statements so far.
    pub(crate) fn take_statements(&self) -> Vec<String> {
        std::mem::take(&mut self.shared.statements.lock().unwrap())
    }
}

/// An answer of an instance, as texts.
#[derive(Default)]
struct Table {
    names: Vec<String>,
    rows: Vec<Vec<Option<Vec<u8>>>>,
    affected: u64,
    warnings: u16,
}

/// An error that a client gets.
struct Refusal(u16, String);

struct Session {
    shared: Arc<Shared>,
    client: TcpStream,
    backends: [Option<Conn>; 2],
}

impl Session {
    async fn serve(&mut self) -> std::io::Result<()> {
        if self.shared.is_mute.load(Ordering::SeqCst) {
            let mut nothing = [0; 64];
            while self.client.read(&mut nothing).await? > 0 {}
            return Ok(());
        }
        let mut greeting = vec![10];
        greeting.extend(b"5.6.29-mycat-1.6-RELEASE\0\x01\0\0\0abcdefgh\0");
        greeting.extend([0x0f, 0xa2, 33, 2, 0, 0x08, 0, 21]);
        greeting.extend([0; 10]);
        greeting.extend(b"abcdefghijkl\0mysql_native_password\0");
        self.send(0, &greeting).await?;
        let _login = self.receive().await?;
        self.send(2, OK).await?;
        loop {
            let packet = self.receive().await?;
            match packet.first() {
                Some(0x03) => {
                    let statement = String::from_utf8(packet[1..].to_vec()).unwrap();
                    self.shared.statements.lock().unwrap().push(statement.clone());
                    match self.run(&statement).await {
                        Ok(table) if table.names.is_empty() => {
                            let mut ok = vec![0];
                            push_number(&mut ok, table.affected);
                            ok.extend([0, 2, 0]);
                            ok.extend(table.warnings.to_le_bytes());
                            self.send(1, &ok).await?;
                        }
                        Ok(table) => self.answer(&table).await?,
                        Err(Refusal(code, words)) => {
                            let mut error = vec![0xff];
                            error.extend(code.to_le_bytes());
                            error.extend(format!("#HY000{words}").into_bytes());
                            self.send(1, &error).await?;
                        }
                    }
                }
                Some(0x0e) => self.send(1, OK).await?,
                // Prepared statements break connections, and so do other unknown commands.
                _ => return Ok(()),
            }
        }
    }

    async fn run(&mut self, statement: &str) -> Result<Table, Refusal> {
        if let Some(rest) = statement.strip_prefix("/*!mycat:dataNode=dn") {
            let (node, statement) = rest.split_once("*/").unwrap();
            let node: usize = node.parse().unwrap();
            if !(1..=2).contains(&node) {
                return Err(Refusal(1064, format!("can't find hint datanode:dn{node}")));
            }
            return self.ask(node - 1, statement).await;
        }
        let mut statement = statement.to_owned();
        if self.shared.strips_schema.load(Ordering::SeqCst) {
            while let Some(at) = statement.to_ascii_uppercase().find("MYETCDB.") {
                statement.replace_range(at..at + "MYETCDB.".len(), "");
            }
        }
        let statement = statement.as_str();
        if statement.starts_with("SELECT") {
            return self.select(statement).await;
        }
        if statement.contains("kkmc_info") {
            self.ask(0, statement).await?;
            return self.ask(1, statement).await;
        }
        let values = statement.split_once(" VALUES ").expect("a column list and VALUES").1;
        let literals = literals(values.split(" ON DUPLICATE").next().unwrap());
        let shards: Vec<usize> = literals.chunks(8).map(|row| self.shared.ring.shard_of(&row[2])).collect();
        if shards.iter().any(|shard| *shard != shards[0]) {
            return Err(Refusal(1064, "the test's statement spans shards".to_owned()));
        }
        self.ask(shards[0], statement).await
    }

    async fn select(&mut self, statement: &str) -> Result<Table, Refusal> {
        if !statement.contains("FROM traffic_data") {
            let first = self.ask(0, statement).await;
            return if first.is_ok() { first } else { self.ask(1, statement).await };
        }
        let keys = ["kkmc = ", "kkmc IN ("].iter().find_map(|start| {
            let rest = statement.split_once(start)?.1;
            let until = if start.ends_with('(') { literal_list_end(rest) } else { literal_end(rest) };
            Some(literals(&rest[..until]))
        });
        let mut nodes: Vec<usize> = match keys {
            Some(keys) => keys.iter().map(|key| self.shared.ring.shard_of(key)).collect(),
            None => vec![0, 1],
        };
        nodes.sort_unstable();
        nodes.dedup();
        if let [node] = nodes[..] {
            return self.ask(node, statement).await;
        }
        let [first, second] = [self.ask(0, statement).await, self.ask(1, statement).await];
        match (first, second) {
            (Ok(first), Ok(second)) => Ok(merge(statement, first, second)),
            (Ok(half), Err(_)) | (Err(_), Ok(half)) if !self.shared.fails_when_half.load(Ordering::SeqCst) => {
                Ok(merge(statement, half, Table::default()))
            }
            (Err(refusal), _) | (_, Err(refusal)) => Err(refusal),
        }
    }

    async fn ask(&mut self, node: usize, statement: &str) -> Result<Table, Refusal> {
        let mut conn = match self.backends[node].take() {
            Some(conn) => conn,
            None => {
                let options = OptsBuilder::default()
                    .ip_or_hostname("127.0.0.1")
                    .tcp_port(self.shared.instances[node])
                    .user(Some("mycat"))
                    .pass(Some(MYCAT_PASSWORD))
                    .db_name(Some("traffic_db"))
                    .prefer_socket(false)
                    .max_allowed_packet(Some(16 << 20))
                    .wait_timeout(Some(28_800));
                Conn::new(options).await.map_err(|_| Refusal(1184, "Connection refused".to_owned()))?
            }
        };
        let asked = async {
            let mut answer = conn.query_iter(statement).await?;
            let mut table = Table { affected: answer.affected_rows(), ..Table::default() };
            table.names =
                answer.columns().iter().flat_map(|all| all.iter()).map(|c| c.name_str().into_owned()).collect();
            for row in answer.collect::<mysql_async::Row>().await? {
                table.rows.push(row.unwrap().into_iter().map(bytes).collect());
            }
            Ok::<_, mysql_async::Error>(table)
        };
        match asked.await {
            Ok(mut table) => {
                table.warnings = conn.get_warnings();
                self.backends[node] = Some(conn);
                Ok(table)
            }
            Err(mysql_async::Error::Server(error)) => Err(Refusal(error.code, error.message)),
            Err(_) => Err(Refusal(1184, "Connection refused".to_owned())),
        }
    }

    async fn answer(&mut self, table: &Table) -> std::io::Result<()> {
        let mut sequence = 1;
        let mut packets = vec![vec![table.names.len() as u8]];
        for name in &table.names {
            let mut column = Vec::new();
            for text in ["def", "", "", "", name, ""] {
                push_bytes(&mut column, text.as_bytes());
            }
            column.extend([0x0c, 45, 0, 0xff, 0xff, 0, 0, 0xfd, 0, 0, 0, 0, 0]);
            packets.push(column);
        }
        const EOF: [u8; 5] = [0xfe, 0, 0, 2, 0];
        packets.push(EOF.to_vec());
        for row in &table.rows {
            let mut packet = Vec::new();
            for value in row {
                match value {
                    None => packet.push(0xfb),
                    Some(bytes) => push_bytes(&mut packet, bytes),
                }
            }
            packets.push(packet);
        }
        packets.push(EOF.to_vec());
        let mut out = Vec::new();
        for packet in packets {
            out.extend(&(packet.len() as u32).to_le_bytes()[..3]);
            out.push(sequence);
            out.extend(packet);
            sequence = sequence.wrapping_add(1);
        }
        self.client.write_all(&out).await
    }

    async fn send(&mut self, sequence: u8, packet: &[u8]) -> std::io::Result<()> {
        let mut out = (packet.len() as u32).to_le_bytes()[..3].to_vec();
        out.push(sequence);
        out.extend(packet);
        self.client.write_all(&out).await
    }

    async fn receive(&mut self) -> std::io::Result<Vec<u8>> {
        let mut header = [0; 4];
        self.client.read_exact(&mut header).await?;
        let length = u32::from_le_bytes([header[0], header[1], header[2], 0]) as usize;
        // A statement over 4 MB drops the connection.
        if length > 4 << 20 {
            return Err(ErrorKind::InvalidData.into());
        }
        let mut packet = vec![0; length];
        self.client.read_exact(&mut packet).await?;
        Ok(packet)
    }
}

fn bytes(value: Value) -> Option<Vec<u8>> {
    match value {
        Value::NULL => None,
        Value::Bytes(bytes) => Some(bytes),
        other => Some(other.as_sql(true).trim_matches('\'').as_bytes().to_vec()),
    }
}

fn push_number(packet: &mut Vec<u8>, number: u64) {
    match number {
        0..=250 => packet.push(number as u8),
        251..=0xffff => {
            packet.push(0xfc);
            packet.extend((number as u16).to_le_bytes());
        }
        _ => {
            packet.push(0xfe);
            packet.extend(number.to_le_bytes());
        }
    }
}

fn push_bytes(packet: &mut Vec<u8>, bytes: &[u8]) {
    push_number(packet, bytes.len() as u64);
    packet.extend(bytes);
}

/// Two answers as one: groups are added, plain rows sorted and cut.
fn merge(statement: &str, first: Table, second: Table) -> Table {
    let number = |value: &Option<Vec<u8>>| -> u64 {
        value.as_ref().map_or(0, |bytes| String::from_utf8_lossy(bytes).parse().unwrap())
    };
    let mut table = Table { names: first.names, ..Table::default() };
    let rows: Vec<_> = first.rows.into_iter().chain(second.rows).collect();
    let grouped = statement.split_once(" GROUP BY ").map(|(_, columns)| columns.split(',').count());
    let counted = statement.starts_with("SELECT COUNT(").then_some(0);
    if let Some(keys) = grouped.or(counted) {
        let mut groups: BTreeMap<Vec<Option<Vec<u8>>>, Vec<u64>> = BTreeMap::new();
        for row in rows {
            let sums = groups.entry(row[..keys].to_vec()).or_insert_with(|| vec![0; row.len() - keys]);
            sums.iter_mut().zip(&row[keys..]).for_each(|(sum, value)| *sum += number(value));
        }
        for (key, sums) in groups {
            // MyCat gives a sum as a floating-point number; a count not.
            let texts = sums.iter().enumerate().map(|(at, sum)| {
                let is_sum = at > 0 && *sum >= 10_000_000;
                Some(if is_sum { format!("{:E}", *sum as f64) } else { sum.to_string() }.into_bytes())
            });
            table.rows.push(key.into_iter().chain(texts).collect());
        }
        return table;
    }
    table.rows = rows;
    if statement.starts_with("SELECT MAX(") {
        table.rows = table.rows.into_iter().max().into_iter().collect();
    }
    if let Some((_, order)) = statement.split_once(" ORDER BY ") {
        let key = |row: &Vec<Option<Vec<u8>>>| (row[4].clone(), row[0].clone());
        table.rows.sort_by(|a, b| {
            let ((time_a, id_a), (time_b, id_b)) = (key(a), key(b));
            let times = if order.starts_with("gcsj DESC") { time_b.cmp(&time_a) } else { time_a.cmp(&time_b) };
            times.then(id_a.cmp(&id_b))
        });
        let limit: usize = order.split_once("LIMIT ").unwrap().1.parse().unwrap();
        table.rows.truncate(limit);
    }
    table
}

/// The literals of a statement's part, as MySQL reads them.
fn literals(part: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut symbols = part.chars().peekable();
    while let Some(symbol) = symbols.next() {
        if symbol != '\'' {
            continue;
        }
        let mut text = String::new();
        while let Some(symbol) = symbols.next() {
            match symbol {
                '\'' if symbols.peek() == Some(&'\'') => text.extend(symbols.next()),
                '\'' => break,
                '\\' => text.extend(symbols.next().map(|escaped| match escaped {
                    'n' => '\n',
                    'r' => '\r',
                    '0' => '\0',
                    'Z' => '\u{1a}',
                    other => other,
                })),
                other => text.push(other),
            }
        }
        all.push(text);
    }
    all
}

/// Where the first literal of `rest` ends.
fn literal_end(rest: &str) -> usize {
    let mut inside = false;
    let mut symbols = rest.char_indices().peekable();
    while let Some((at, symbol)) = symbols.next() {
        match symbol {
            '\\' if inside => {
                symbols.next();
            }
            '\'' if inside && symbols.peek().is_some_and(|(_, next)| *next == '\'') => {
                symbols.next();
            }
            '\'' if inside => return at + 1,
            '\'' => inside = true,
            _ => {}
        }
    }
    rest.len()
}

/// Where a list of literals is closed.
fn literal_list_end(rest: &str) -> usize {
    let mut from = 0;
    loop {
        from += literal_end(&rest[from..]);
        if !rest[from..].trim_start().starts_with(',') {
            return from;
        }
    }
}
