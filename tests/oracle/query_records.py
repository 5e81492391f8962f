"""Audit records that a query is after, or nearly.

A query is followed from its conditions back to the members of the record from
which their operands come: through names, paths, expansions and functions. Then
a record is made in which they stand, and mostly spoiled a little.
"""

import json
import random
import re
from collections import namedtuple

from query_tree import (Away, Call, Column, Compare, Expand, Extend, InSet,
                        Items, Literal, Logic, Member, Parse, Project, Where)
from ticks import HOUR

# A member of the record; an Element is one of its list, the same wherever it
# is named. Each: of a list that is no member. Part: what parse cuts out.
Place = namedtuple("Place", "path")
Element = namedtuple("Element", "number")
Each = namedtuple("Each", "of")
Part = namedtuple("Part", "of pieces name")

WORDS = ("anna.berg@nordwind.example", "b.oak@nordwind.onmicrosoft.com",
         "ext_guest#EXT#@nordwind.example", "Sync_HOST01@nordwind.example",
         "MS-PIM", "198.51.100.7", "Core Directory", "User", "", "null",
         "7c1d5a52-7c55-4a0e-9e53-0f5a3c1b9d77", "Mozilla/5.0", "Nordwind")
KINDS = ("User", "Role", "Group", "ServicePrincipal", "Application", "Device",
         "Policy")
LISTS = ("TargetResources", "AdditionalDetails", "modifiedProperties")


def traced(query):
    """List the conditions of each branch, over places of the record."""
    found = []
    for branch in query.branches:
        tracer = _Tracer()
        tracer.follow(branch + query.tail)
        found.append(tracer.conditions)
    return found


class _Tracer:
    """Follows names to where they come from."""

    def __init__(self):
        self.names, self.conditions, self.elements = {}, [], 0

    def follow(self, ops):
        for op in ops:
            if isinstance(op, Where):
                self.conditions.append(self.resolved(op.condition))
            elif isinstance(op, (Extend, Project)):
                self.names.update({name: self.resolved(value)
                                   for name, value in op.assigned})
            elif isinstance(op, Parse):
                of = self.resolved(op.value)
                self.names.update({
                    piece.text: Part(of, op.pieces, piece.text)
                    for piece in op.pieces if piece.kind == "name"})
            elif isinstance(op, Expand):
                self.names[op.name] = self.element_of(self.resolved(op.value))
                self.follow(op.ops or [])
            elif isinstance(op, Away):
                for name in op.names:
                    self.names.pop(name, None)

    def element_of(self, of):
        self.elements += 1
        if isinstance(of, Place):
            return Place(of.path + (Element(self.elements),))
        return Each(of)

    def resolved(self, e):
        if isinstance(e, Column):
            return self.names.get(e.name, Place((e.name,)))
        if isinstance(e, Member):
            of = self.resolved(e.of)
            return Place(of.path + (e.key,)) if isinstance(of, Place) \
                else Member(of, e.key)
        if isinstance(e, Call):
            args = [self.resolved(one) for one in e.args]
            if e.name in ("parse_json", "todynamic") \
                    and isinstance(args[0], Place):
                return args[0]
            return Call(e.name, args)
        if isinstance(e, Compare):
            return Compare(e.operator, self.resolved(e.left),
                           self.resolved(e.right))
        if isinstance(e, Logic):
            return Logic(e.word, [self.resolved(one) for one in e.parts])
        return e


class Planter:
    """Says what must stand where for a condition to hold."""

    def __init__(self, rng, texts_of_sets=()):
        """texts_of_sets: what a set may hold."""
        self.rng, self.texts_of_sets = rng, tuple(texts_of_sets) or WORDS

    def satisfy(self, e):
        """List pairs of a path and a value."""
        if isinstance(e, Logic):
            parts = e.parts if e.word == "and" else [self.rng.choice(e.parts)]
            return [pair for part in parts for pair in self.satisfy(part)]
        if isinstance(e, Compare):
            return self._compared(e)
        if isinstance(e, Call) and e.name in ("isnotempty", "isnotnull"):
            return self.plant(e.args[0], self.word())
        if isinstance(e, Call) and e.name in ("iff", "iif"):
            return self.satisfy(e.args[0]) + self.satisfy(e.args[1]) \
                if self.rng.random() < 0.6 else self.satisfy(e.args[2])
        return []

    def word(self):
        """Give any word."""
        return self.rng.choice(WORDS)

    def _compared(self, e):
        word = e.operator
        if word.startswith("!"):
            return self.plant(e.left, self._literal(e) if
                              self.rng.random() < 0.15 else self.word()) \
                if self.rng.random() < 0.7 else []
        if word == "==" and isinstance(e.right, Literal) \
                and e.right.value is True:
            return self.satisfy(e.left)
        if isinstance(e.right, (Place, Call, Part, Member, Each)):
            return self._both(e)
        if word in (">", ">=", "<", "<="):
            return self._many(e)
        return self.plant(e.left, self._text(word, self._literal(e)))

    def _both(self, e):
        if getattr(e.right, "name", "") == "ago":
            return []
        one, two = self.word(), self.word()
        return self.plant(e.left, one) + self.plant(e.right, two)

    def _many(self, e):
        if getattr(e.left, "name", "") != "array_length" \
                or isinstance(e.left.args[0], Place):
            return []
        return self.plant(e.left.args[0], [
            self.word() for _ in range(e.right.value
                                       + self.rng.randint(-1, 2))])

    def _literal(self, e):
        if isinstance(e.right, InSet):
            return self.rng.choice(self.texts_of_sets)
        if isinstance(e.right, Items):
            if not e.right.all:
                return self.word()
            if e.operator == "has_all":
                return ", ".join(one.value for one in e.right.all)
            return self.rng.choice(e.right.all).value
        return getattr(e.right, "value", self.word())

    def _text(self, word, text):
        rng = self.rng
        if not isinstance(text, str):
            return text
        if word.strip("!") in ("=~", "in~") or word.startswith("has"):
            text = rng.choice((text, text, text.upper(), text.lower()))
        around = {"has": ("", " ", ", ", "["), "contains": ("", " ", "x", "2"),
                  "startswith": ("",), "endswith": ("", "x")}
        kind = word.split("_")[0]
        if kind not in around:
            return text
        before = rng.choice(around[kind])
        after = "" if kind == "endswith" \
            else rng.choice(around.get(kind, ("",)) + ("@x", "-y"))
        return before + text + after

    def plant(self, e, value):
        """Make an expression have a value, as far as it can be made to."""
        if isinstance(e, Place):
            return [(e.path, value)]
        if isinstance(e, Member):
            return self.plant(e.of, {e.key: value} if isinstance(e.key, str)
                              else self._nth(e.key, value))
        if isinstance(e, Each):
            some = [value] + [self.word() for _ in
                              range(self.rng.choice((0, 0, 1, 2)))]
            self.rng.shuffle(some)
            return self.plant(e.of, some)
        if isinstance(e, Part):
            return self.plant(e.of, self._put_together(e, value))
        if isinstance(e, Call):
            return self._plant_call(e, value)
        return []

    def _nth(self, number, value):
        length = max(number + 1, -number)
        parts = [self.word() for _ in range(length)]
        parts[number] = value
        return parts + [self.word()] * (number >= 0
                                        and self.rng.random() < 0.3)

    def _put_together(self, part, value):
        texts = []
        for piece in part.pieces:
            if piece.kind == "literal":
                texts.append(piece.text)
            elif piece.text == part.name:
                texts.append(_as_text(value))
            else:
                texts.append(self.rng.choice(("", "x", "[", "Principal")))
        return "".join(texts)

    def _plant_call(self, e, value):
        args, rng = e.args, self.rng
        if e.name in ("tostring", "tolower", "toupper"):
            return self.plant(args[0], _as_text(value))
        if e.name in ("parse_json", "todynamic"):
            return self.plant(args[0], value if isinstance(value, str)
                              and rng.random() < 0.5 else _json(value))
        if e.name == "trim":
            text = _as_text(value)
            return self.plant(args[1], rng.choice((text, f'"{text}"',
                                                   f'"{text}')))
        if e.name == "split":
            parts = value if isinstance(value, list) else [value]
            if len(args) > 2:
                parts = self._nth(args[2].value, parts[0])
            return self.plant(args[0],
                              args[1].value.join(map(_as_text, parts)))
        if e.name in ("extractjson", "extract_json"):
            return self.plant(args[1], _json(_nested(args[0].value, value)))
        if e.name == "replace_string":
            return self.plant(args[0], value)
        if e.name == "replace":
            return self.plant(args[2], value)
        if e.name in ("iff", "iif"):
            return self.satisfy(args[0]) + self.plant(args[1], value) \
                if rng.random() < 0.6 else self.plant(args[2], value)
        if e.name == "coalesce":
            return self.plant(rng.choice(args), value)
        return []


def _as_text(value):
    return value if isinstance(value, str) else _json(value)


def _json(value):
    return json.dumps(value, ensure_ascii=False)


def _nested(path, value):
    for key in reversed(re.findall(r"\.(\w+)", path)):
        value = {key: value}
    return value


class Maker:
    """Makes records for a query, from a seed."""

    def __init__(self, query, rng, now, texts_of_sets=()):
        """now: the instant of the run."""
        self.branches, self.rng, self.now = traced(query), rng, now
        self.planter = Planter(rng, texts_of_sets)
        self.number = 0

    def record(self, lookback):
        """Make one, as a dict of AuditLogs's columns."""
        rng, tree = self.rng, {}
        for condition in rng.choice(self.branches):
            if rng.random() < 0.96:
                for path, value in self.planter.satisfy(condition):
                    _put(tree, _inside(path, rng), value)
        audit = self._columns(tree, lookback)
        for _ in range(rng.choice((0, 0, 0, 1, 1, 2))):
            _spoil(audit, rng)
        return audit

    def _columns(self, tree, lookback):
        rng = self.rng
        self.number += 1
        audit = {name: self._built(name, tree.get(name)) for name in
                 ("TargetResources", "AdditionalDetails", "InitiatedBy")}
        operation = tree.get("OperationName", tree.get(
            "ActivityDisplayName", "Update user"))
        audit.update({
            "Id": f"r{self.number}",
            "TimeGenerated": self.now - rng.randrange(lookback + HOUR // 4),
            "OperationName": operation,
            "ActivityDisplayName": operation,
            "Result": rng.choice(("success", "success", "failure")),
            "Category": "UserManagement", "Identity": "x",
            "LoggedByService": "Core Directory", "ResultReason": "",
            "AADOperationType": "Update", "CorrelationId": f"c{self.number}",
        })
        audit.update({name: value for name, value in tree.items()
                      if name in audit and not isinstance(value, dict)})
        return audit

    def _built(self, name, tree):
        if name == "InitiatedBy":
            return self._initiator(tree if isinstance(tree, dict) else {})
        if tree is not None and not isinstance(tree, dict):
            return tree
        return self._list(name, tree or {})

    def _initiator(self, tree):
        rng = self.rng
        made = {} if rng.random() < 0.4 else {"user": {
            "id": "u1", "userPrincipalName": self.planter.word(),
            "ipAddress": rng.choice(("198.51.100.7", "", None)),
            "roles": rng.choice(([], ["x"]))}}
        if rng.random() < 0.4:
            made["app"] = {"appId": None, "displayName": self.planter.word(),
                           "servicePrincipalId": "s1"}
        for key, value in tree.items():
            if isinstance(value, dict) and isinstance(made.get(key), dict):
                made[key].update(value)
            else:
                made[key] = value
        return made

    def _list(self, name, tree):
        rng = self.rng
        found = [self._element(name, one) for key, one in tree.items()
                 if isinstance(key, Element)]
        found += [self._element(name, {})
                  for _ in range(rng.choice((0, 0, 1, 2)))]
        rng.shuffle(found)
        for key in sorted(key for key in tree if isinstance(key, int)):
            found.insert(key, self._element(name, tree[key]))
        return found

    def _element(self, name, tree):
        if not isinstance(tree, dict):
            return tree
        rng, word = self.rng, self.planter.word
        if name == "TargetResources":
            made = {"id": f"t{rng.randrange(9)}", "displayName": word(),
                    "type": rng.choice(KINDS), "userPrincipalName": word()}
        elif name == "AdditionalDetails":
            made = {"key": rng.choice(("User-Agent", "AppId")),
                    "value": word()}
        elif name == "modifiedProperties":
            made = {"displayName": word(), "oldValue": word(),
                    "newValue": word()}
        else:
            made = {}
        if name == "TargetResources":
            tree = {"modifiedProperties": {}, **tree}
        for key, value in _flat(tree).items():
            made[key] = self._list(key, value) \
                if key in LISTS and isinstance(value, dict) else value
        return made


def _flat(tree):
    """Let an object's expanded properties be the object's."""
    flat = {}
    for key, value in tree.items():
        flat.update(value if isinstance(key, Element)
                    and isinstance(value, dict) else {key: value})
    return flat


def _inside(path, rng):
    """Put what should stand in a whole list into an element of it."""
    if path[-1] not in LISTS:
        return path
    return path + (Element(0), rng.choice(("displayName", "newValue")))


def _put(tree, path, value):
    for key in path[:-1]:
        if not isinstance(tree.get(key), dict):
            tree[key] = {}
        tree = tree[key]
    tree[path[-1]] = _merged(tree.get(path[-1]), value)


def _merged(old, new):
    """Let two JSON texts of objects be one."""
    try:
        one, two = json.loads(old), json.loads(new)
    except (TypeError, ValueError):
        return new
    if not (isinstance(one, dict) and isinstance(two, dict)):
        return new
    return _json(_deep(one, two))


def _deep(one, two):
    return {**one, **{key: _deep(one[key], value)
                      if isinstance(value, dict)
                      and isinstance(one.get(key), dict) else value
                      for key, value in two.items()}}


def _spots(value):
    """List the containers of a record, and the keys in them."""
    items = list(value.items()) if isinstance(value, dict) \
        else list(enumerate(value)) if isinstance(value, list) else []
    return [(value, key) for key, _ in items] \
        + [spot for _, one in items for spot in _spots(one)]


STAYS = ("Id", "TimeGenerated", "CorrelationId")
STRINGS = ("OperationName", "ActivityDisplayName", "Result", "Category",
           "Identity", "LoggedByService", "ResultReason", "AADOperationType")


def _spoil(audit, rng):
    where, key = rng.choice([spot for spot in _spots(audit)
                             if spot[1] not in STAYS])
    value = where[key]
    if where is audit and key in STRINGS:
        where[key] = _other_text(value, rng) if isinstance(value, str) else ""
        return
    if isinstance(value, str) and rng.random() < 0.7:
        where[key] = _other_text(value, rng)
    elif isinstance(value, list) and rng.random() < 0.7:
        where[key] = rng.choice((value[::-1], value + value[:1], value[1:],
                                 value[0] if value else {}, []))
    elif rng.random() < 0.3 and isinstance(where, dict) \
            and where is not audit:
        del where[key]
    else:
        where[key] = rng.choice((None, {}, [], [None], 7, True, "x"))


def _other_text(text, rng):
    return rng.choice((text.upper(), text.lower(), text + "x", "x" + text,
                       text + ".", " " + text, text[:-1], text + "\u00e9",
                       text.replace(" ", "  "), f'"{text}"', f'["{text}"]'))


def near(query, seed, now, lookback, count, texts_of_sets=()):
    """Make records for a query from a seed."""
    maker = Maker(query, random.Random(f"near {seed}"), now, texts_of_sets)
    return [maker.record(lookback) for _ in range(count)]
