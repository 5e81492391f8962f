# SPDX-License-Identifier: Apache-2.0
"""Collectors of one consumer group, behind a real broker of Apache Kafka.

What doc/scale.md says of four of them, held against a run. Each is
in/event-hub.conf and in/identity-topic.conf behind synctap.conf; a group of
one and a group of four judge the same records.
"""

import collections
import contextlib
import sqlite3
import subprocess

import daemon as processes
import data
from event_hub import PARTITIONS, Hub
from harness import as_text
from records import identity

SEED = 20260603
CANDIDATE_IN = 100
# What doc/scale.md takes in: microseconds of the worker.
MISS_US, CANDIDATE_US = 1.0, 41.0

Judged = collections.namedtuple(
    "Judged", "worker_us threads_us messages candidates pending rows "
    "bytes_of_a_row")


def missing(top):
    """Tell what is missing; empty when the broker's jars are there."""
    got = subprocess.run(
        [top / "tests/kafka/get-kafka", top / "build/kafka"], check=False,
        stdin=subprocess.DEVNULL, capture_output=True, text=True)
    return "" if got.returncode == 0 else got.stdout.strip().split("\n")[-1]


def records(count):
    """Give records of which one in CANDIDATE_IN is a candidate."""
    made = data.Records(SEED)
    candidates = count // CANDIDATE_IN
    texts = [*made.misses(count - candidates), *made.candidates(candidates)]
    return [text.decode().rstrip("\n") for text in texts]


def predicted_us():
    """Give the microseconds of the worker for one of them, by the model."""
    return MISS_US + (CANDIDATE_US - MISS_US) / CANDIDATE_IN


class Group:
    """Groups of any size behind one broker, each on topics of its own."""

    def __init__(self, hub, texts, rows):
        self._hub, self._texts, self._rows = hub, texts, rows
        self._made = 0

    def measure(self, size):
        """Let a group judge all records; give what each collector did."""
        self._made += 1
        audits, roles = f"audit-{self._made}", f"identity-{self._made}"
        self._hub.broker.create(audits, PARTITIONS)
        self._hub.broker.create(roles, PARTITIONS, cleanup_policy="compact")
        with contextlib.ExitStack() as stack:
            members = [stack.enter_context(self._hub.collector(
                self._hub.input("event-hub", topic=audits),
                self._hub.input("identity-topic", topic=roles,
                                consumergroup=f"identity-{host}")))
                for host in range(size)]
            before = [size_of_database(member) for member in members]
            self._fill(roles, members)
            after = [size_of_database(member) for member in members]
            self._hub.settle(audits, members)
            judged = self._judge(audits, members)
            for member in members:
                member.stop()
        return [one._replace(bytes_of_a_row=(there - then) / self._rows)
                for one, then, there in zip(judged, before, after)]

    def _fill(self, topic, members):
        """Give all collectors the role list."""
        upns = (f"user{number}@contoso.com" for number in range(self._rows))
        self._hub.broker.send(topic, (
            upn + "\t" + as_text(identity(
                upn, f"{number:08x}-2222-4333-8444-555555555555",
                ["Directory Readers"]))
            for number, upn in enumerate(upns)), "-K", "\t")
        for member in members:
            member.wait_statistics("synctap", identity_rows=self._rows)

    def _judge(self, topic, members):
        begun = [(member.counters("synctap"),
                  processes.threads_of(member.pid)) for member in members]
        until = len(self._texts) + sum(
            counters["messages"] for counters, _ in begun)
        self._hub.send_to_each_partition(topic, self._texts)
        members[-1].wait_until(
            lambda: sum(member.statistics("synctap").get("messages", 0)
                        for member in members) >= until, "all records")
        return [self._of(member, *then)
                for member, then in zip(members, begun)]

    @staticmethod
    def _of(member, counters_then, threads_then):
        counters = member.counters("synctap")
        messages = counters["messages"] - counters_then["messages"]
        used = collections.Counter()
        for number, (name, nanoseconds) in processes.threads_of(
                member.pid).items():
            used[name] += nanoseconds - threads_then.get(number, (0, 0))[1]
        each = {name: nanoseconds / 1000 / messages
                for name, nanoseconds in used.items()}
        return Judged(
            sum(spent for name, spent in each.items()
                if name.startswith("rs:entra-audit")), each, messages,
            counters["candidates"] - counters_then["candidates"],
            counters["pending"], counters["identity_rows"], None)


def size_of_database(member):
    """Give the bytes of a collector's database."""
    path = member.work.path / "synctap.db"
    with contextlib.closing(sqlite3.connect(path)) as database:
        pages, = database.execute("PRAGMA page_count").fetchone()
        page, = database.execute("PRAGMA page_size").fetchone()
        return pages * page


def behind_a_broker(count, rows):
    """Give a context manager of a Group."""
    @contextlib.contextmanager
    def made():
        with Hub() as hub:
            yield Group(hub, records(count), rows)

    return made()
