"""The settings of a broker that is alone: for scripts/load and benches/compare/kafka.sh."""

CLUSTER_ID = "MkU3OEVBNTcwNTJENDM2Qg"


def configure(folder, address, controller):
    """Writes them into a folder, with the data below it, and returns their path. The controller listens on a port of its own."""
    properties = folder / "server.properties"
    properties.write_text(
        f"""process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://{address},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://{address}
controller.listener.names=CONTROLLER
log.dirs={folder / 'data'}
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=3
group.initial.rebalance.delay.ms=0
"""
    )
    return properties
