"""The rows that a rule's query gives, operator by operator, by rules.md.

A row is a dict of values by column, in the columns' order. An audit record is
a dict of AuditLogs's columns as JSON values; what it has not is "" or null.
"""

import kql
import rule
import wide
from kql import MISSING
from query_tree import (Away, Column, Distinct, Expand, Extend, Parse,
                        Project, Reorder, Sort, Watchlist, Where, read)
from query_values import Context, Value, evaluate, nothing, text_of
from ticks import DAY

DYNAMIC = ("InitiatedBy", "TargetResources", "AdditionalDetails")
DATES = ("TimeGenerated", "ActivityDateTime", "_TimeReceived")
TEXTS = ("OperationName", "OperationVersion", "Category", "ResultType",
         "ResultSignature", "ResultDescription", "CorrelationId",
         "ResourceId", "Identity", "Level", "Location", "Id",
         "LoggedByService", "Result", "ResultReason", "AADTenantId",
         "ActivityDisplayName", "AADOperationType", "SourceSystem", "Type",
         "TenantId", "Resource", "ResourceGroup", "ResourceProvider",
         "_ItemId", "_IsBillable")
TYPES = {**dict.fromkeys(DYNAMIC, "dynamic"),
         **dict.fromkeys(DATES, "datetime"),
         **dict.fromkeys(TEXTS, "string"),
         "DurationMs": "long", "_BilledSize": "real"}

ROLE_TYPES = {"AssignedRoles": "dynamic", "TimeGenerated": "datetime"}


# Beside a row's columns: its branch, and its places in what was expanded.
POSITIONS = ""


def typed(audit, is_wide=False):
    """Give an audit record's row."""
    row = {name: Value(kind, _read(audit.get(name, MISSING), kind))
           for name, kind in TYPES.items()}
    if is_wide:
        row.update({name: Value("dynamic", _unpacked(row[name].value))
                    for name in DYNAMIC})
        row["TargetResources"] = Value(
            "dynamic", _targets(row["TargetResources"].value))
    return {**row, POSITIONS: Value("dynamic", [])}


def _unpacked(value):
    """Give what a text holds: where JSON should stand, no other text does."""
    value = wide.parsed(value)
    return None if isinstance(value, str) else value


def _targets(value):
    """Give the targets as an array, where there are some; {} is none."""
    return wide.targets(value) if isinstance(value, (list, dict)) and value \
        else value


def _read(value, kind):
    if kind == "string":
        return kql.tostring(value)
    return None if value is MISSING else value


class Rows:
    """A query, to be run at an instant."""

    def __init__(self, source, period=None):
        """Read it; period is what the file says, in ticks, or None."""
        self.query = read(source)
        self.period = period

    def of(self, audits, identities, now, lists=None):
        """Give the rows of all records, each with its record.

        lists: the rows of the watchlists, by their names.
        """
        sets = self._sets(_Sources(identities, lists), now, False)
        return [(audit, row) for audit in audits
                if audit["TimeGenerated"] > now - self.lookback()
                for row in self.of_record(audit, now, sets)]

    def wide_of(self, audits, identities, now, lists=None):
        """Give wide's rows, each with its record and if it is the query's."""
        sets = [self._sets(_Sources(identities, lists), now, is_wide)
                for is_wide in (False, True)]
        return [(audit, row, is_kql) for audit in audits
                if audit["TimeGenerated"] > now - self.lookback()
                for row, is_kql in self._wide_of_record(audit, now, *sets)]

    def _sets(self, sources, now, is_wide):
        return {name: _Members(one, sources.rows(one, now, self.lookback()),
                               now, is_wide)
                for name, one in self.query.sets.items()}

    def _wide_of_record(self, audit, now, sets, wide_sets):
        found = list(self.of_record(audit, now, sets))
        own, other = audit["OperationName"], audit["ActivityDisplayName"]
        more = list(self.of_record(audit, now, wide_sets, True))
        if not more and other not in ("", own):
            renamed = dict(audit, OperationName=other)
            more = [self._with_its_operation(row, own) for row in
                    self.of_record(renamed, now, wide_sets, True)]
        return [(row, True) for row in found] \
            + [(row, False) for row in more
               if not self._is_covered(audit, row, found)]

    def _with_its_operation(self, row, own):
        """Show the operation's own name in the columns that are it."""
        names = _operations(self.query.branches[row[POSITIONS].value[0]]
                            + self.query.tail)
        return {name: Value("string", kql.tostring(own)) if name in names
                else value for name, value in row.items()}

    def _is_covered(self, audit, row, found):
        """Tell whether the query has this row already.

        It has one at these places. But a row that comes out of an expansion
        is of what was expanded, and that is another thing in wide's eyes
        where the targets were packed.
        """
        places, value = row[POSITIONS].value, audit["TargetResources"]
        has_same = any(one[POSITIONS].value == places for one in found)
        if len(places) == 1 or isinstance(value, list):
            return has_same
        if isinstance(value, dict) and value:
            return self.expands_targets() and bool(found)
        index = places[1] if self.expands_targets() else 0
        unpacked = isinstance(value, str) and _targets(wide.parsed(value))
        return has_same and not (isinstance(unpacked, list)
                                 and unpacked[index:][:1] not in ([], [None]))

    def expands_targets(self):
        """Tell whether the rows are of the targets themselves."""
        return any(isinstance(op, Expand)
                   and op.value == Column("TargetResources")
                   for branch in self.query.branches
                   for op in branch + self.query.tail)

    def of_record(self, audit, now, sets, is_wide=False):
        """Give the rows of one record."""
        context = Context(typed(audit, is_wide), now, sets, is_wide)
        columns = self.columns()
        for number, branch in enumerate(self.query.branches):
            start = {**context.row, POSITIONS: Value("dynamic", [number])}
            for row in run(branch, [start], context):
                whole = {name: row.get(name, nothing(kind))
                         for name, kind in columns.items()}
                whole[POSITIONS] = row[POSITIONS]
                yield from run(self.query.tail, [whole], context)

    def columns(self):
        """Give the columns behind the union, with their types."""
        nobody = {name: _Members(one, [], 0, False)
                  for name, one in self.query.sets.items()}
        found = {}
        for branch in self.query.branches:
            found.update(_shape(branch, nobody))
        return found

    def lookback(self):
        """Give how far back records count."""
        said = [_window(branch + self.query.tail)
                for branch in self.query.branches]
        if None in said:
            return self.period or DAY
        return min([max(said)] + ([self.period] if self.period else []))

    def made(self):
        """Name the columns that the query makes, and whether it projects."""
        ops = [op for branch in self.query.branches for op in branch] \
            + self.query.tail
        return [name for op in ops for name in _names(op)], \
            any(isinstance(op, Project) for op in ops)


def _operations(ops):
    """Name the columns that are OperationName, under whatever name."""
    names = {"OperationName"}
    for op in ops:
        if isinstance(op, Project):
            names = {name for name, value in op.assigned
                     if isinstance(value, Column) and value.name in names}
        elif isinstance(op, Extend):
            names = names - {name for name, _ in op.assigned} | {
                name for name, value in op.assigned
                if isinstance(value, Column) and value.name in names}
    return names


def _names(op):
    if isinstance(op, (Extend, Project)):
        return [name for name, _ in op.assigned]
    if isinstance(op, Parse):
        return [piece.text for piece in op.pieces if piece.kind == "name"]
    if isinstance(op, Expand):
        return [op.name] + [name for inner in op.ops or []
                            for name in _names(inner)]
    return []


def _window(ops):
    """Give the least T of TimeGenerated > ago(T) in the conditions."""
    found = []
    for op in ops:
        if isinstance(op, Where):
            found += _windows(op.condition)
    return min(found, default=None)


def _windows(e):
    if getattr(e, "word", None) == "and":
        return [one for part in e.parts for one in _windows(part)]
    if getattr(e, "operator", None) in (">", ">=") \
            and getattr(e.left, "name", "") == "TimeGenerated" \
            and getattr(e.right, "name", "") == "ago":
        return [e.right.args[0].value]
    return []


def _shape(ops, sets):
    """Give the columns that operators leave, tried on an empty record."""
    row = typed({})
    context = Context(row, 0, sets)
    for op in ops:
        if isinstance(op, (Where, Sort, Distinct)):
            continue
        if isinstance(op, Expand):
            row = {**row, op.name: nothing(op.type)}
            row = {**row, **_shape_of(op.ops or [], row, context)}
            continue
        row, = run([op], [row], context)
    return {name: value.type for name, value in row.items()}


def _shape_of(ops, row, context):
    rest = [op for op in ops if not isinstance(op, Where)]
    return next(iter(run(rest, [row], context)))


class _Sources:
    """What sets are made of: the role list's rows, and the watchlists'."""

    def __init__(self, identities, lists):
        self.identities, self.lists = identities, lists or {}

    def rows(self, one, now, lookback):
        """Give the rows that a set begins with."""
        if isinstance(one, Watchlist):
            return [_list_row(row) for row in self.lists[one.name]]
        return [_role_row(row) for row in rule.newest_identities(
            self.identities, now, one.window or lookback)]


class _Members:
    """What a set holds; in wide's eyes that is never less."""

    def __init__(self, one, rows, now, is_wide):
        self.ids = set() if isinstance(one, Watchlist) else _ids(one.ops)
        self.rows = [row for eyes in ((False, True) if is_wide else (False,))
                     for row in run(one.ops, rows,
                                    Context({}, now, None, eyes))]

    def texts(self, column):
        """Give the texts of a column, or of the first."""
        return {text_of(row[column or next(iter(row))]) for row in self.rows}

    def has_ids(self, column):
        """Tell whether a column, or the first, is the accounts' ids."""
        return (column or next(iter(self.rows[0] if self.rows else [""]))) \
            in self.ids


def _ids(ops):
    """Name the columns that are the role list's ids."""
    assigned = [pair for op in ops if isinstance(op, Project)
                for pair in op.assigned]
    return {name for name, value in assigned
            if value == Column("AccountObjectId")} \
        if assigned else {"AccountObjectId"}


def _list_row(row):
    return {**{name: Value("string", text) for name, text in row.items()},
            POSITIONS: Value("dynamic", [])}


def _role_row(row):
    kinds = {name: ROLE_TYPES.get(name, "string") for name in row}
    return {**{name: Value(kinds[name], _read(value, kinds[name]))
               for name, value in row.items()},
            POSITIONS: Value("dynamic", [])}


def run(ops, rows, context):
    """Send rows through operators."""
    for op in ops:
        rows = RUN[type(op)](op, rows, context)
    return rows


def _where(op, rows, context):
    return (row for row in rows
            if evaluate(op.condition, context.of(row)).value)


def _assigned(op, row, context):
    return {name: evaluate(value, context.of(row))
            for name, value in op.assigned}


def _extend(op, rows, context):
    return ({**row, **_assigned(op, row, context)} for row in rows)


def _project(op, rows, context):
    return ({**_assigned(op, row, context), POSITIONS: row[POSITIONS]}
            for row in rows)


def _away(op, rows, context):
    return ({name: value for name, value in row.items()
             if name not in op.names} for row in rows)


def _reorder(op, rows, context):
    return ({**{name: row[name] for name in op.names}, **row}
            for row in rows)


def _expand(op, rows, context):
    for row in rows:
        whole = context.opened(evaluate(op.value, context.of(row)).value)
        for index, element in enumerate(kql.mv_expand(whole)):
            with_it = {**row, op.name: _cast(element, op.type),
                       POSITIONS: Value("dynamic",
                                        row[POSITIONS].value + [index])}
            if op.ops is None:
                yield with_it
            else:
                yield from ({**row, **inner} for inner in
                            run(op.ops, [with_it], context))


def _cast(element, kind):
    """Give an element as that type; what is of another is null."""
    if kind == "dynamic":
        return Value(kind, element)
    if kind == "string":
        return Value(kind, text_of(Value("dynamic", element)))
    fits = {"long": int, "bool": bool, "real": float}[kind]
    return Value(kind, element if type(element) is fits else None)


def _parse(op, rows, context):
    for row in rows:
        text = text_of(evaluate(op.value, context.of(row)))
        yield {**row, **{name: Value("string", found) for name, found
                         in parsed(text, op.pieces).items()}}


def parsed(text, pieces):
    """Take a text apart: each literal is the next occurrence of it."""
    names = {piece.text: "" for piece in pieces if piece.kind == "name"}
    found, at, between = dict(names), 0, None
    for piece in pieces:
        if piece.kind != "literal":
            between = piece.text
            continue
        next_at = text.find(piece.text, at)
        if next_at < 0 or (between is None and next_at > at):
            return names
        if between:
            found[between] = text[at:next_at]
        at, between = next_at + len(piece.text), None
    if between:
        found[between] = text[at:]
    return found if between is not None or at == len(text) else names


def _distinct(op, rows, context):
    seen = []
    for row in rows:
        if row not in seen:
            seen.append(row)
            yield row


RUN = {Where: _where, Extend: _extend, Project: _project, Away: _away,
       Reorder: _reorder, Expand: _expand, Parse: _parse,
       Distinct: _distinct, Sort: lambda op, rows, context: rows}
