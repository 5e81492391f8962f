"""A rule's text gives the rows that the oracle reads out of the same text.

tests/oracle has the grammar of rule files a second time, and makes records
that a query is after, or nearly. The rules are those of rule_texts.py, those
that ship, and those in SYNCTAP_RULE_FILES, a folder; of these the ones that
are refused are passed over. SYNCTAP_ROUNDS raises the number of rounds,
SYNCTAP_SEED starts at another one.
"""

import json
import os
import pathlib
import random
import re
import tempfile
import unittest

import query_records
import query_rows
import query_words
import rendering
import rule
import rule_files
import rule_texts
import tenant
import ticks
from command import objects, synctap

TOP = pathlib.Path(__file__).resolve().parents[2]
ROUNDS = int(os.environ.get("SYNCTAP_ROUNDS", "2"))
FIRST_SEED = int(os.environ.get("SYNCTAP_SEED", "0"))
MORE = os.environ.get("SYNCTAP_RULE_FILES")
RECORDS = 50
NOW = ticks.parse("2026-11-01T12:00:00Z")
ENOUGH = 3

GRAPH = {"Id": "id", "Category": "category", "CorrelationId": "correlationId",
         "Result": "result", "ResultReason": "resultReason",
         "OperationName": "activityDisplayName",
         "TimeGenerated": "activityDateTime",
         "LoggedByService": "loggedByService",
         "AADOperationType": "operationType", "InitiatedBy": "initiatedBy",
         "TargetResources": "targetResources",
         "AdditionalDetails": "additionalDetails"}
OF_THE_ENVELOPE = {"TimeGenerated": "time", "OperationName": "operationName",
                   "Identity": "identity"}


def log_analytics_row(audit):
    """Write a record as Log Analytics has it."""
    return dict(audit)


def directory_audit(audit):
    """Write a record as Graph has it: one name, nobody's identity."""
    audit.update(Identity="", ActivityDisplayName=audit["OperationName"])
    return {GRAPH[name]: value for name, value in audit.items()
            if name in GRAPH}


def diagnostic_record(audit):
    """Write a record as an Event Hub has it."""
    properties = {GRAPH[name]: value for name, value in audit.items()
                  if name in GRAPH and name not in OF_THE_ENVELOPE}
    properties["activityDisplayName"] = audit["ActivityDisplayName"]
    return {"category": "AuditLogs", "properties": properties,
            **{word: audit[name] for name, word in OF_THE_ENVELOPE.items()}}


def packed_row(audit):
    """Write a record whose targets are a text."""
    audit["TargetResources"] = json.dumps(audit["TargetResources"])
    return dict(audit)


SHAPES = (log_analytics_row,) * 4 + (diagnostic_record,) * 2 \
    + (directory_audit, packed_row)


def plain(value):
    """Give a value as the command writes it."""
    return ticks.render(value.value) \
        if value.type == "datetime" and value.value is not None \
        else value.value


class Text:
    """A rule of a text: its file, and its meaning."""

    def __init__(self, name, path, query, period):
        """Read it."""
        self.name, self.path = name, path
        self.meaning = query_rows.Rows(query, period)
        self.made, self.projects = self.meaning.made()

    def shown(self, rows):
        """Give the rows' columns that the command shows."""
        return [(audit["Id"], {
            name: plain(value) for name, value in row.items()
            if name and (self.projects or name in self.made)}, *rest)
            for audit, row, *rest in rows]


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
        yield Text(name, path, query, ticks.DAY)
    paths = sorted((TOP / "rules").glob("*.yaml"))
    paths += sorted(pathlib.Path(MORE).rglob("*.yaml")) if MORE else []
    for path in paths:
        query, period = query_of(path.read_text())
        if query and synctap("rule", "check", path).status == 0:
            yield Text(path.name, path, query, period)


class RuleTexts(unittest.TestCase):
    """A few rounds of records for each rule."""

    def test_query_gives_the_rows_of_the_text(self):
        wrong = []
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            for text in texts(folder):
                count = 0
                for seed in range(FIRST_SEED, FIRST_SEED + ROUNDS):
                    rows, differences = self._check(folder, text, seed)
                    count += rows
                    wrong += differences
                if not count and not MORE:
                    wrong.append(f"{text.name}: no row")
                if len(wrong) >= ENOUGH:
                    break
        self.assertFalse(wrong, "\n\n".join(wrong))

    def _check(self, folder, text, seed):
        made = tenant.random_tenant(seed, NOW)
        names = [row["AccountUPN"] for row in rule.newest_identities(
            made.identities, NOW, 14 * ticks.DAY)]
        audits = query_records.near(text.meaning.query, f"{text.name} {seed}",
                                    NOW, text.meaning.lookback(), RECORDS,
                                    names)
        rng = random.Random(f"shapes {seed}")
        lines = [json.dumps(self._written(rng.choice(SHAPES)(audit)),
                            ensure_ascii=False) for audit in audits]
        records = folder / "records.jsonl"
        records.write_text("\n".join(lines) + "\n")
        roles = folder / "roles.jsonl"
        roles.write_text("".join(
            json.dumps(rendering.identity_row(row, rng)) + "\n"
            for row in made.identities))
        command = ("query", "--rule", text.path, "--now", ticks.render(NOW),
                   "--format", "jsonl", "--identity", roles, records)
        in_kql = text.shown(text.meaning.of(audits, made.identities, NOW))
        in_wide = text.shown(text.meaning.wide_of(audits, made.identities,
                                                  NOW))
        told = {audit["Id"]: line for audit, line in zip(audits, lines)}
        return len(in_kql), [
            f"{text.name}, seed {seed}, {semantics}: {difference}\n"
            + told[difference.split()[1].strip(":")]
            for semantics, difference in (
                ("kql", _difference([(*row, True) for row in in_kql], objects(
                    synctap(*command, "--semantics", "kql").output), False)),
                ("wide", _difference(in_wide, objects(
                    synctap(*command, "--semantics", "wide").output), True)))
            if difference]

    @staticmethod
    def _written(record):
        return {name: ticks.render(value) if name in (
            "TimeGenerated", "time", "activityDateTime") else value
            for name, value in record.items()}


def _difference(expected, got, is_wide):
    """Say the first row that is on one side alone; "" when there is none."""
    rest = list(got)
    for record, row, is_kql in expected:
        same = next((one for one in rest if one["Id"] == record
                     and one["Kql"] == is_kql
                     and _agrees(row, one, is_wide, is_kql)), None)
        if same is None:
            return f"missing {record}: {row}"
        rest.remove(same)
    return f"surplus {rest[0]['Id']}: {rest[0]}" if rest else ""


def _agrees(row, one, is_wide, is_kql):
    """Compare a row: wide fills up what the query has nothing for.

    And a row that the activity's name gives shows the operation's own.
    """
    return all(
        one.get(name) == value
        or (is_wide and is_kql and value in ("", None))
        or (not is_kql and name == "OperationName")
        for name, value in row.items())


if __name__ == "__main__":
    unittest.main()
