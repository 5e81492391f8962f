"""Whatever carries the records, `synctap query` finds the same rows.

A random tenant's records are written in one shape and put into one wrapping
of those that are met on the wire; kql and wide must give what they give for
the plain records. SYNCTAP_WRAPPED_TENANTS raises the number of tenants for
each wrapping and shape, SYNCTAP_SEED starts at another one.
"""

import os
import pathlib
import shutil
import tempfile
import unittest

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


def _test_of(name, semantics):
    def test(self):
        self.check_wrapping(name, semantics)
    return test


for _name in wrappings.NAMES:
    for _semantics in ORACLES:
        setattr(Wrapped, f"test_{_semantics}_in_{_name}",
                _test_of(_name, _semantics))
