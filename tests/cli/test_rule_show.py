"""`rule show` gives the built-in rule as the file that Sentinel takes."""

import pathlib
import unittest

import rule_files
from command import synctap

OURS = pathlib.Path(__file__).resolve().parents[2] / "rules" \
    / "tap-on-sync-account.yaml"


class RuleShow(unittest.TestCase):
    """The built-in rule, wherever the program runs."""

    def test_the_built_in_rule_is_the_file_that_ships(self):
        shown = synctap("rule", "show")
        self.assertEqual((shown.status, shown.words), (0, ""))
        self.assertEqual(shown.output, OURS.read_text())

    def test_what_is_shown_loads(self):
        path = rule_files.Folder(self).put(synctap("rule", "show").output)
        checked = synctap("rule", "check", path)
        self.assertEqual((checked.status, checked.words), (0, ""))
        self.assertIn("9b1a0008-1008-4108-9108-aadprov00008", checked.output)

    def test_it_takes_no_file(self):
        shown = synctap("rule", "show", OURS)
        self.assertEqual((shown.status, shown.output), (2, ""))
        self.assertEqual("synctap rule: show takes no argument; check tells of "
                         "files\ntry: synctap rule --help\n", shown.words)


if __name__ == "__main__":
    unittest.main()
