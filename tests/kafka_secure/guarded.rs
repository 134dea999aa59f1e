//! One broker with a listener of every kind, an authority that signed its certificate, and users with different rights.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::kafka::{Broker, Door};
use crate::servers::free_port;

/// No output of the program may contain it.
pub(crate) const PASSWORD: &str = "open-sesame-7391";

/// The broker and the certificate of its authority.
pub(crate) struct Guarded {
    pub(crate) broker: Broker,
    /// Nothing listens there; the listener `LOST` advertises it.
    pub(crate) closed_port: u16,
    /// Where `STRANGER` sends its clients: another cluster, on a port of this machine.
    pub(crate) stranger: Broker,
    files: tempfile::TempDir,
}

impl Guarded {
    /// One instance for all tests of this process.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<Guarded> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// The authority's certificate.
    pub(crate) fn authority(&self) -> PathBuf {
        self.files.path().join("authority.pem")
    }

    /// The properties of a user who logs in by SCRAM and TLS, as TOML below `[kafka.properties]`.
    pub(crate) fn login(&self, user: &str, password: &str) -> String {
        let authority = self.authority();
        format!(
            "\"security.protocol\" = \"SASL_SSL\"\n\"sasl.mechanism\" = \"SCRAM-SHA-512\"\n\"sasl.username\" = \"{user}\"\n\
             \"sasl.password\" = \"{password}\"\n\"ssl.ca.location\" = {authority:?}\n"
        )
    }

    fn start() -> Self {
        let files = tempfile::tempdir().unwrap();
        make_certificates(files.path());
        let closed_port = free_port();
        let stranger = Broker::start();
        let door = |name, protocol| Door { name, protocol, ..Door::default() };
        let elsewhere = |name, protocol, advertised| Door { host: "127.0.0.2", advertised, ..door(name, protocol) };
        let doors = [
            door("TLS", "SSL"),
            door("LOGIN", "SASL_PLAINTEXT"),
            door("SECURE", "SASL_SSL"),
            elsewhere("MISNAMED", "SSL", String::new()),
            elsewhere("LOST", "PLAINTEXT", format!("localhost:{closed_port}")),
            elsewhere("NAMELESS", "PLAINTEXT", "kafka-1.invalid:9092".to_owned()),
            elsewhere("STRANGER", "PLAINTEXT", stranger.bootstrap().to_owned()),
        ];
        let users = ["alice", "bob", "carol", "dora"];
        let plain: Vec<String> = users.iter().map(|user| format!("user_{user}=\"{PASSWORD}\"")).collect();
        let properties = format!(
            "ssl.keystore.type=PEM
ssl.keystore.location={keystore}
listener.name.login.sasl.enabled.mechanisms=PLAIN
listener.name.login.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required {plain};
listener.name.secure.sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.secure.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
",
            keystore = files.path().join("broker.pem").display(),
            plain = plain.join(" "),
        );
        let scram = users.map(|user| format!("SCRAM-SHA-512=[name={user},password={PASSWORD}]"));
        let format: Vec<&str> = scram.iter().flat_map(|user| ["--add-scram", user]).collect();
        let broker = Broker::start_with_doors(&doors, &properties, &format);
        // Nothing is granted to bob.
        for rights in [
            &["User:alice", "--operation", "All", "--topic", "*", "--group", "*"][..],
            &["User:carol", "--operation", "Read", "--topic", "*"],
            &["User:dora", "--operation", "Describe", "--topic", "*"],
            &["User:dora", "--operation", "Read", "--group", "*"],
        ] {
            let args: Vec<&str> = ["--add", "--allow-principal"].iter().chain(rights).copied().collect();
            broker.tool("org.apache.kafka.tools.AclCommand", &args);
        }
        Self { broker, closed_port, stranger, files }
    }
}

/// An authority, and a certificate signed by it for localhost and 127.0.0.1.
fn make_certificates(dir: &Path) {
    let openssl = |args: &str| {
        let output = Command::new("openssl").args(args.split(' ')).current_dir(dir).output().expect("install openssl");
        assert!(output.status.success(), "openssl {args}: {output:?}");
    };
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    openssl(&format!("req -x509 {key} -keyout authority.key -out authority.pem -days 2 -subj /CN=authority"));
    openssl(&format!("req -x509 {key} -keyout other.key -out other.pem -days 2 -subj /CN=somebody"));
    openssl(&format!("req {key} -keyout broker.key -out broker.csr -subj /CN=broker"));
    std::fs::write(dir.join("names"), "subjectAltName=DNS:localhost,IP:127.0.0.1\n").unwrap();
    openssl(
        "x509 -req -in broker.csr -CA authority.pem -CAkey authority.key -CAcreateserial -days 2 -extfile names -out \
         broker.crt",
    );
    let parts =
        ["broker.key", "broker.crt", "authority.pem"].map(|name| std::fs::read_to_string(dir.join(name)).unwrap());
    std::fs::write(dir.join("broker.pem"), parts.concat()).unwrap();
}
