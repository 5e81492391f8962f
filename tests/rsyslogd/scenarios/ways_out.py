# SPDX-License-Identifier: Apache-2.0
"""Alerts reach their far end by each recipe of contrib/rsyslog.d/out.

The recipe itself runs; only its addresses and paths become the test's. At
first the far end is away, and rsyslogd is killed meanwhile: what alerted is in
the queue on disk, and comes when the far end does. An alert that follows
arrives once, and is what its dialect says.
"""

import json
import re
import subprocess
import unittest

import deadline
import dialects
import kafka_broker
from far_ends import Lines, Web
from harness import Daemon
from records import MODULE, mmsynctap, target, text
from samples import CONTRIB, placed, replace

SYNC = target("Sync_HOST1_0123456789ab@nordwind.example")
SENDER = (CONTRIB / "senders/synctap-send").read_bytes()


def recipe(name, *changes):
    """Give a recipe with a test's addresses, which tries again soon."""
    changed = placed(f"out/{name}.conf")
    for pattern, by in (*changes, (r'resumeInterval="10"',
                                   'resumeInterval="1"')):
        changed = replace(changed, pattern, by)
    return changed


def daemon_of(dialect, changed):
    """Make a daemon whose alerts take that way out."""
    ruleset = re.search(r'ruleset\(name="([^"]*)"', changed)[1]
    formats = f'formats="{dialect}"' if dialect else ""
    return Daemon(mmsynctap(f'ruleset="{ruleset}" {formats}'),
                  MODULE + "\n" + changed)


class WaysOut(unittest.TestCase):
    """One recipe a test."""

    def _far_end(self, kind):
        end = kind()
        self.addCleanup(end.close)
        return end

    def _tell_the_story(self, daemon, end, read):
        """read: gives the alert's id of what was taken."""
        def has(*ids):
            return lambda taken: set(ids) <= set(map(read, taken))

        with daemon:
            daemon.send([text("one", SYNC), text("two", SYNC)])
            first = [message.tree["synctap"]["alert"]["alert_id"]
                     for message in daemon.originals(2)]
            daemon.restart()
            end.come()
            end.wait(has(*first))
            daemon.send([text("three", SYNC)])
            original, = daemon.originals(1)
            alert = original.tree["synctap"]["alert"]
            taken = end.wait(has(alert["alert_id"]))
            version = daemon.synctap("--version").split()[-1]
        found = [one for one in taken if read(one) == alert["alert_id"]]
        self.assertEqual(1, len(found), "arrives once")
        return alert, found[0], version

    def _check_line(self, name, dialect, begin, *changes):
        end = self._far_end(Lines)
        changed = recipe(name, *changes, (r' port="[0-9]*"',
                                          f' port="{end.port}"'))

        def rendering(line):
            return line[re.match(begin, line).end():]

        def alert_id(line):
            _, found = dialects.read(dialect, rendering(line))
            return found.get("externalId", found.get("alertId"))

        alert, line, version = self._tell_the_story(
            daemon_of(dialect, changed), end, alert_id)
        self.assertEqual(dialects.expected(dialect, alert, version),
                         dialects.read(dialect, rendering(line)))

    def test_sentinel_cef(self):
        self._check_line("sentinel-cef", "cef",
                         r"<81>1 \S+Z? \S+ synctap - - - (?=CEF:0\|)")

    def test_qradar(self):
        self._check_line("qradar", "leef", r"<81>1 \S+ \S+ (?=LEEF:1.0\|)",
                         ("qradar.example.com", "127.0.0.1"))

    def _check_sender(self, name, dialect, settings, alert_id):
        end = self._far_end(Web)
        daemon = daemon_of(dialect, recipe(
            name, (r'binary="[^"]*"', 'binary="/usr/bin/python3 '
                   '@WORK@/synctap-send @WORK@/settings"')))
        daemon.write("synctap-send", SENDER)
        daemon.write("settings", "".join(
            f"{key} = {value}\n" for key, value in {
                **settings(f"http://127.0.0.1:{end.port}"), "patience": 1,
                "rejected": daemon.work.path / "rejected"}.items())
                     ).chmod(0o600)
        alert, found, version = self._tell_the_story(daemon, end, alert_id)
        self.assertEqual(
            dialects.expected(dialect, alert, version),
            dialects.read(dialect, json.dumps(found)))

    def test_splunk_hec(self):
        self._check_sender("splunk-hec", "hec", lambda url: {
            "kind": "hec", "url": url, "token": "t"},
                           lambda event: event["event"]["id"])

    def test_sentinel_table(self):
        self._check_sender("sentinel-table", "securityalert", lambda url: {
            "kind": "logs-ingestion", "tenant": "t", "client_id": "c",
            "client_secret": "s", "authority": url,
            "url": url + "/dataCollectionRules/d/streams/s"},
                           lambda row: row["SystemAlertId"])

    def test_elastic(self):
        end = self._far_end(Web)
        daemon = daemon_of("ecs", recipe(
            "elastic", (r'server="[^"]*" serverport="9200"',
                        f'server="127.0.0.1" serverport="{end.port}"'),
            (r' tls.caCert="[^"]*"', "")))
        alert, found, version = self._tell_the_story(
            daemon, end, lambda document: document["event"]["id"])
        self.assertEqual(dialects.expected("ecs", alert, version), found)

    @unittest.skipIf(kafka_broker.missing(), kafka_broker.missing())
    def test_kafka(self):
        with kafka_broker.Broker("synctap-alerts") as broker, \
                daemon_of(None, recipe(
                    "kafka", (r'broker=\[[^]]*\]',
                              f'broker=["{broker.address}"]'),
                    ("security.protocol=ssl", "security.protocol=plaintext"),
                    (", \"enable.idempotence=true\"", ""))) as daemon:
            daemon.send([text("one", SYNC)])
            alert = daemon.originals(1)[0].tree["synctap"]["alert"]
            key, _, found = subprocess.run(
                [kafka_broker.kcat(), "-C", "-q", "-b", broker.address, "-t",
                 broker.topic, "-o", "beginning", "-c", "1", "-f", "%k %s"],
                check=True, timeout=deadline.SECONDS, capture_output=True,
                text=True).stdout.partition(" ")
        self.assertEqual((alert["alert_id"], alert),
                         (key, json.loads(found)))

    def test_file_ocsf(self):
        daemon = daemon_of("ocsf", recipe("file-ocsf"))
        with daemon:
            daemon.send([text("one", SYNC)])
            alert = daemon.originals(1)[0].tree["synctap"]["alert"]
            version = daemon.synctap("--version").split()[-1]
            daemon.end()
            path = daemon.work.path / "synctap-ocsf.jsonl"
            line, = path.read_text().splitlines()
            daemon.start()
        self.assertEqual(dialects.expected("ocsf", alert, version),
                         dialects.read("ocsf", line))


if __name__ == "__main__":
    unittest.main()
