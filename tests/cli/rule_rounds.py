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
        self.name, self.path = name, path
        self.meaning = query_rows.Rows(query, period)
        self.made, self.projects = self.meaning.made()

    def shown(self, rows):
        """Give the rows' columns that the command shows."""
        return [(audit["Id"], {
            name: plain(value) for name, value in row.items()
            if name and (self.projects or name in self.made)}, *rest)
            for audit, row, *rest in rows]


def check(folder, text, seed):
    """Run a round; give the number of the query's rows, and differences."""
    made = tenant.random_tenant(seed, NOW)
    names = [row["AccountUPN"] for row in rule.newest_identities(
        made.identities, NOW, 14 * ticks.DAY)]
    lists = drawn_lists(folder, text.meaning.query, seed, names)
    told = [cell for one in lists.files.values() for row in one.rows
            for cell in row.values()]
    audits = query_records.near(text.meaning.query, f"{text.name} {seed}",
                                NOW, text.meaning.lookback(), RECORDS,
                                names + told)
    rng = random.Random(f"shapes {seed}")
    lines = [json.dumps(_written(rng.choice(SHAPES)(audit)),
                        ensure_ascii=False) for audit in audits]
    records = folder / "records.jsonl"
    records.write_text("\n".join(lines) + "\n")
    roles = folder / "roles.jsonl"
    roles.write_text("".join(
        json.dumps(rendering.identity_row(row, rng)) + "\n"
        for row in made.identities))
    command = ("query", "--rule", text.path, "--now", ticks.render(NOW),
               "--format", "jsonl", "--identity", roles, *lists.options,
               records)
    told = {audit["Id"]: line for audit, line in zip(audits, lines)}
    given = audits, made.identities, NOW, lists.rows
    in_kql = text.shown(text.meaning.of(*given))
    in_wide = text.shown(text.meaning.wide_of(*given))
    return len(in_kql), [
        f"{text.name}, seed {seed}, {semantics}: {difference}\n"
        + told[difference.split()[1].strip(":")]
        for semantics, difference in (
            ("kql", _difference([(*row, True) for row in in_kql], _rows(
                command, "kql"), False)),
            ("wide", _difference(in_wide, _rows(command, "wide"), True)))
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


def _rows(command, semantics):
    done = synctap(*command, "--semantics", semantics)
    if "watchlist" in done.words:
        raise AssertionError(done.words)
    return objects(done.output)


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
    """Compare a row: wide fills up what the query has nothing for."""
    return all(
        one.get(name) == value
        or (is_wide and is_kql and value in ("", None))
        for name, value in row.items())
