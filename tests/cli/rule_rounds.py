"""A round of a rule's text: its rows over records near it, against the oracle.

The records stand in several shapes, the role list is a random tenant's, and
the watchlists that the query asks are drawn for it.
"""

import json
import random

import query_records
import query_rows
import rendering
import rule
import tenant
import ticks
import watchlists
from command import objects, synctap

RECORDS = 50
NOW = ticks.parse("2026-11-01T12:00:00Z")

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
        self.name, self.path, self.query = name, path, query
        self.meaning = query_rows.Rows(query, period)
        self.made, self.projects = self.meaning.made()

    def shown(self, rows):
        """Give the rows' columns that the command shows."""
        return [(audit["Id"], {
            name: plain(value) for name, value in row.items()
            if name and (self.projects or name in self.made)}, *rest)
            for audit, row, *rest in rows]


class Round:
    """A text's records, role list and watchlists, from a seed."""

    def __init__(self, folder, text, seed, step=1):
        """Draw them, and write them into the folder.

        step: the role list has only rows of whole steps of so many ticks.
        """
        self.identities = [
            row for row in tenant.random_tenant(seed, NOW).identities
            if (row["TimeGenerated"] or 0) % step == 0]
        names = [row["AccountUPN"] for row in rule.newest_identities(
            self.identities, NOW, 14 * ticks.DAY)]
        self.lists = drawn_lists(folder, text.meaning.query, seed, names)
        names += [cell for one in self.lists.files.values()
                  for row in one.rows for cell in row.values()]
        self.audits = query_records.near(
            text.meaning.query, f"{text.name} {seed}", NOW,
            text.meaning.lookback(), RECORDS, names)
        self.command = ("query", "--rule", text.path, "--now",
                        ticks.render(NOW), "--format", "jsonl",
                        *self._written(folder, random.Random(
                            f"shapes {seed}")))

    def _written(self, folder, rng):
        lines = [json.dumps(_dated(rng.choice(SHAPES)(audit)),
                            ensure_ascii=False) for audit in self.audits]
        self.told = {audit["Id"]: line
                     for audit, line in zip(self.audits, lines)}
        records, roles = folder / "records.jsonl", folder / "roles.jsonl"
        records.write_text("\n".join(lines) + "\n")
        roles.write_text("".join(
            json.dumps(rendering.identity_row(row, rng)) + "\n"
            for row in self.identities))
        return ["--identity", roles, *self.lists.options, records]

    def rows(self, semantics):
        """Give the detector's rows."""
        done = synctap(*self.command, "--semantics", semantics)
        if "watchlist" in done.words:
            raise AssertionError(done.words)
        return objects(done.output)


def check(folder, text, seed):
    """Run a round; give the number of the query's rows, and differences."""
    made = Round(folder, text, seed)
    given = made.audits, made.identities, NOW, made.lists.rows
    in_kql = text.shown(text.meaning.of(*given))
    in_wide = text.shown(text.meaning.wide_of(*given))
    return len(in_kql), [
        f"{text.name}, seed {seed}, {semantics}: {difference}\n"
        + made.told[difference.split()[1].strip(":")]
        for semantics, difference in (
            ("kql", _difference([(*row, True) for row in in_kql],
                                made.rows("kql"), False)),
            ("wide", _difference(in_wide, made.rows("wide"), True)))
        if difference]


class Lists:
    """The watchlists of a round, as files and as rows."""

    def __init__(self, folder, files):
        """Write the files."""
        self.files, self.options = files, []
        self.rows = {name: one.rows for name, one in files.items()}
        for number, (name, one) in enumerate(files.items()):
            path = folder / f"list{number}.csv"
            path.write_bytes(one.content)
            self.options += ["--watchlist", f"{name}={path}"]
            if one.key:
                self.options += ["--watchlist-key", f"{name}={one.key}"]


def drawn_lists(folder, query, seed, names):
    """Draw the watchlists that a query asks."""
    return Lists(folder, watchlists.drawn(
        query, random.Random(f"lists {seed}"), names))


def _dated(record):
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
    """Compare a row: wide fills up what the query has nothing for."""
    return all(
        one.get(name) == value
        or (is_wide and is_kql and value in ("", None))
        for name, value in row.items())
