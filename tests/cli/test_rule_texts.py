"""A rule's text gives the rows that the oracle reads out of the same text.

tests/oracle has the grammar of rule files a second time, and makes records
that a query is after, or nearly. The rules are those of rule_texts.py, those
that ship, and those in SYNCTAP_RULE_FILES, a folder; of these the ones that
are refused are passed over. SYNCTAP_ROUNDS raises the number of rounds,
SYNCTAP_SEED starts at another one.
"""

import os
import pathlib
import re
import tempfile
import unittest

import query_words
import rule_files
import rule_rounds
import rule_texts
import ticks
from command import synctap

TOP = pathlib.Path(__file__).resolve().parents[2]
ROUNDS = int(os.environ.get("SYNCTAP_ROUNDS", "2"))
FIRST_SEED = int(os.environ.get("SYNCTAP_SEED", "0"))
MORE = os.environ.get("SYNCTAP_RULE_FILES")
ENOUGH = 3


def query_of(content):
    """Take the query, which is a block, and its period out of a file."""
    block = re.search(r"^query: \|[-+]?[ \t]*\n((?:  .*\n|[ \t]*\n)*)",
                      content + "\n", re.MULTILINE)
    if not block:
        return None, None
    period = re.search(r"^queryPeriod: (.*)$", content, re.MULTILINE)
    return "\n".join(line[2:] for line in block[1].split("\n")), \
        span(period[1]) if period else None


def span(text):
    """Give a timespan's ticks; None for anything else."""
    match = re.fullmatch(r"(\d+)([dhms])", text.strip().lower())
    return match and int(match[1]) * query_words.TICKS[match[2]]


def texts(folder):
    """List the rules."""
    found = [(name, query, "1d") for name, query in rule_texts.KINDS.items()]
    for number, (name, query, period) in enumerate(found):
        path = folder / f"own{number}.yaml"
        path.write_text(rule_files.text(query, period=period))
        yield rule_rounds.Text(name, path, query, ticks.DAY)
    paths = sorted((TOP / "rules").glob("*.yaml"))
    paths += sorted(pathlib.Path(MORE).rglob("*.yaml")) if MORE else []
    for path in paths:
        query, period = query_of(path.read_text())
        if query and synctap("rule", "check", path).status == 0:
            yield rule_rounds.Text(path.name, path, query, period)


class RuleTexts(unittest.TestCase):
    """A few rounds of records for each rule."""

    def test_query_gives_the_rows_of_the_text(self):
        wrong = []
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            for text in texts(folder):
                count = 0
                for seed in range(FIRST_SEED, FIRST_SEED + ROUNDS):
                    rows, differences = rule_rounds.check(folder, text, seed)
                    count += rows
                    wrong += differences
                if not count and not MORE:
                    wrong.append(f"{text.name}: no row")
                if len(wrong) >= ENOUGH:
                    break
        self.assertFalse(wrong, "\n\n".join(wrong))


if __name__ == "__main__":
    unittest.main()
