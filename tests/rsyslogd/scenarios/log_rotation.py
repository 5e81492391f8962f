# SPDX-License-Identifier: Apache-2.0
"""contrib/logrotate.d/synctap rotates the samples' files under rsyslogd.

The alerts before the rotation are in the old file, those after it in the new
one, none is in both and none is lost; nothing of the state is touched.
"""

import json
import re
import shutil
import unittest

import samples
from harness import Daemon
from records import target, text
from workplace import whole_lines

LOGROTATE = shutil.which("logrotate", path="/usr/sbin:/sbin:/usr/bin")


class LogRotation(unittest.TestCase):
    """Two alerts, a rotation between them."""

    def test_alerts_around_a_rotation(self):
        if LOGROTATE is None:
            self.skipTest("logrotate is not here")
        daemon = Daemon(own=samples.HOST + samples.placed("synctap.conf")
                        + samples.placed("in/tcp.conf"))
        with daemon:
            alerts = daemon.work.path / "synctap-alerts.jsonl"
            self._alert(daemon, "before", alerts)
            self._rotate(daemon)
            self._alert(daemon, "after", alerts)
            self.assertEqual(["after"], self._ids(alerts))
            old, = daemon.work.path.glob("synctap-alerts.jsonl.1")
            self.assertEqual(["before"], self._ids(old))
            daemon.end()

    def _alert(self, daemon, record_id, path):
        daemon.send([text(record_id, target("Sync_a@nordwind.example"))],
                    to="entra-audit")
        daemon.wait_until(lambda: record_id
                          in self._ids(path), f"{record_id} in {path}")

    @staticmethod
    def _ids(path):
        return [json.loads(line)["record_id"]
                for line in whole_lines(path)]

    def _rotate(self, daemon):
        sample = (samples.CONTRIB / "logrotate.d" / "synctap").read_text()
        sample = sample.replace("/var/log/", f"{daemon.work.path}/")
        sample = re.sub("systemctl kill -s HUP rsyslog.service",
                        f"kill -HUP {daemon.pid}", sample)
        config = daemon.write("logrotate.conf", sample)
        config.chmod(0o644)
        daemon.work.path.chmod(0o755)
        before = len(daemon.said("HUPed"))
        status, output, words = daemon.work.run(
            LOGROTATE, "--force", "--state", daemon.work.path / "state",
            config)
        self.assertEqual(0, status, output + words)
        daemon.wait_hup(before)


if __name__ == "__main__":
    unittest.main()
