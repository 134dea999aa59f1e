"""The real servers of a run: one Kafka broker, two MariaDB with sql/ loaded, one Redis. Each in a folder, on a free port."""

import os
import signal
import socket
import subprocess

from processes import Process, free_port, wait_for

TOPIC = "traffic-raw"
PASSWORD = "wr1ter-s3cret"
START = 120


def reachable(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False


class Kafka:
    def __init__(self, folder, class_path):
        self.folder, self.class_path, self.port, controller = folder, class_path, free_port(), free_port()
        self.address = f"127.0.0.1:{self.port}"
        folder.mkdir()
        properties = folder / "server.properties"
        properties.write_text(
            f"""process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://{self.address},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://{self.address}
controller.listener.names=CONTROLLER
log.dirs={folder / 'data'}
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=3
group.initial.rebalance.delay.ms=0
"""
        )
        self.tool("kafka.tools.StorageTool", "format", "--cluster-id", "MkU3OEVBNTcwNTJENDM2Qg", "--config", properties, connect=False)
        command = ["java", "-Xmx512m", "-cp", class_path, "kafka.Kafka", properties]
        self.process = Process("Kafka", command, folder / "log").start()

    def wait(self):
        wait_for("Kafka starts", lambda: reachable(self.port), START, self.process)

    def create_topic(self, partitions):
        self.tool("org.apache.kafka.tools.TopicCommand", "--create", "--topic", TOPIC, "--partitions", partitions)

    def records(self):
        """Records in the topic, as Kafka's own tool counts them."""
        said = self.tool("org.apache.kafka.tools.GetOffsetShell", "--topic", TOPIC)
        return sum(int(line.rsplit(":", 1)[1]) for line in said.splitlines() if line.startswith(TOPIC + ":"))

    def tool(self, main, *arguments, connect=True):
        server = ["--bootstrap-server", self.address] if connect else []
        command = ["java", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-cp", self.class_path, main, *server, *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"{main} failed:\n{done.stdout}{done.stderr}")
        return done.stdout


class MariaDb:
    def __init__(self, folder, root):
        self.folder, self.root, self.port = folder, root, free_port()
        self.url = f"mysql://platewatch:{PASSWORD}@127.0.0.1:{self.port}/traffic_db"
        (folder / "tmp").mkdir(parents=True)
        small = [f"--datadir={folder / 'data'}", f"--tmpdir={folder / 'tmp'}", "--innodb-log-file-size=256M"]
        install = ["mariadb-install-db", "--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve"]
        small += ["--user=root"] if os.getuid() == 0 else []
        done = subprocess.run([*install, *small], capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"mariadb-install-db failed:\n{done.stdout}{done.stderr}")
        command = [
            "mariadbd", f"--defaults-file={root / 'sql/instance.cnf'}", *small, f"--socket={folder / 'socket'}",
            f"--pid-file={folder / 'pid'}", f"--port={self.port}", "--bind-address=127.0.0.1", "--skip-name-resolve",
            "--innodb-buffer-pool-size=1G", "--innodb-use-native-aio=OFF", "--performance-schema=OFF",
        ]
        self.process = Process("MariaDB", command, folder / "log").start()

    def wait(self):
        wait_for("MariaDB starts", lambda: self.run("SELECT 1").returncode == 0, START, self.process)

    def load(self):
        read = lambda name: (self.root / "sql" / name).read_text("utf-8")
        passwords = f"SET @platewatch_password='{PASSWORD}', @reader_password='re4der-s3cret', @mycat_password='myc4t-s3cret';\n"
        self.sql("\n".join([read("schema.sql"), read("events.sql"), passwords, read("users.sql")]))

    def run(self, statements):
        client = ["mariadb", "--no-defaults", "--batch", "--raw", "--skip-column-names", "--default-character-set=utf8mb4"]
        client += ["--user=root", "--protocol=socket", f"--socket={self.folder / 'socket'}"]
        return subprocess.run(client, input=statements, capture_output=True, text=True)

    def sql(self, statements):
        done = self.run(statements)
        if done.returncode != 0:
            raise SystemExit(f"MariaDB: {done.stderr}")
        return done.stdout

    def number(self, statement):
        return int(self.sql(statement).strip())


class Redis:
    def __init__(self, folder):
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}"
        folder.mkdir()
        settings = ["--port", self.port, "--bind", "127.0.0.1", "--save", "", "--dir", folder, "--daemonize", "no"]
        self.process = Process("Redis", ["redis-server", *settings], folder / "log").start()

    def wait(self):
        wait_for("Redis starts", lambda: reachable(self.port), START, self.process)

    def list(self, key):
        """The elements, the newest first."""
        done = subprocess.run(["redis-cli", "-p", str(self.port), "--raw", "LRANGE", key, "0", "-1"], capture_output=True, check=True)
        return done.stdout.decode().splitlines()


class Servers:
    """All of them, and the cuts."""

    def __init__(self, folder, root, class_path):
        self.mysql = [MariaDb(folder / f"mysql-{at}", root) for at in range(2)]
        self.redis = Redis(folder / "redis")
        self.kafka = Kafka(folder / "kafka", class_path)
        for server in [*self.mysql, self.redis, self.kafka]:
            server.wait()
        for server in self.mysql:
            server.load()
        self.targets = [server.process for server in [*self.mysql, self.redis]]

    def freeze(self):
        for target in self.targets:
            target.send(signal.SIGSTOP)

    def thaw(self):
        for target in self.targets:
            target.send(signal.SIGCONT)

    def kill(self):
        for target in self.targets:
            target.end(signal.SIGKILL)

    def start(self):
        for target in self.targets:
            target.start()
