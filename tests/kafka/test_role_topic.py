# SPDX-License-Identifier: Apache-2.0
"""in/identity-topic.conf: the role list by a compacted topic.

Each collector has a consumer group of its own, and so all of the list: one
that starts later, too, when what was first in the topic is no more.
"""

import contextlib
import os
import subprocess
import time

import deadline
import documents
from event_hub import PARTITIONS, BehindABroker, came, wait_for_records
from harness import as_text
from records import identity, target, text
from workplace import stage

ACCOUNTS = 40


def upn(number):
    """Give the name of an account, which says nothing of its role."""
    return f"svc{number}@nordwind.example"


def object_id(number):
    """Give the id of an account."""
    return f"{number:08}-2222-4333-8444-555555555555"


def row(number, roles=("Directory Synchronization Accounts",)):
    """Give a message of the topic: the key, a tab and the row."""
    return upn(number) + "\t" + as_text(
        identity(upn(number), object_id(number), roles))


class RoleTopic(BehindABroker):
    """A topic of four partitions with rows under their names as keys."""

    roles = "identity-info"
    audits = "audit"

    def setUp(self):
        self.stack = contextlib.ExitStack()
        self.addCleanup(self.stack.close)

    def _start(self, host):
        """Start a collector that is called so."""
        return self.stack.enter_context(self.hub.collector(
            self.hub.input("event-hub", topic=self.audits,
                       consumergroup=f"audit-{host}"),
            self.hub.input("identity-topic", topic=self.roles,
                       consumergroup=f"synctap-identity-{host}")))

    def _fill_as_the_document_says(self):
        """Import a list, and run the commands of doc/identity.md over it."""
        rows = self.work.path / "rows"
        rows.write_text("".join(
            as_text(identity(upn(number), object_id(number))) + "\n"
            for number in range(ACCOUNTS)))
        commands, = (block.text for block in documents.blocks(
            documents.TOP / "doc/identity.md") if "kcat" in block.text)
        for old, new in (("-F /etc/synctap/kcat.conf", ""),
                         ("kafka.example.com:9093", self.broker.inside),
                         ("identity list", "identity list --database roles")):
            self.assertIn(old, commands)
            commands = commands.replace(old, new)
        subprocess.run(
            ["bash", "-euo", "pipefail", "-c", "synctap identity import "
             f"--database roles rows\n{commands}"], cwd=self.work.path,
            env={**os.environ, "PATH": f"{stage()}/bin:{os.environ['PATH']}"},
            check=True, timeout=deadline.SECONDS)

    def _tell(self, *rows):
        self.broker.send(self.roles, rows, "-K", "\t", "-Z")

    def _wait_until_compacted(self):
        """Wait until one row of each account is left but for the newest."""
        until = time.monotonic() + deadline.SECONDS
        while True:
            keys = self.broker.read(self.roles, "%k")
            if keys.count(upn(0)) == 1:
                return
            self.assertLess(time.monotonic(), until, keys)
            # A segment is compacted when it is no longer the newest.
            for partition in range(PARTITIONS):
                self.broker.send(self.roles, ["other\t{}"], "-K", "\t",
                                 "-p", str(partition))
            os.sched_yield()

    def test_each_collector_has_all_of_the_list(self):
        self.broker.create(self.audits, PARTITIONS)
        self.broker.create(self.roles, PARTITIONS, cleanup_policy="compact",
                           segment_ms=100, min_cleanable_dirty_ratio="0.01",
                           delete_retention_ms=0)
        first, second = self._start("one"), self._start("two")
        self._fill_as_the_document_says()
        for daemon in (first, second):
            daemon.wait_statistics("synctap", sync_accounts=ACCOUNTS)
        # One has lost its role; one is deleted, which takes no role away.
        self._tell(row(0, ["Global Reader"]), upn(1) + "\t")
        for daemon in (first, second):
            daemon.wait_statistics("synctap", sync_accounts=ACCOUNTS - 1)
        self._wait_until_compacted()
        late = self._start("three")
        late.wait_statistics("synctap", sync_accounts=ACCOUNTS - 2)
        names = [f"record {number}" for number in range(ACCOUNTS)]
        self.broker.send(self.audits, (
            text(name, target(upn(number), object_id(number)))
            for number, name in enumerate(names)))
        for daemon, without in ((first, 1), (second, 1), (late, 2)):
            wait_for_records([daemon], names[without:])
            daemon.stop()
            self.assertEqual(sorted(names[without:]), sorted(
                alert["record_id"] for alert in came([daemon])))
