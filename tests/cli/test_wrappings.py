"""Whatever carries the records, `synctap query` finds the same rows.

A random tenant's records are written in one shape and put into one wrapping
of those that are met on the wire; kql and wide must give what they give for
the plain records. SYNCTAP_WRAPPED_TENANTS raises the number of tenants for
each wrapping and shape, SYNCTAP_SEED starts at another one. Texts that are odd
in one way have a test each.
"""

import json
import os
import pathlib
import shutil
import tempfile
import unittest

import plain
import rendering
import rows
import rule
import tenant
import ticks
import wide
import wrappings
from command import allowed_statuses, query, written

TENANTS = int(os.environ.get("SYNCTAP_WRAPPED_TENANTS", "2"))
FIRST_SEED = int(os.environ.get("SYNCTAP_SEED", "0"))
NOW = ticks.parse("2026-06-01T12:00:00.1234567Z")


ORACLES = {"kql": (rule, rows.difference),
           "wide": (wide, rows.wide_difference)}


class Wrapped(unittest.TestCase):
    """One test for each wrapping and semantics, made below."""

    def check_wrapping(self, name, semantics):
        tried = sum(self._check(name, shape, semantics,
                                f"{name} {shape.__name__} {number}")
                    for shape in wrappings.shapes_of(name)
                    for number in range(FIRST_SEED, FIRST_SEED + TENANTS))
        self.assertGreater(tried, 0, "rows")

    def _check(self, name, shape, semantics, seed):
        """Query the file of one tenant, and give the number of its rows.

        The file is kept if that goes wrong.
        """
        directory = pathlib.Path(tempfile.mkdtemp(prefix="synctap-wrapped-"))
        made = tenant.random_tenant(seed, NOW, wide=True)
        rng = rendering.rendering_of(seed)
        audits = wrappings.fit_for(name, shape, made.audits)
        path = directory / "audits"
        path.write_bytes(self._content(
            name, [shape(row, rng) for row in audits], rng))
        identities = rendering.write_files(
            directory, "ids", [rendering.identity_row(row, rng)
                               for row in made.identities], rng)
        oracle, difference = ORACLES[semantics]
        expected = oracle.evaluate(audits, made.identities, NOW)
        got = query(NOW, identities, [path], semantics,
                    allowed_statuses(made))
        wrong = difference(map(written, expected), got)
        if wrong:
            self.fail(f"{semantics}, {seed}, files in {directory}:\n{wrong}")
        shutil.rmtree(directory)
        return len(expected)

    @staticmethod
    def _content(name, records, rng):
        """Write the records as a file of one message a line."""
        style = rendering.Style(rng, line_breaks=False)
        return "\n".join(wrappings.messages(name, records, style)).encode() \
            + rng.choice((b"", b"\n"))


class Odd(unittest.TestCase):
    """Texts around a record that could be taken for a part of it."""

    def _check(self, before, after="", **changes):
        """Expect the row of a record that stands between two texts."""
        row = plain.row(dict(plain.target(), modifiedProperties=[
            {"displayName": "TemporaryAccessPass.Id", "oldValue": None,
             "newValue": "\"0b8f6a11\""}], **changes))
        with tempfile.TemporaryDirectory() as directory:
            audits, roles = (pathlib.Path(directory) / name
                             for name in ("audits", "ids"))
            audits.write_text(before + json.dumps(rendering.diagnostic_record(
                row, plain.chance())) + after)
            roles.write_text("")
            found = query(plain.NOW, [roles], [audits], statuses=(0, 1))
        self.assertEqual([("Directory_1", row["TargetResources"][0])], [
            (one["Id"], one["TargetResources"]) for one in found])

    def test_cef_without_its_escapes(self):
        self._check(wrappings.HEADER + "CEF:0|Microsoft|Entra ID|1.0|AuditLogs"
                    "|Audit|3|rt=1400000000125 msg=", " cs1=after")

    def test_a_display_name_that_looks_like_cef_hides_no_record(self):
        """What an attacker can name is not asked which carrier this is."""
        self._check(wrappings.HEADER + "app: ", displayName=(
            'CEF:0|a|b|c|d|e|5|msg={"operationName":"Sign-in","properties":'
            '{}}'))

    def test_cef_around_a_record_of_another_kind(self):
        """It is read well and is not ours: no row, and that is said."""
        record = {"operationName": {"value": plain.OPERATION},
                  "caller": plain.SYNC_UPN, "claims": "{\"a\":\"b\"}"}
        style = rendering.Style(plain.chance(), line_breaks=False)
        text = wrappings.CARRIERS["cef"](json.dumps(record), style)
        with tempfile.TemporaryDirectory() as directory:
            audits, roles = (pathlib.Path(directory) / name
                             for name in ("audits", "ids"))
            audits.write_text(text)
            roles.write_text("")
            self.assertEqual([], query(plain.NOW, [roles], [audits], "wide",
                                       statuses=(1,)))

    def test_brackets_and_braces_in_structured_data(self):
        self._check("<134>1 2014-05-13T16:53:20.125Z edge7 azurefunction - - "
                    "[a@32473 env=\"{prod}\" list=\"[1, {\"] ")

    def test_brackets_and_braces_in_words_in_front(self):
        self._check(wrappings.HEADER + "azure{x}[1]: env={prod} [x] ")

    def test_words_behind(self):
        self._check(wrappings.HEADER + "azure: ", " -- end of {record} ]}")

    def test_an_object_of_another_kind_in_front(self):
        self._check('{"host": "edge7", "note": ["x"]} ')


def _test_of(name, semantics):
    def test(self):
        self.check_wrapping(name, semantics)
    return test


for _name in wrappings.NAMES:
    for _semantics in ORACLES:
        setattr(Wrapped, f"test_{_semantics}_in_{_name}",
                _test_of(_name, _semantics))
