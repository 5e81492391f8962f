# SPDX-License-Identifier: Apache-2.0
"""The statistics of the sample configuration, for programs and Prometheus.

The file has one JSON object a line and no date in front. The action for
rsyslog's sidecar, which synctap-host.conf has in comments, sends the same by
UDP. What the alert rules and the dashboard ask for is counted, and no name
makes rsyslog_exporter take a line for one of rsyslog's own.
"""

import json
import pathlib
import re
import shutil
import socket
import subprocess
import unittest

import samples
from harness import Daemon
from records import target, text
from workplace import whole_lines

PROMETHEUS = samples.CONTRIB / "prometheus"
# rsyslog_exporter (prometheus-community) looks for these words in a line.
WORDS_OF_OTHERS = ("processed", "submitted", "enqueued", "called.recvmmsg",
                   "utime", "dynstats", "dynafile cache", "omfwd", "omkafka",
                   "mmkubernetes")
METRIC = r"\brsyslog_(mmsynctap|omidentityinfo)_([a-z0-9_]+)\b"


def host(port):
    """Give synctap-host.conf, its action for the sidecar in force."""
    sample = samples.placed("synctap-host.conf")
    action = re.search(r"(?m)^#( +action\(type=\"omfwd\"(?:.*\n#)* .*\)$)",
                       sample)
    by_udp = action[1].replace("#", "").replace("19090", str(port))
    sample = sample.replace(action[0], by_udp)
    return samples.replace(sample, 'interval="60"', 'interval="1"')


class StatisticsForPrometheus(unittest.TestCase):
    """One collector that has judged one record."""

    @classmethod
    def setUpClass(cls):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sidecar:
            sidecar.bind(("127.0.0.1", 0))
            sidecar.settimeout(60)
            daemon = Daemon(impstats="", own=host(
                sidecar.getsockname()[1]) + samples.with_test_alerts(
                    samples.placed("synctap.conf")) + samples.placed(
                        "in/tcp.conf"))
            with daemon:
                daemon.send([text("one", target("Sync_a@nordwind.example"))],
                            to="entra-audit")
                daemon.alerts(1)
                cls.datagrams = []
                while not cls._has_counted(cls.datagrams):
                    cls.datagrams.append(sidecar.recv(65536).decode())
                daemon.end()
                cls.lines = whole_lines(
                    daemon.work.path / "synctap-statistics.log")

    @staticmethod
    def _has_counted(datagrams):
        return {"mmsynctap", "omidentityinfo"} <= {
            json.loads(line)["origin"] for line in datagrams
            if '"origin"' in line} and any(
                '"alerts": 1' in line for line in datagrams)

    def _objects(self):
        """Give synctap's own, the newest of each name."""
        found = {}
        for line in self.lines:
            counters = json.loads(line)
            if counters["origin"] in ("mmsynctap", "omidentityinfo"):
                found[counters["origin"]] = counters
        return found

    def test_each_line_of_the_file_is_an_object(self):
        for line in self.lines:
            self.assertTrue(line.lstrip().startswith("{"), line)
            self.assertIsInstance(json.loads(line), dict)
        self.assertEqual(1, self._objects()["mmsynctap"]["alerts"])

    def test_the_sidecar_gets_the_same(self):
        for datagram in self.datagrams:
            for line in datagram.splitlines():
                self.assertIsInstance(json.loads(line), dict)

    def test_no_name_is_taken_for_another_kind(self):
        for counters in self._objects().values():
            for word in WORDS_OF_OTHERS:
                self.assertNotIn(word, json.dumps(counters))

    def test_what_rules_and_dashboard_ask_for_is_counted(self):
        counted = {(origin, name) for origin, counters in
                   self._objects().items() for name in counters}
        for name in ("alerts.yml", "dashboard.json"):
            asked = set(re.findall(METRIC, (PROMETHEUS / name).read_text()))
            with self.subTest(file=name):
                self.assertTrue(asked)
                self.assertEqual(set(), asked - counted)

    def test_the_rules_speak_when_they_should(self):
        self._promtool("test", "rules", "alerts_test.yml")

    def test_the_dashboard_is_sound(self):
        dashboard = json.loads((PROMETHEUS / "dashboard.json").read_text())
        panels = dashboard["panels"]
        self.assertEqual(len(panels), len({panel["id"] for panel in panels}))
        taken = [(x, y) for panel in panels
                 for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"]
                                + panel["gridPos"]["w"])
                 for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"]
                                + panel["gridPos"]["h"])]
        self.assertEqual(len(taken), len(set(taken)), "panels overlap")
        self.assertTrue(all(x < 24 for x, _ in taken))
        variables = {entry["name"] for entry in
                     dashboard["templating"]["list"]}
        self.assertLessEqual(set(re.findall(
            r"\$\{?([a-z]+)", json.dumps(dashboard))), variables)
        expressions = [target_["expr"] for panel in panels
                       for target_ in panel["targets"]]
        rules = {"groups": [{"name": "dashboard", "rules": [
            {"record": f"panel:number{number}",
             "expr": expression.replace("$instance", ".*")}
            for number, expression in enumerate(expressions)]}]}
        self._promtool("check", "rules", "/dev/stdin",
                       given=json.dumps(rules))

    def _promtool(self, *arguments, given=None):
        if not shutil.which("promtool"):
            self.skipTest("promtool is not here (Debian package prometheus)")
        done = subprocess.run(
            ["promtool", *arguments], input=(given or "").encode(),
            cwd=pathlib.Path(PROMETHEUS), capture_output=True, timeout=60,
            check=False)
        self.assertEqual(0, done.returncode, (done.stdout + done.stderr
                                              ).decode())


if __name__ == "__main__":
    unittest.main()
