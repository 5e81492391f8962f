"""JSON escapes hide neither a phrase, nor a name, nor a key.

A record says the same however its characters are spelled, in its own text and
in a text that is a string in another document, up to three levels deep.
"""

import json
import pathlib
import tempfile
import unittest

import plain
import rendering
from command import query

# (a text in the plain record, how it is spelled)
SPELLINGS = (
    ("security info", "\\u0073ecurity info"),
    ("security info", "\\u0053ecurity info"),
    ("security info", "security\\u0020info"),
    ("security info", "security inf\\u006F"),
    ("Admin registered", "\\u0041\\u0064\\u006d\\u0069\\u006E registered"),
    ("Admin registered security info",
     "".join(f"\\u{ord(char):04x}"
             for char in "Admin registered security info")),
    ("Sync_HOST1", "Sync\\u005fHOST1"),
    ("Sync_HOST1", "\\u0053ync_HOST1"),
    ("userPrincipalName", "user\\u0050rincipalName"),
    ("operationName", "\\u006fperationName"),
    ("targetResources", "target\\u0052esources"),
)

# How often the record is put into a string of another document.
LEVELS = range(4)


class Escapes(unittest.TestCase):
    """One spelling changed in one record."""

    def test_every_spelling_at_every_level(self):
        written = json.dumps(rendering.diagnostic_record(
            plain.row(), plain.chance()))
        for text, spelling in SPELLINGS:
            self.assertIn(text, written)
            for level in LEVELS:
                with self.subTest(spelling=spelling, level=level):
                    self._check(self._wrapped(
                        written.replace(text, spelling), level))

    def test_an_escape_that_hides_another_escape(self):
        """In a string, the backslash of an escape may be escaped itself."""
        written = json.dumps(rendering.diagnostic_record(
            plain.row(), plain.chance())).replace("Admin", "\\u0041dmin")
        outer = json.dumps({"message": written})
        self.assertIn("\\\\u0041dmin", outer)
        self._check(outer.replace("\\\\u0041dmin", "\\u005cu0041dmin"))
        self._check(outer.replace("\\\\u0041dmin", "\\\\\\u00750041dmin"))

    def test_a_long_text_of_escapes_alone(self):
        """ASCII-escaped text that says nothing of the rule is no match."""
        record = rendering.diagnostic_record(
            plain.row(OperationName="Update user"), plain.chance())
        text = json.dumps(record | {"note": "\u0436" * 5000})
        self.assertEqual([], self._query(text))

    @staticmethod
    def _wrapped(text, level):
        for _ in range(level):
            text = json.dumps({"message": text})
        return text

    def _check(self, text):
        self.assertEqual([plain.SYNC_UPN],
                         [row["TargetUpn"] for row in self._query(text)], text)

    @staticmethod
    def _query(text):
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory) / "audits"
            path.write_text(text)
            roles = pathlib.Path(directory) / "ids"
            roles.write_text("")
            return query(plain.NOW, [roles], [path])
