"""Random tenants sent through rsyslogd give the rule's rows as alerts.

The role list is imported before the daemon starts; then every record of the
tenant goes in by TCP, in all its wrappings: one JSON text a line, as a
collector with rsyslog's defaults gets it, or several lines in one message,
which needs octet counting; plain, and with whatever the collector's neighbours
put around it. Each row of the rule comes out as one alert, and nothing else
does, in both semantics.

SYNCTAP_TCP_TENANTS sets how many tenants go each way.
"""

import os
import re
import unittest

import rendering
import rows
import rule
import tenant
import ticks
import wide
import wrappings
from harness import Daemon
from records import COLUMNS, HEADER, MODULE, mmsynctap

TENANTS = int(os.environ.get("SYNCTAP_TCP_TENANTS", "10"))
ORACLES = {"kql": (rule, rows.difference),
           "wide": (wide, rows.wide_difference)}


def expected_row(row):
    """Give the columns of a row that an alert tells."""
    row = dict(row, TimeGenerated=ticks.render(row["TimeGenerated"]))
    return {column: row[column] for column in COLUMNS}


def shown_row(message):
    """Give the same columns of an alert that came.

    What is absent may be "" or null. A record without an id may be known by
    the digest of its content.
    """
    alert = message.json()
    row = {column: alert[name] for column, name in COLUMNS.items()}
    for column in set(row) - {"TargetResources"}:
        row[column] = "" if row[column] is None else row[column]
    if re.fullmatch("[0-9a-f]{64}", row["Id"]):
        row["Id"] = ""
    return row


class RandomTenants(unittest.TestCase):
    """One daemon a tenant, since a daemon has one role list."""

    def test_one_text_a_line(self):
        for seed in range(1000, 1000 + TENANTS):
            with self.subTest(seed=seed):
                self._check(seed, self._one_a_line, "lines", "kql")

    def test_several_lines_in_a_message(self):
        for seed in range(2000, 2000 + TENANTS):
            with self.subTest(seed=seed):
                self._check(seed, self._several_lines, "octet", "kql",
                            keep_control_characters=True)

    def test_one_wrapped_text_a_line(self):
        for seed in range(3000, 3000 + 2 * TENANTS):
            with self.subTest(seed=seed):
                self._check(seed, self._one_wrapped, "lines",
                            ("kql", "wide")[seed % 2])

    def test_several_wrapped_documents_in_a_message(self):
        for seed in range(4000, 4000 + 2 * TENANTS):
            with self.subTest(seed=seed):
                self._check(seed, self._several_wrapped, "octet",
                            ("kql", "wide")[seed % 2],
                            keep_control_characters=seed % 4 > 1)

    @staticmethod
    def _one_a_line(audits, rng):
        style = rendering.Style(rng, line_breaks=False)
        kind = rng.choice(("single", "mix"))
        return [rng.choice(("", HEADER, HEADER + "azurefunction: ")) + line
                for line in rendering.lines(
                    rendering.audit_records(audits, rng), kind, style)]

    @staticmethod
    def _several_lines(audits, rng):
        records = rendering.audit_records(audits, rng)
        return [rendering.file_bytes(part, rng)
                for part in rendering.parts(records, rng, longest=20)]

    @staticmethod
    def _one_wrapped(audits, rng):
        """Put each part of the records into a wrapping of its own."""
        records = rendering.audit_records(audits, rng)
        names = [name for name in wrappings.NAMES
                 if set(rendering.SHAPES) <= set(wrappings.shapes_of(name))]
        return [message for part in rendering.parts(records, rng, longest=10)
                for message in wrappings.messages(
                    rng.choice(names), part,
                    rendering.Style(rng, line_breaks=False))]

    @staticmethod
    def _several_wrapped(audits, rng):
        """Send documents of several lines, behind a header or none."""
        records = rendering.audit_records(audits, rng)
        style = rendering.Style(rng, line_breaks=True)
        names = ("several", "records", "array", "single", "hec", "addon",
                 "logstash", "cribl_raw", "cribl_original")
        return [rng.choice(("", HEADER + "azurefunction: ")) + message
                for part in rendering.parts(records, rng, longest=20)
                for message in wrappings.messages(rng.choice(names), part,
                                                  style)]

    def _check(self, seed, make_messages, framing, semantics, **more):
        now = ticks.now()
        made = tenant.random_tenant(seed, now, live=True,
                                    wide=semantics == "wide")
        rng = rendering.rendering_of(seed)
        messages = make_messages(made.audits, rng)
        oracle, difference = ORACLES[semantics]
        expected = [expected_row(row) for row in
                    oracle.evaluate(made.audits, made.identities, now)]
        daemon = Daemon(mmsynctap('ruleset="alerts"', semantics), MODULE,
                        **more)
        self._import(daemon, made, rng)
        with daemon:
            daemon.send(messages, framing)
            daemon.originals(len(messages))
            left = daemon.stop()
        self.assertEqual("", difference(expected,
                                        map(shown_row, left.alerts)))
        self.assertEqual({"exact"} if expected else set(), {
            alert.json()["confidence"] for alert in left.alerts})
        self.assertEqual(len(expected), len(
            {alert.json()["alert_id"] for alert in left.alerts}))

    @staticmethod
    def _import(daemon, made, rng):
        """Import the role list, by all its files in one command.

        It may complain (status 1) of the rows that have no readable time.
        """
        records = [rendering.identity_row(row, rng)
                   for row in made.identities]
        paths = rendering.write_files(daemon.work.path, "ids", records, rng)
        for path in paths:
            path.chmod(0o644)
        daemon.synctap("identity", "import", "--database",
                       daemon.work.path / "synctap.db", *paths,
                       statuses=(0, 1))
