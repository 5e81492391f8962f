# SPDX-License-Identifier: Apache-2.0
"""The manual pages show what they mean, and lead to each other."""

import re
import subprocess
import unittest

import doc_samples

PAGES = doc_samples.SAMPLES.parent
# An argument in quotes ends at the next quote: more behind it is lost.
CUT_ARGUMENT = re.compile(r'\s"[^"]*"(?=\S)')


def made(name):
    """Give the page that is made of a Markdown document."""
    return subprocess.run(
        ["awk", "-v", f"name={name}", "-f", PAGES / "markdown-to-man",
         PAGES / f"{name}.md"],
        capture_output=True, check=True, text=True).stdout


class ManualPages(unittest.TestCase):
    """Of the commands, written by hand, and of the modules, made."""

    def test_code_over_two_lines_is_no_text_with_backticks(self):
        for name in ("mmsynctap", "omidentityinfo"):
            with self.subTest(page=name):
                self.assertEqual([], [line for line in made(name).split("\n")
                                      if "`" in line])

    def test_no_quote_ends_an_argument_before_its_end(self):
        for page in sorted(PAGES.glob("*.1")):
            with self.subTest(page=page.name):
                self.assertEqual(
                    [], [line for line in page.read_text().split("\n")
                         if line.startswith(".") and CUT_ARGUMENT.search(line)])

    def test_the_first_page_leads_to_all(self):
        text = (PAGES / "synctap.1").read_text()
        self.assertEqual(
            sorted(page.stem for page in PAGES.glob("synctap-*.1")),
            sorted(re.findall(r"^\.Xr (synctap-\S+) 1",
                              text[text.index(".Sh SEE ALSO"):], re.M)))


if __name__ == "__main__":
    unittest.main()
