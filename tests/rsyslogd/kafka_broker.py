# SPDX-License-Identifier: Apache-2.0
"""A Kafka broker for a test: librdkafka's mock cluster, in this process.

    with Broker("audit", partitions=4) as broker:
        ... "127.0.0.1:port" is broker.address ...
        broker.send(texts)

It speaks Kafka's protocol on a port of 127.0.0.1 that the kernel chooses,
with consumer groups and committed offsets, and forgets all at its end. Of
each partition it keeps the newest 5 MB: whoever sends more takes more
partitions. The texts are sent by kcat, each as one message.

As a program it stays until its standard input ends, and says where it is:

    python3 tests/rsyslogd/kafka_broker.py TOPIC [PARTITIONS]

Needs the Debian packages librdkafka1 (rsyslog-kafka has it) and kcat. The mock
cluster is a public part of librdkafka, experimental since 1.3: the few calls
that are used here are the same from 1.6 to 2.12.
"""

import contextlib
import ctypes
import pathlib
import shutil
import subprocess
import sys
import tempfile

import deadline

PRODUCER = 0  # rd_kafka_type_t
LARGEST = 64 * 1000 * 1000  # bytes of a message


def missing():
    """Tell what a broker would need and is not here; empty when all is."""
    lacks = [] if kcat() else ["kcat"]
    try:
        library()
    except OSError:
        lacks.append("librdkafka1")
    return " and ".join(lacks)


def kcat():
    """Find kcat, which older systems have by its old name."""
    return shutil.which("kcat") or shutil.which("kafkacat")


def library():
    """Load librdkafka, with what its functions take and give."""
    rdkafka = ctypes.CDLL("librdkafka.so.1")
    pointer, text, number = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int
    for name, result, arguments in (
            ("rd_kafka_conf_new", pointer, ()),
            ("rd_kafka_conf_set", number,
             (pointer, text, text, text, ctypes.c_size_t)),
            ("rd_kafka_new", pointer,
             (number, pointer, text, ctypes.c_size_t)),
            ("rd_kafka_destroy", None, (pointer,)),
            ("rd_kafka_mock_cluster_new", pointer, (pointer, number)),
            ("rd_kafka_mock_cluster_destroy", None, (pointer,)),
            ("rd_kafka_mock_cluster_bootstraps", text, (pointer,)),
            ("rd_kafka_mock_topic_create", number,
             (pointer, text, number, number)),
            ("rd_kafka_mock_broker_set_down", number, (pointer, number)),
            ("rd_kafka_mock_broker_set_up", number, (pointer, number))):
        function = getattr(rdkafka, name)
        function.restype, function.argtypes = result, arguments
    return rdkafka


class Broker:
    """One broker with one topic."""

    def __init__(self, topic, partitions=1):
        self.topic, self.partitions = topic, partitions
        self.address = self._rdkafka = self._cluster = None
        self._closing = contextlib.ExitStack()

    def __enter__(self):
        with self._closing:
            self._open()
            self._closing = self._closing.pop_all()
        return self

    def __exit__(self, kind, error, trace):
        self._closing.close()

    def _open(self):
        rdkafka = library()
        why = ctypes.create_string_buffer(512)
        # The cluster's own handle connects to nothing, and would warn of it.
        quiet = rdkafka.rd_kafka_conf_new()
        rdkafka.rd_kafka_conf_set(quiet, b"log_level", b"0", why, len(why))
        handle = rdkafka.rd_kafka_new(PRODUCER, quiet, why, len(why))
        if not handle:
            raise AssertionError(f"librdkafka: {why.value.decode()}")
        self._closing.callback(rdkafka.rd_kafka_destroy, handle)
        cluster = rdkafka.rd_kafka_mock_cluster_new(handle, 1)
        if not cluster:
            raise AssertionError("librdkafka gives no mock cluster")
        self._closing.callback(rdkafka.rd_kafka_mock_cluster_destroy, cluster)
        if rdkafka.rd_kafka_mock_topic_create(
                cluster, self.topic.encode(), self.partitions, 1) != 0:
            raise AssertionError(f"no topic {self.topic} can be made")
        self.address = rdkafka.rd_kafka_mock_cluster_bootstraps(
            cluster).decode()
        self._rdkafka, self._cluster = rdkafka, cluster

    def go(self):
        """Go away: take no connection, and end those that there are."""
        self._rdkafka.rd_kafka_mock_broker_set_down(self._cluster, 1)

    def come(self):
        """Be there again."""
        self._rdkafka.rd_kafka_mock_broker_set_up(self._cluster, 1)

    def read(self, form):
        """Give all messages that it has, each in kcat's form, by lines."""
        return subprocess.run(
            [kcat(), "-C", "-q", "-e", "-b", self.address, "-t", self.topic,
             "-o", "beginning", "-f", form + "\n"], check=True,
            timeout=deadline.SECONDS, stdin=subprocess.DEVNULL,
            capture_output=True, text=True).stdout.splitlines()

    def send(self, texts):
        """Send texts by kcat, one to each partition in turn.

        Returns when the broker has them all.
        """
        texts = [text.encode() if isinstance(text, str) else text
                 for text in texts]
        for partition in range(self.partitions):
            mine = texts[partition::self.partitions]
            if mine:
                self._send(partition, mine)

    def _send(self, partition, texts):
        with tempfile.TemporaryDirectory(prefix="synctap-kafka-") as directory:
            paths = []
            for number, text in enumerate(texts):
                path = pathlib.Path(directory, str(number))
                path.write_bytes(text)
                paths.append(str(path))
            subprocess.run(
                [kcat(), "-P", "-q", "-b", self.address, "-t", self.topic,
                 "-p", str(partition), "-X", f"message.max.bytes={LARGEST}",
                 *paths],
                check=True, timeout=deadline.SECONDS,
                stdin=subprocess.DEVNULL)


if __name__ == "__main__":
    with Broker(sys.argv[1], int((sys.argv + ["1"])[2])) as running:
        print(running.address, flush=True)
        sys.stdin.read()
