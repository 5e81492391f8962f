"""What expressions of a rule's query are worth, by kql.md.

A value goes with its type, since null, tostring and == depend on it. The
value of a datetime or timespan is a number of ticks; null is None; a string
is never null. What the law leaves open (a number's spelling, dynamic(null)
against "") is not looked after.
"""

import json
import operator
import re
from collections import namedtuple

import kql
import ticks
import wide
from query_tree import (Column, Compare, InSet, Items, Literal, Logic, Member,
                        Range)

Value = namedtuple("Value", "type value")

NULL = Value("dynamic", None)


def nothing(kind):
    """Give the value of that type for what is not there."""
    return Value(kind, "" if kind == "string" else None)


def truth(value):
    """Give a condition's value."""
    return Value("bool", value)


def text_of(value):
    """Apply tostring."""
    if value.type == "dynamic":
        return kql.tostring(value.value)
    if value.value is None:
        return ""
    if value.type == "bool":
        return "True" if value.value else "False"
    if value.type == "datetime":
        return ticks.render(value.value)
    if value.type == "timespan":
        return _span_text(value.value)
    return str(value.value)


def _span_text(span):
    if span < 0:
        return "-" + _span_text(-span)
    days, rest = divmod(span, ticks.DAY)
    hours, rest = divmod(rest, ticks.HOUR)
    minutes, rest = divmod(rest, ticks.MINUTE)
    seconds, rest = divmod(rest, ticks.SECOND)
    return (f"{days}." if days else "") \
        + f"{hours:02}:{minutes:02}:{seconds:02}" \
        + (f".{rest:07}" if rest else "")


def _each(change, value):
    """Change letters one by one, where one becomes one."""
    return string("".join(
        changed if len(changed := change(char)) == 1 else char
        for char in text_of(value)))


class Context:
    """What an expression is asked in: its row, the instant, the sets.

    And whether it is read with wide's eyes.
    """

    def __init__(self, row, now, sets=None, is_wide=False):
        """Keep them."""
        self.row, self.now, self.sets = row, now, sets or {}
        self.is_wide = is_wide

    def of(self, row):
        """Give the same over another row."""
        return Context(row, self.now, self.sets, self.is_wide)

    def opened(self, value):
        """Give what is expanded: in wide without what it is packed into."""
        return opened(value) if self.is_wide else value

    def member(self, value, key):
        """Follow one step of a path."""
        if not self.is_wide:
            return member(value, key)
        if isinstance(key, int):
            return member(opened(value), key)
        value = wide.parsed(value)
        if not isinstance(value, dict):
            return None
        names = [name for name in value if name.lower() == key.lower()]
        return value.get(key, value[names[0]] if names else None)


def evaluate(e, context):
    """Give an expression's value."""
    if isinstance(e, Literal):
        return Value(e.type, e.value)
    if isinstance(e, Column):
        return context.row[e.name]
    if isinstance(e, Member):
        return Value("dynamic",
                     context.member(evaluate(e.of, context).value, e.key))
    if isinstance(e, Logic):
        return _logic(e, context)
    if isinstance(e, Compare):
        return _compare(e, context)
    args = [evaluate(one, context) for one in e.args]
    if e.name == "ago":
        return Value("datetime", context.now - args[0].value)
    if e.name in ("extractjson", "extract_json"):
        return _extract(*args, context.member)
    return FUNCTIONS[e.name](*args)


def member(value, key):
    """Follow one step of a path."""
    if isinstance(key, str):
        return value.get(key) if isinstance(value, dict) else None
    if isinstance(value, list) and -len(value) <= key < len(value):
        return value[key]
    return None


def opened(value):
    """Take an array out of what some programs make of it."""
    value = wide.parsed(value)
    if not isinstance(value, dict):
        return value
    if len(value) == 2 and {"value", "Count"} == set(value) \
            and isinstance(wide.parsed(value["value"]), list):
        return wide.parsed(value["value"])
    if value and all(key.isdigit() for key in value):
        return list(value.values())
    return value


def _logic(e, context):
    join = kql.logical_and if e.word == "and" else kql.logical_or
    verdict = evaluate(e.parts[0], context).value
    for part in e.parts[1:]:
        verdict = join(verdict, evaluate(part, context).value)
    return truth(verdict)


# Comparisons.

def _has_cs(left, right):
    at = left.find(right)
    while at >= 0:
        if not right or kql._edges_free(left, at, at + len(right)):
            return True
        at = left.find(right, at + 1)
    return False


TEXTUAL = {
    "has": kql.has, "has_cs": _has_cs, "contains": kql.contains,
    "startswith": kql.startswith,
    "endswith": lambda left, right: kql.fold(left).endswith(kql.fold(right)),
    "matches": lambda left, right: re.search(right, left) is not None,
    "has_any": kql.has_any,
    "has_all": lambda left, rights: all(kql.has(left, one)
                                        for one in rights),
}
WIDE = {**TEXTUAL, **{
    "has": wide.has, "has_any": wide.has_any, "has_cs": wide.has_cs,
    "has_all": lambda left, rights: all(wide.has(left, one)
                                        for one in rights),
    "contains": lambda left, right: wide.contains_any(left, [right]),
    "startswith": lambda left, right: wide.startswith_any(left, [right]),
    "endswith": lambda left, right:
        wide.fold(left).endswith(wide.fold(right)),
}}
ORDERED = {"<": operator.lt, ">": operator.gt, "<=": operator.le,
           ">=": operator.ge}
NEGATED = {"!=": "==", "<>": "==", "!~": "=~", "!in": "in", "!in~": "in~"}


def _not(verdict):
    return None if verdict is None else not verdict


def _compare(e, context):
    left, word = evaluate(e.left, context), e.operator
    if word in NEGATED:
        return truth(_not(_positive(NEGATED[word], left, e.right, context)))
    if word.startswith("!"):
        return truth(_not(_positive(word[1:], left, e.right, context)))
    return truth(_positive(word, left, e.right, context))


def _positive(word, left, right, context):
    textual = WIDE if context.is_wide else TEXTUAL
    if word in ("in", "in~"):
        return _is_in(word, left, right, context)
    if isinstance(right, Items):
        return textual[word](text_of(left), [text_of(evaluate(one, context))
                                             for one in right.all])
    if isinstance(right, Range):
        first = evaluate(right.first, context)
        return kql.logical_and(
            _ordered(">=", left, first),
            _ordered("<=", left, _end(first, evaluate(right.last, context))))
    right = evaluate(right, context)
    if word == "==":
        return equal(left, right)
    if word == "=~":
        return _folded(left, right, context)
    if word in ORDERED:
        return _ordered(word, left, right)
    return textual[word](text_of(left), text_of(right))


def _end(first, last):
    """Give a range's end: a span from a time on ends so much later."""
    if last.type != "timespan" or first.type != "datetime":
        return last
    return Value("datetime", None if None in (first.value, last.value)
                 else first.value + last.value)


def _is_in(word, left, right, context):
    def same(one, exactly):
        return equal(left, one) if exactly else _folded(left, one, context)
    if not isinstance(right, InSet):
        return any(same(evaluate(one, context), word == "in")
                   for one in right.all)
    members = context.sets[right.name]
    exactly = word == "in" and not (
        context.is_wide and members.has_ids(right.column))
    return any(same(string(one), exactly)
               for one in members.texts(right.column))


def _folded(left, right, context):
    if left.value is None or right.value is None:
        return None if left.value is right.value else False
    fold = wide.fold if context.is_wide else kql.fold
    return fold(text_of(left)) == fold(text_of(right))


def equal(left, right):
    """Apply ==: null with null is null, with all else it is false."""
    if left.value is None or right.value is None:
        return None if left.value is right.value else False
    if "string" in (left.type, right.type):
        return text_of(left) == text_of(right)
    one, two = _plain(left, right), _plain(right, left)
    return one is not None and two is not None and one == two


def _plain(value, other):
    """Give what a dynamic is worth beside a value of another type."""
    if value.type != "dynamic":
        return value.value
    is_bool = isinstance(value.value, bool)
    if other.type == "bool":
        return value.value if is_bool else None
    if other.type == "datetime":
        return _date(value.value)
    return value.value if isinstance(value.value, (int, float)) \
        and not is_bool else None


def _ordered(word, left, right):
    one, two = _plain(left, right), _plain(right, left)
    if one is None or two is None:
        return None
    return ORDERED[word](one, two)


# Functions.

def _date(text):
    try:
        return ticks.parse(text)
    except (ValueError, TypeError):
        return None


def string(value):
    """Give a string's value."""
    return Value("string", value)


def parse_json(value):
    """Read a text as JSON; one that is none stays a text."""
    if value.type == "dynamic":
        return value
    if not text_of(value):
        return NULL
    try:
        return Value("dynamic", json.loads(text_of(value)))
    except ValueError:
        return Value("dynamic", text_of(value))


def _extract(path, value, step):
    found = _json_or_null(text_of(value))
    for key, _, quoted, index in re.findall(
            r"\.(\w+)|\[(['\"])(.*?)\2\]|\[(-?\d+)\]", path.value):
        found = step(found, int(index) if index else key or quoted)
    return string(kql.tostring(found))


def _json_or_null(text):
    try:
        return json.loads(text)
    except ValueError:
        return None


def _split(value, by, index=None):
    text = text_of(value)
    parts = text.split(by.value) if by.value else [text]
    if index is None:
        return Value("dynamic", parts)
    at = index.value
    return Value("dynamic", [parts[at]]) if 0 <= at < len(parts) else NULL


def _trim(pattern, value):
    text, read = text_of(value), re.compile(pattern.value)
    first = read.match(text)
    text = text[first.end():] if first else text
    last = next(filter(None, (read.fullmatch(text, at)
                              for at in range(len(text) + 1))), None)
    return string(text[:last.start()] if last else text)


def _toint(value):
    if isinstance(value.value, str):
        return Value("long", _int_of_text(value.value.strip()))
    if isinstance(value.value, int):
        return Value("long", _signed(value.value % 2**32))
    if isinstance(value.value, float):
        return Value("long", int(min(max(value.value, -2**31), 2**31 - 1)))
    return Value("long", None)


def _signed(bits):
    """Read 32 bits as a number with a sign."""
    return bits - 2**32 if bits >= 2**31 else bits


def _int_of_text(text):
    if re.fullmatch(r"0[xX][0-9a-fA-F]+", text):
        bits = int(text, 16)
        return _signed(bits) if bits < 2**32 else None
    if not re.fullmatch(r"[+-]?[0-9]+", text):
        return None
    return int(text) if -2**31 <= int(text) < 2**31 else None


def common_type(types):
    """Give the one type, or dynamic where dynamic and another meet."""
    return "dynamic" if "dynamic" in types else types[0]


def _chosen(value, types):
    return Value(common_type(types), value.value)


def _iff(condition, one, two):
    return _chosen(one if condition.value else two, [one.type, two.type])


def _case(*parts):
    pairs = list(zip(parts[:-1:2], parts[1:-1:2]))
    chosen = next((value for condition, value in pairs if condition.value),
                  parts[-1])
    return _chosen(chosen, [value.type for _, value in pairs]
                   + [parts[-1].type])


def _coalesce(*values):
    kinds = [value.type for value in values]
    for value in values:
        if value.value is not None and value != string(""):
            return _chosen(value, kinds)
    return nothing(common_type(kinds))


def is_empty(value):
    """Tell if there is nothing: [] and {} are something."""
    return value.value is None or value.value == ""


def _array_length(value):
    return Value("long", len(value.value)
                 if isinstance(value.value, list) else None)


def _bag_keys(value):
    return Value("dynamic", list(value.value)
                 if isinstance(value.value, dict) else None)


FUNCTIONS = {
    "tostring": lambda value: string(text_of(value)),
    "tolower": lambda value: _each(str.lower, value),
    "toupper": lambda value: _each(str.upper, value),
    "strcat": lambda *values: string("".join(map(text_of, values))),
    "strlen": lambda value: Value("long", len(text_of(value))),
    "trim": _trim,
    "split": _split,
    "replace_string": lambda value, old, new: string(
        text_of(value).replace(old.value, new.value)
        if old.value else text_of(value)),
    "replace": lambda old, new, value: string(
        text_of(value).replace(old.value, new.value)),
    "array_length": _array_length,
    "bag_keys": _bag_keys,
    "parse_json": parse_json,
    "todynamic": parse_json,
    "toint": _toint,
    "todatetime": lambda value: Value(
        "datetime", value.value if value.type == "datetime"
        else _date(value.value)),
    "isempty": lambda value: truth(is_empty(value)),
    "isnotempty": lambda value: truth(not is_empty(value)),
    "isnull": lambda value: truth(value.value is None),
    "isnotnull": lambda value: truth(value.value is not None),
    "iff": _iff,
    "iif": _iff,
    "case": _case,
    "coalesce": _coalesce,
    "not": lambda value: truth(_not(value.value)),
}
