# SPDX-License-Identifier: Apache-2.0
"""The samples in doc/samples are what synctap writes today.

Where a change of the outputs is meant, "make samples" writes them anew.
"""

import unittest

import doc_samples


class DocSamples(unittest.TestCase):
    """Each output, and each input."""

    maxDiff = None

    def test_outputs_are_current(self):
        for name, text in doc_samples.outputs().items():
            with self.subTest(sample=name):
                self.assertEqual((doc_samples.SAMPLES / name).read_text(),
                                 text, "make samples writes it anew")

    def test_every_form_of_the_role_list_says_the_same(self):
        said = set()
        for name in ("identity-info.jsonl", "role-assignments.json",
                     "identity.csv"):
            rows = doc_samples.synctap(
                "query", "--now", doc_samples.NOW, "--semantics", "wide",
                "--identity-window", "0", "--identity",
                doc_samples.SAMPLES / name,
                doc_samples.SAMPLES / "event-hub.json").output
            said.add(rows)
        self.assertEqual(1, len(said), said)
        self.assertEqual(1, said.pop().count("\n"))

    def test_no_file_is_there_by_chance(self):
        page = (doc_samples.SAMPLES / "README.md").read_text()
        for path in doc_samples.SAMPLES.iterdir():
            with self.subTest(file=path.name):
                self.assertTrue(path.name == "README.md"
                                or f"({path.name})" in page)


if __name__ == "__main__":
    unittest.main()
