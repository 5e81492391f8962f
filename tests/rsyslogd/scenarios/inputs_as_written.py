# SPDX-License-Identifier: Apache-2.0
"""What people's tools write, through a live rsyslogd.

A record that is printed over many lines comes whole, in one frame or by imfile,
or line by line; flat, as Kusto's answer, in one piece or in several. Whatever
carries a phrase of the rule alerts, or is tagged and counted, never passed.

A collection of such inputs, if one is at hand, is sent in the same way.
"""

import json
import os
import pathlib
import unittest

import slow_reader
import ticks
from harness import Daemon
from random_messages import Message
from records import MODULE, audit, mmsynctap, target

FIELD = pathlib.Path(os.environ.get("SYNCTAP_FIELD_INPUTS", pathlib.Path(
    __file__).resolve().parents[4] / "shared" / "data" / "field"))
MESSAGES = int(os.environ.get("SYNCTAP_LIVE_MESSAGES", "400"))
SEED = int(os.environ.get("SYNCTAP_SEED", "0"))
HEADER = "<134>Nov 26 00:57:47 edge7 app: "
UPN = "Sync_ADC01_1a2b3c4d5e6f@contoso.onmicrosoft.com"
OBJECT_ID = "11111111-2222-4333-8444-555555555555"

EXACT, DEGRADED = ("exact", "match"), ("degraded", "undecodable")
# The alert and the tag of each; files of role lists, and those that no
# message can carry (CSV, UTF-16), are the command line's.
RIGHT = {
    "a-imfile-lf-as-backslash-n.txt": EXACT,
    "b-degraded-cut.txt": DEGRADED,
    "c-tap-endtime.json": EXACT,
    "d-powershell-pascalcase.json": EXACT,
    "e-slash-date.json": None,
    "f-powershell-value-count.json": EXACT,
    "g-properties-string.json": EXACT,
    "i-adx-v1.json": EXACT,
    "i-steampipe.json": EXACT,
    "l-depth-truncated-target.json": DEGRADED,
    "m-fido.json": EXACT,
    "n-app-ipaddress.json": EXACT,
}

BY_REGEX = 'startmsg.regex="^\\\\{"'
IMFILE = """
module(load="imfile")
input(type="imfile" file="@WORK@/audit.json" tag="audit" ruleset="incoming"
  startmsg.regex="^\\\\{")
"""


def daemon_with(parameters="", more=""):
    """Make a daemon with the module in wide semantics."""
    return Daemon(mmsynctap(f'ruleset="alerts" {parameters}', "wide"),
                  MODULE + more)


def status(original):
    """Give a message's tag, None without one."""
    return original.tree.get("synctap", {}).get("status")


class Pieces(unittest.TestCase):
    """A record of many lines."""

    def setUp(self):
        self.lines = json.dumps(audit("r1", target(UPN)),
                                indent=1).splitlines()

    def test_lines_that_came_alone_are_told_with_a_remedy(self):
        with daemon_with() as daemon:
            daemon.send(self.lines, "lines")
            tags = [status(one) for one in
                    daemon.originals(len(self.lines))]
            expected = ["undecodable" if "registered security info" in line
                        else None for line in self.lines]
            self.assertEqual(expected, tags)
            count = expected.count("undecodable")
            daemon.wait_statistics("tap", undecodable=count,
                                   parts_of_records=count, alerts=0)
            daemon.internal("holds part of a record", "octet-counted",
                            "jq -c", 'escapeLF="off"')

    def test_a_part_that_shows_the_account_alerts(self):
        with daemon_with() as daemon:
            daemon.send(["\n".join(self.lines[1:])], "octet")
            self.assertEqual("undecodable", status(daemon.originals(1)[0]))
            alert = daemon.alerts(1)[0].json()
            self.assertEqual(("degraded", UPN),
                             (alert["confidence"], alert["target_upn"]))

    def test_a_file_that_imfile_reads_by_its_first_lines(self):
        with daemon_with(more=IMFILE) as daemon:
            path = daemon.work.path / "audit.json"
            path.write_text("\n".join([*self.lines] * 2 + ["{", ""]))
            path.chmod(0o666)
            self.assertEqual(["match"], sorted(
                {status(one) for one in daemon.originals(2)} - {"duplicate"}))
            self.assertEqual("exact", daemon.alerts(1)[0].json()["confidence"])


class Wide(unittest.TestCase):
    """UTF-16, whose NUL bytes an input hands on as they are or as escapes."""

    CODINGS = ("utf-16", "utf-16-le", "utf-16-be")
    AS_IT_IS = 'parser.escapeControlCharactersOnReceive="off"'
    ESCAPED = 'parser.escapeControlCharactersOnReceive="on"'
    WAYS = (AS_IT_IS, ESCAPED,
            f'{ESCAPED} parser.escapeControlCharactersCStyle="on"',
            f'{ESCAPED} parser.controlCharacterEscapePrefix="%"')

    def _check(self, daemon, count):
        originals = daemon.originals(count)
        self.assertEqual(["undecodable"] * count, list(map(status, originals)))
        for alert in daemon.alerts(count):
            self.assertEqual(("degraded", UPN), (
                alert.json()["confidence"], alert.json()["target_upn"]))
        daemon.wait_statistics("tap", undecodable=count, candidates=count)
        daemon.internal("holds UTF-16 or UTF-32 instead of UTF-8",
                        "iconv -f UTF-16 -t UTF-8")

    def test_over_tcp(self):
        for way in self.WAYS:
            daemon = daemon_with()
            daemon.reconfigure(self.AS_IT_IS, way)
            with self.subTest(way), daemon:
                daemon.send([header.encode() + json.dumps(audit(
                    f"{coding}{len(header)}", target(UPN))).encode(coding)
                    for coding in self.CODINGS for header in ("", HEADER)],
                    "octet")
                self._check(daemon, 6)

    def test_a_file_that_imfile_reads(self):
        for coding in self.CODINGS:
            with self.subTest(coding), daemon_with(
                    more=IMFILE.replace(BY_REGEX, "")) as daemon:
                path = daemon.work.path / "audit.json"
                path.write_bytes("".join(
                    json.dumps(audit(name, target(UPN))) + "\r\n"
                    for name in "ab").encode(coding) + b"\0\n")
                path.chmod(0o666)
                got = list(map(status, daemon.originals(3)))
                self.assertEqual(["undecodable"] * 2 + [None], got)
                self.assertEqual({"degraded"}, {
                    one.json()["confidence"] for one in daemon.alerts(2)})


class Flat(unittest.TestCase):
    """A record whose paths became keys."""

    def test_it_is_a_degraded_alert(self):
        flat = {"Vendor.properties.activityDisplayName":
                "Admin registered security info",
                "Vendor.properties.targetResources.0.userPrincipalName": UPN}
        other = dict(flat, **{
            "Vendor.properties.targetResources.0.userPrincipalName": "a@x"})
        with daemon_with() as daemon:
            daemon.send([json.dumps(flat), json.dumps(other)])
            self.assertEqual(["undecodable", None],
                             list(map(status, daemon.originals(2))))
            alert = daemon.alerts(1)[0].json()
            self.assertEqual(("degraded", UPN),
                             (alert["confidence"], alert["target_upn"]))

    def test_beside_the_whole_record_it_is_the_same_row(self):
        record = audit("one", target(UPN))
        flat = {"Vendor.id": "one", **{
            f"Vendor.{key}": value for key, value in (
                ("properties.activityDisplayName",
                 "Admin registered security info"),
                ("properties.targetResources.0.userPrincipalName", UPN))}}
        with daemon_with() as daemon:
            daemon.send([json.dumps(dict(flat, raw=json.dumps(record))),
                         json.dumps([flat, record])])
            self.assertEqual(["match", "duplicate"],
                             list(map(status, daemon.originals(2))))
            alert = daemon.alerts(1)[0].json()
            self.assertEqual(("exact", "one"),
                             (alert["confidence"], alert["record_id"]))
            daemon.wait_statistics("tap", alerts=1, degraded_alerts=0,
                                   undecodable=0)


class Random(unittest.TestCase):
    """Random messages, some of them damaged; SYNCTAP_LIVE_MESSAGES of them."""

    def test_what_a_slow_reader_finds_is_never_passed(self):
        made = [Message(seed, ticks.now()).text
                for seed in range(SEED, SEED + MESSAGES)]
        messages = list(filter(slow_reader.matches, made))
        self.assertGreater(len(messages), MESSAGES // 10)
        with daemon_with('lookback="365d"') as daemon:
            daemon.send(messages, "octet")
            tags = list(map(status, daemon.originals(len(messages))))
            daemon.stop()
        self.assertEqual([], [message for message, tag in zip(messages, tags)
                              if tag is None][:3])


@unittest.skipUnless(FIELD.is_dir(), f"no inputs at {FIELD}")
class Collection(unittest.TestCase):
    """Each file as one message, with a header in front and without."""

    def test_each_file(self):
        for name, right in RIGHT.items():
            for header in ("", HEADER):
                with self.subTest(name=name, header=header):
                    self._check(header + (FIELD / name).read_text(
                        "utf-8-sig").strip(), right)

    def _check(self, message, right):
        with daemon_with('lookback="365d"') as daemon:
            daemon.send([message], "octet")
            tag = status(daemon.originals(1)[0])
            if right is None:
                daemon.wait_statistics("tap", stale=1, alerts=0)
                self.assertIsNone(tag)
                return
            alert = daemon.alerts(1)[0].json()
            self.assertEqual((UPN, OBJECT_ID, *right), (
                alert["target_upn"], alert["target_id"],
                alert["confidence"], tag))


if __name__ == "__main__":
    unittest.main()
