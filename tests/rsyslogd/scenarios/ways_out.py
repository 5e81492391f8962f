# SPDX-License-Identifier: Apache-2.0
"""Alerts reach their far end by each recipe of contrib/rsyslog.d/out.

The recipe itself runs; only its addresses and paths become the test's. At
first the far end is away, and rsyslogd is killed and stopped meanwhile: what
alerted is in the queue on disk, and comes when the far end does. An alert that
follows arrives once, and is what its dialect says.
"""

import contextlib
import json
import re
import unittest

import dialects
import kafka_broker
from far_ends import Lines, Polled, Web
from harness import Daemon
from records import MODULE, mmsynctap, target, text
from samples import CONTRIB, placed, replace
from small_disk import SmallDisk
from workplace import whole_lines

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


def was_suspended(daemon):
    """Give what tells whether an action has found its end away so often."""
    return lambda count: count <= len(daemon.said("suspended (module"))


def with_sender(name):
    """Give a recipe whose sender has a test's settings."""
    return recipe(name, (r'binary="[^"]*"', 'binary="/usr/bin/python3 '
                         '@WORK@/synctap-send @WORK@/settings"'),
                  ('closeTimeout="5000"', 'closeTimeout="100"'))


def give_sender(daemon, **settings):
    """Put the sender and its settings where the recipe looks for them."""
    daemon.write("synctap-send", SENDER)
    daemon.write("settings", "".join(
        f"{key} = {value}\n"
        for key, value in {**settings, "patience": 1}.items())).chmod(0o600)


def has_tried(daemon):
    """Give what tells whether senders have said so often that alerts wait."""
    said = daemon.work.path / "synctap-send.log"
    return lambda count: count <= sum(
        "alerts wait" in line for line in whole_lines(said))


class WaysOut(unittest.TestCase):
    """One recipe a test."""

    def _far_end(self, kind):
        end = kind()
        self.addCleanup(end.close)
        return end

    def _tell_the_story(self, daemon, end, read, has_tried):
        """read: gives the alert's id of what was taken.

        has_tried: says whether the far end was found to be away so often.
        """
        def has(*ids):
            return lambda taken: set(ids) <= set(map(read, taken))

        with daemon:
            daemon.send([text("one", SYNC), text("two", SYNC)])
            first = [message.tree["synctap"]["alert"]["alert_id"]
                     for message in daemon.originals(2)]
            daemon.wait_until(lambda: has_tried(1), "a try")
            daemon.restart()
            daemon.wait_until(lambda: has_tried(2), "another try")
            daemon.end()
            daemon.start()
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

        daemon = daemon_of(dialect, changed)
        alert, line, version = self._tell_the_story(
            daemon, end, alert_id, was_suspended(daemon))
        self.assertEqual(dialects.expected(dialect, alert, version),
                         dialects.read(dialect, rendering(line)))

    def test_sentinel_cef(self):
        self._check_line("sentinel-cef", "cef",
                         r"<81>1 \S+Z? \S+ synctap - - - (?=CEF:0\|)")

    def test_a_far_end_that_was_there_and_is_away_at_a_stop(self):
        """What is sent on a connection that has ended is not lost either."""
        end = self._far_end(Lines)
        daemon = daemon_of("cef", recipe("sentinel-cef", (
            r' port="[0-9]*"', f' port="{end.port}"')))
        has_tried = was_suspended(daemon)
        end.come()
        with daemon:
            for record in "one", "two":
                daemon.send([text(record, SYNC)])
                original, = daemon.originals(1)
                words = ("externalId="
                         + original.tree["synctap"]["alert"]["alert_id"])
                if record == "two":
                    daemon.wait_until(lambda: has_tried(1), "a try")
                    daemon.end()
                    daemon.start()
                    end.come()
                end.wait(lambda taken, words=words: any(
                    words in line for line in taken))
                if record == "one":
                    end.leave()

    def test_qradar(self):
        self._check_line("qradar", "leef", r"<81>1 \S+ \S+ (?=LEEF:1.0\|)",
                         ("qradar.example.com", "127.0.0.1"))

    def _check_sender(self, name, dialect, settings, alert_id):
        end = self._far_end(Web)
        daemon = daemon_of(dialect, with_sender(name))
        give_sender(daemon, **settings(f"http://127.0.0.1:{end.port}"),
                    rejected=daemon.work.path / "rejected")
        alert, found, version = self._tell_the_story(
            daemon, end, alert_id, has_tried(daemon))
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
            daemon, end, lambda document: document["event"]["id"],
            was_suspended(daemon))
        self.assertEqual(dialects.expected("ecs", alert, version), found)

    @unittest.skipIf(kafka_broker.missing(), kafka_broker.missing())
    def test_kafka(self):
        daemon = daemon_of(None, with_sender("kafka"))
        with kafka_broker.Broker("synctap-alerts") as broker:
            give_sender(daemon, kind="kafka", broker=broker.address,
                        topic=broker.topic, timeout=1,
                        rejected=daemon.work.path / "rejected")
            broker.go()
            alert, line, _ = self._tell_the_story(
                daemon, Polled(lambda: broker.read("%k %s"), broker.come),
                lambda line: line.partition(" ")[0], has_tried(daemon))
        self.assertEqual(alert, json.loads(line.partition(" ")[2]))

    def _check_file(self, prevent, allow):
        """The file lies in a directory that is not to be had at first."""
        daemon = daemon_of("ocsf", with_sender("file-ocsf"))
        path = daemon.work.path / "far/synctap-ocsf.jsonl"
        give_sender(daemon, kind="file", path=path)

        with prevent(daemon, path.parent):
            alert, line, version = self._tell_the_story(
                daemon, Polled(lambda: whole_lines(path),
                               lambda: allow(daemon, path.parent)),
                lambda line: json.loads(line)["metadata"]["uid"],
                has_tried(daemon))
        self.assertEqual(dialects.expected("ocsf", alert, version),
                         dialects.read("ocsf", line))

    def test_file_ocsf_whose_directory_is_not_there(self):
        self._check_file(lambda *_: contextlib.nullcontext(),
                         lambda daemon, path: daemon.work.make(path))

    def test_file_ocsf_that_may_not_be_written(self):
        def prevent(daemon, path):
            daemon.work.make(path)
            path.chmod(0o555)
            return contextlib.nullcontext()

        self._check_file(prevent, lambda _, path: path.chmod(0o755))

    def test_file_ocsf_on_a_disk_that_is_full(self):
        disks = []

        @contextlib.contextmanager
        def prevent(_, path):
            with SmallDisk(path) as disk:
                disk.fill()
                disks.append(disk)
                yield

        self._check_file(prevent, lambda *_: disks[0].make_room())


if __name__ == "__main__":
    unittest.main()
