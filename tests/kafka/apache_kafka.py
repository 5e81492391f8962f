# SPDX-License-Identifier: Apache-2.0
"""A broker of Apache Kafka with TLS and SASL PLAIN, as an Event Hub has them.

    with Broker(work) as broker:
        broker.create("topic", 4)
        broker.send("topic", ["a text"])
        ... consume from broker.address as $ConnectionString, with
            broker.password, and work's ca.pem ...

`work` is a directory with the certificates of certificates.py. Another
listener, without either, is for the broker's own tools.
"""

import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time

import deadline
from kafka_broker import kcat

MECHANISM = "org.apache.kafka.common.security.plain.PlainLoginModule"
CLUSTER = "MkU3OEVBNTcwNTJENDM2Qg"


def free_ports(count):
    """Give ports that nobody listens on at this moment."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Broker:
    """One broker, its own controller."""

    password = ("Endpoint=sb://contoso.servicebus.windows.net/;"
                "SharedAccessKeyName=synctap;SharedAccessKey=c2VjcmV0")

    def __init__(self, certificates):
        self._certificates = pathlib.Path(certificates)
        self._directory = pathlib.Path(tempfile.mkdtemp(
            prefix="synctap-apache-kafka-"))
        self._hub, self._inside, self._controller = free_ports(3)
        self._process = None
        self.address = f"127.0.0.1:{self._hub}"
        self.inside = f"127.0.0.1:{self._inside}"

    def __enter__(self):
        try:
            self._configure()
            self._tool("kafka.tools.StorageTool", "format", "-t", CLUSTER,
                       "-c", self._directory / "server.properties")
            self.start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind, error, trace):
        self.stop()
        shutil.rmtree(self._directory, ignore_errors=True)

    def _configure(self):
        chain = self._directory / "keystore.pem"
        chain.write_bytes(self._pkcs8() + (
            self._certificates / "cert.pem").read_bytes())
        (self._directory / "server.properties").write_text(f"""
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{self._controller}
controller.listener.names=CONTROLLER
inter.broker.listener.name=INSIDE
listeners=HUB://{self.address},INSIDE://{self.inside},\
CONTROLLER://127.0.0.1:{self._controller}
advertised.listeners=HUB://{self.address},INSIDE://{self.inside}
listener.security.protocol.map=HUB:SASL_SSL,INSIDE:PLAINTEXT,\
CONTROLLER:PLAINTEXT
sasl.enabled.mechanisms=PLAIN
listener.name.hub.plain.sasl.jaas.config={MECHANISM} required \
user_$ConnectionString="{self.password}";
listener.name.hub.ssl.keystore.type=PEM
listener.name.hub.ssl.keystore.location={chain}
log.dirs={self._directory}/data
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
log.cleaner.backoff.ms=100
""")

    def _pkcs8(self):
        return subprocess.run(
            ["openssl", "pkcs8", "-topk8", "-nocrypt", "-in",
             self._certificates / "key.pem"], check=True, timeout=60,
            capture_output=True).stdout

    def start(self):
        """Start it, with what it had; returns when it takes connections."""
        with open(self._directory / "words", "ab") as words:
            self._process = subprocess.Popen(
                self._java("kafka.Kafka",
                           self._directory / "server.properties"),
                stdin=subprocess.DEVNULL, stdout=words, stderr=words)
        self._wait_until_it_listens()

    def stop(self):
        """Stop it; what it has stays."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(deadline.SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def _wait_until_it_listens(self):
        until = time.monotonic() + deadline.SECONDS
        while True:
            try:
                with socket.create_connection(("127.0.0.1", self._inside), 1):
                    break
            except OSError:
                if (time.monotonic() > until
                        or self._process.poll() is not None):
                    raise AssertionError(
                        "the broker does not start: " +
                        (self._directory / "words").read_text()[-2000:]
                        ) from None
                os.sched_yield()

    def create(self, topic, partitions=1, **settings):
        """Make a topic; in the names of settings _ stands for a dot."""
        self._topics("--create", topic, partitions, *(
            word for name, value in settings.items()
            for word in ("--config", f"{name.replace('_', '.')}={value}")))

    def extend(self, topic, partitions):
        """Let a topic have that many partitions."""
        self._topics("--alter", topic, partitions)

    def _topics(self, what, topic, partitions, *more):
        self._tool("org.apache.kafka.tools.TopicCommand",
                   "--bootstrap-server", self.inside, what,
                   "--topic", topic, "--partitions", partitions, *more)

    def send(self, topic, texts, *arguments):
        """Send texts, one message each, and wait until it has them.

        arguments: more of kcat's.
        """
        self._kcat("-P", "-t", topic, "-X",
                   "topic.metadata.refresh.interval.ms=500", *arguments,
                   given="".join(text + "\n" for text in texts))

    def read(self, topic, form):
        """Give all messages that it has, each in kcat's form, by lines."""
        return self._kcat("-C", "-e", "-t", topic, "-o", "beginning", "-f",
                          form + "\n").splitlines()

    def _kcat(self, *arguments, given=""):
        return subprocess.run(
            [kcat(), "-q", "-b", self.inside, *arguments],
            input=given.encode(), check=True, stdout=subprocess.PIPE,
            timeout=deadline.SECONDS).stdout.decode()

    def _tool(self, name, *arguments):
        done = subprocess.run(self._java(name, *arguments), check=False,
                              capture_output=True, stdin=subprocess.DEVNULL,
                              timeout=2 * deadline.SECONDS)
        if done.returncode != 0:
            raise AssertionError(f"{name}: {done.stdout.decode()} "
                                 f"{done.stderr.decode()}")

    @staticmethod
    def _java(name, *arguments):
        return ["java", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-cp",
                f"{os.environ['KAFKA_JARS']}/*", name,
                *map(str, arguments)]
