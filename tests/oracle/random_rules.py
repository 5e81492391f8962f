"""Random rules: a query's text, and what it means, made side by side.

A rule is drawn from the grammar of rule files. Each piece of it is a text and
a function of Python; the function is written from the law of the language
(spec and kql.py), so that a difference to the detector points at a mistake in
one of them. Only what is decided is made: no case mappings beyond ASCII, no
spelling of numbers, no comparison of a dynamic with "".
"""

import random
from collections import namedtuple

import kql
import rule
from kql import path, tostring
from ticks import DAY, HOUR

# An expression over a row; of a condition the value is True, False or None.
Piece = namedtuple("Piece", "text value")

WORDS = ("registered security info", "temporary access pass", "Register",
         "security info", "Admin", "Sync_", "nordwind", "success", "HOST",
         "User", "onmicrosoft", "Update user", "failure", "DirSync",
         "example", "é", "Мир", "_", "@", "anna.berg", "timeout")

WINDOWS = (("14d", 14 * DAY), ("3d", 3 * DAY), ("36h", 36 * HOUR))
LOOKBACKS = (("1d", DAY), ("5h", 5 * HOUR), ("30d", 30 * DAY))


def _quoted(word):
    return "\"" + word + "\""


def _has_cs(left, right):
    if not right:
        return True
    at = left.find(right)
    while at >= 0:
        if kql._edges_free(left, at, at + len(right)):
            return True
        at = left.find(right, at + 1)
    return False


def _endswith(left, right):
    return kql.fold(left).endswith(kql.fold(right))


TEXT_OPERATORS = {
    "has": kql.has, "has_cs": _has_cs, "contains": kql.contains,
    "startswith": kql.startswith, "endswith": _endswith,
    "==": lambda left, right: left == right, "=~": kql.equals_folded,
}
NEGATED = {"==": "!=", "=~": "!~"}

LIST_OPERATORS = {
    "has_any": kql.has_any,
    "has_all": lambda left, rights: all(kql.has(left, one)
                                        for one in rights),
    "in": kql.in_exact, "in~": kql.in_folded,
    "!in": lambda left, rights: not kql.in_exact(left, rights),
    "!in~": lambda left, rights: not kql.in_folded(left, rights),
}


def _not(verdict):
    return None if verdict is None else not verdict


def _fold_verdicts(join, pieces):
    def value(row):
        verdict = pieces[0].value(row)
        for piece in pieces[1:]:
            verdict = join(verdict, piece.value(row))
        return verdict
    return value


class Maker:
    """Draws conditions over the columns that there are."""

    def __init__(self, rng, texts, numbers=(), dynamics=(), sets=()):
        self.rng = rng
        self.texts = texts
        self.numbers = numbers
        self.dynamics = dynamics
        self.sets = sets

    def text(self, depth=0):
        """Make an expression that is a string."""
        rng = self.rng
        roll = rng.random()
        if depth > 1 or roll < 0.7:
            return rng.choice(self.texts)
        one, two = self.text(depth + 1), self.text(depth + 1)
        if roll < 0.78:
            return Piece(f"strcat({one.text}, \"_\", {two.text})",
                         lambda row: one.value(row) + "_" + two.value(row))
        if roll < 0.84:
            return Piece(f"coalesce({one.text}, {two.text})",
                         lambda row: kql.coalesce(one.value(row),
                                                  two.value(row)))
        if roll < 0.90:
            return Piece(f"replace_string({one.text}, \"_\", \"Sync_\")",
                         lambda row: one.value(row).replace("_", "Sync_"))
        if roll < 0.95:
            index = rng.choice((0, 1, -1, 2))
            return Piece(f"tostring(split({one.text}, \"@\")[{index}])",
                         lambda row: _nth(one.value(row).split("@"), index))
        asked = self.condition(2)
        return Piece(f"iff({asked.text}, {one.text}, {two.text})",
                     lambda row: (one if asked.value(row) else two)
                     .value(row))

    def condition(self, depth=0):
        """Make a condition."""
        rng = self.rng
        roll = rng.random()
        if depth > 2 or roll < 0.45:
            return self._term()
        if roll < 0.55:
            one = self.condition(depth + 1)
            return Piece(f"not({one.text})", lambda row: _not(one.value(row)))
        pieces = [self.condition(depth + 1) for _ in range(rng.randint(2, 3))]
        word, join = rng.choice((("and", kql.logical_and),
                                 ("or", kql.logical_or)))
        return Piece("(" + f" {word} ".join(one.text for one in pieces) + ")",
                     _fold_verdicts(join, pieces))

    def _term(self):
        roll = self.rng.random()
        if self.sets and roll < 0.35:
            return self._set_term()
        if self.numbers and roll < 0.45:
            return self._number_term()
        if self.dynamics and roll < 0.55:
            return self._dynamic_term()
        left = self.text()
        if roll < 0.75:
            words = self.rng.sample(WORDS, self.rng.randint(1, 4))
            name, apply = self.rng.choice(sorted(LIST_OPERATORS.items()))
            return Piece(
                f"{left.text} {name} ({', '.join(map(_quoted, words))})",
                lambda row: apply(left.value(row), words))
        return self._text_term(left)

    def _text_term(self, left):
        rng = self.rng
        right = self.text() if rng.random() < 0.15 else _literal(rng)
        name, apply = rng.choice(sorted(TEXT_OPERATORS.items()))
        if rng.random() < 0.3:
            return Piece(
                f"{left.text} {NEGATED.get(name, '!' + name)} {right.text}",
                lambda row: not apply(left.value(row), right.value(row)))
        return Piece(f"{left.text} {name} {right.text}",
                     lambda row: apply(left.value(row), right.value(row)))

    def _number_term(self):
        left = self.rng.choice(self.numbers)
        most = self.rng.randint(0, 24)
        name, apply = self.rng.choice((
            (">", lambda one: one > most), ("<=", lambda one: one <= most),
            ("<", lambda one: one < most), (">=", lambda one: one >= most)))

        def value(row):
            number = left.value(row)
            return None if number is None else apply(number)
        return Piece(f"{left.text} {name} {most}", value)

    def _dynamic_term(self):
        left, word = self.rng.choice(self.dynamics), self.rng.choice(WORDS)
        differs = self.rng.random() < 0.4

        def value(row):
            found = left.value(row)
            return (found is not None and tostring(found) == word) != differs
        return Piece(f"{left.text} {'!=' if differs else '=='} "
                     f"{_quoted(word)}", value)

    def _set_term(self):
        text, values = self.rng.choice(self.sets)
        left = self.rng.choice(self.texts)
        name = self.rng.choice(("in", "in~", "!in", "!in~"))
        apply = LIST_OPERATORS[name]
        return Piece(f"{left.text} {name} ({text})",
                     lambda row: apply(left.value(row), values(row)))


def _literal(rng):
    word = rng.choice(WORDS)
    return Piece(_quoted(word), lambda row: word)


def _nth(parts, index):
    return parts[index] if -len(parts) <= index < len(parts) else ""


def _column(name):
    return Piece(name, lambda row: row[name])


def _of_target(key):
    return Piece(f"tostring(T.{key})", lambda row: tostring(path(row["T"],
                                                                 key)))


RECORD_TEXTS = [_column("OperationName"), _column("Result")] + [
    Piece(f"tostring(InitiatedBy.{where})",
          lambda row, where=where: tostring(path(row["InitiatedBy"], where)))
    for where in ("user.userPrincipalName", "app.displayName",
                  "user.ipAddress")]

ROW_TEXTS = RECORD_TEXTS + [_column("Upn"), _column("Upn"), _column("Oid"),
                            _of_target("displayName"), _of_target("type")]

ROW_NUMBERS = [
    Piece("strlen(Upn)", lambda row: len(row["Upn"])),
    Piece("array_length(T.modifiedProperties)", lambda row: _array_length(
        path(row["T"], "modifiedProperties")))]

ROW_DYNAMICS = [Piece("T.type", lambda row: path(row["T"], "type")),
                Piece("T.displayName",
                      lambda row: path(row["T"], "displayName"))]

ROLE_TEXTS = [_column("AccountUPN"), _column("AccountDisplayName"),
              Piece("tostring(AssignedRoles)",
                    lambda row: tostring(row["AssignedRoles"]))]

# Columns of watchlists, as a query names them.
LISTED = ("Account", "Tier", "User Principal Name", "SearchKey")
LIST_TEXTS = [Piece(name if name.isalnum() else f"['{name}']",
                    lambda row, name=name: row[name]) for name in LISTED]
LISTS = ("VIPs", "break-glass accounts")

GATES = ("OperationName has_any (\"security info\", \"access pass\")",
         "OperationName contains \"register\"",
         "Result in~ (\"success\", \"failure\")")


def _array_length(value):
    return len(value) if isinstance(value, list) else None


GATE_VALUES = (
    lambda row: kql.has_any(row["OperationName"],
                            ("security info", "access pass")),
    lambda row: kql.contains(row["OperationName"], "register"),
    lambda row: kql.in_folded(row["Result"], ("success", "failure")))


class _List:
    """A set over a watchlist; by its name alone it is its first column."""

    def __init__(self, rng, name):
        self.name, self.of = name, rng.choice(LISTS)
        maker = Maker(rng, LIST_TEXTS)
        self.conditions = [maker.condition(1)
                           for _ in range(rng.choice((0, 0, 1, 1, 2)))]
        self.columns = [("One", maker.text()), ("Two", maker.text())] \
            if rng.random() < 0.6 else []
        self.column = rng.choice(LIST_TEXTS)

    def text(self):
        """Write it."""
        last = "project " + ", ".join(
            f"{name} = {one.text}" for name, one in self.columns) \
            if self.columns else \
            "distinct " + self.column.text.replace("'", "\"")
        return f"let {self.name} = (_GetWatchlist('{self.of}') " + "".join(
            f"| where {one.text} " for one in self.conditions) \
            + f"| {last});\n"

    def sets(self):
        """Give what conditions may ask: a text, and its values in a row."""
        return [(self.name, lambda row: row[self.name][0])] + [
            (f"{self.name} | project {name}",
             lambda row, at=at: row[self.name][at])
            for at, (name, _) in enumerate(self.columns)]

    def values(self, lists):
        """Give the values, a set for each column."""
        rows = [row for row in lists[self.of]
                if all(one.value(row) for one in self.conditions)]
        return [{piece.value(row) for row in rows} for piece in
                [piece for _, piece in self.columns] or [self.column]]


class Rule:
    """A rule of a seed: its query, and the rows that it gives."""

    def __init__(self, seed):
        """Draw it."""
        self.rng = random.Random(f"rule {seed}")
        self.window_text, self.window = self.rng.choice(WINDOWS)
        self.lookback_text, self.lookback = self.rng.choice(LOOKBACKS)
        self.member = Maker(self.rng, ROLE_TEXTS).condition(1)
        self.lists = [_List(self.rng, f"List{number}")
                      for number in range(self.rng.choice((0, 1, 1, 2)))]
        self.branches = [_Branch(self.rng, self.lists)
                         for _ in range(self.rng.choice((1, 1, 1, 2)))]
        self.query = self._text()

    def _text(self):
        head = (f"let Known = IdentityInfo\n"
                f"| where TimeGenerated > ago({self.window_text})\n"
                "| summarize arg_max(TimeGenerated, *) by AccountUPN\n"
                f"| where {self.member.text}\n"
                "| project AccountUPN, AccountObjectId;\n"
                + "".join(one.text() for one in self.lists))
        texts = [branch.text(self.lookback_text) for branch in self.branches]
        if len(texts) == 1:
            return head + texts[0]
        return head + "union " + ", ".join(f"({one})" for one in texts)

    def rows(self, audits, identities, now, lists):
        """Give what the query returns, in no order; lists: by their names."""
        known = [row for row in rule.newest_identities(identities, now,
                                                       self.window)
                 if self.member.value(row)]
        sets = {"upns": {row["AccountUPN"] for row in known},
                "ids": {row["AccountObjectId"] for row in known},
                **{one.name: one.values(lists) for one in self.lists}}
        return [found for branch in self.branches for audit in audits
                if audit["TimeGenerated"] > now - self.lookback
                for found in branch.rows({
                    "OperationName": audit["OperationName"],
                    "Result": tostring(audit["Result"]),
                    "InitiatedBy": audit["InitiatedBy"],
                    "TargetResources": audit["TargetResources"],
                    "Id": tostring(audit["Id"]), **sets})]


class _Branch:
    """One run over AuditLogs."""

    def __init__(self, rng, lists):
        gate = rng.randrange(len(GATES))
        self.gate = Piece(GATES[gate], GATE_VALUES[gate])
        self.first = Maker(rng, RECORD_TEXTS).condition(2) \
            if rng.random() < 0.3 else Piece("true == true", lambda row: True)
        self.has_properties = rng.random() < 0.25
        texts = ROW_TEXTS + [Piece(
            "tostring(P.displayName)",
            lambda row: tostring(path(row["P"], "displayName")))
            ] * self.has_properties
        maker = Maker(rng, texts, ROW_NUMBERS, ROW_DYNAMICS, (
            ("Known", lambda row: row["upns"]),
            ("Known | project AccountObjectId", lambda row: row["ids"]),
            *(pair for one in lists for pair in one.sets())))
        self.last = maker.condition()
        self.made = maker.text()

    def text(self, lookback):
        """Write it."""
        return (f"AuditLogs\n| where TimeGenerated > ago({lookback})\n"
                f"| where {self.gate.text}\n| where {self.first.text}\n"
                "| mv-expand T = TargetResources\n"
                + "| mv-expand P = T.modifiedProperties\n"
                * self.has_properties
                + "| extend Upn = tostring(T.userPrincipalName), "
                "Oid = tostring(T.id)\n"
                f"| where {self.last.text}\n"
                f"| project RecordId = Id, Upn, Oid, Made = {self.made.text}")

    def rows(self, record):
        """Give the rows of one record."""
        if not (self.gate.value(record) and self.first.value(record)):
            return
        for target in kql.mv_expand(record["TargetResources"]):
            for part in kql.mv_expand(path(target, "modifiedProperties")) \
                    if self.has_properties else [None]:
                row = {**record, "T": target, "P": part,
                       "Upn": tostring(path(target, "userPrincipalName")),
                       "Oid": tostring(path(target, "id"))}
                if self.last.value(row):
                    yield {"RecordId": row["Id"], "Upn": row["Upn"],
                           "Oid": row["Oid"], "Made": self.made.value(row)}
