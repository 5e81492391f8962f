"""The KQL operators of the rule, written a second time.

The detector has its own implementation in C. This one shares nothing with it:
it is slow, obvious, and follows the law of the query word by word, so that a
difference between the two points at a mistake in one of them.

Dynamic values are plain Python values as json.loads gives them. A column that
is not there at all is MISSING, which reads as null.
"""

import functools
import json
import unicodedata


class _Missing:
    """The type of MISSING; it has a name of its own in a test's output."""

    def __repr__(self):
        return "MISSING"


MISSING = _Missing()


@functools.lru_cache(maxsize=None)
def fold(text):
    """Case-fold text code point by code point; the length never changes."""
    return "".join(map(_fold_one, text))


def _fold_one(char):
    """Fold one code point by simple folding, never from outside ASCII into it.

    Full folding may give several code points (sharp s gives "ss"); where it
    does, lower() gives the simple form or, for U+0130, nothing usable either.
    U+017F and U+212A would fold to "s" and "k": in the query they do not.
    """
    folded = char.casefold()
    if len(folded) != 1:
        folded = char.lower()
    if len(folded) != 1 or (folded.isascii() and not char.isascii()):
        return char
    return folded


def is_alphanumeric(char):
    """Tell letters and digits of any script; "_" is a separator here."""
    return unicodedata.category(char)[0] == "L" \
        or unicodedata.category(char) == "Nd"


def has(left, right):
    """Tell whether right occurs in left with both of its edges free."""
    left, right = fold(left), fold(right)
    if not right:
        return True
    at = left.find(right)
    while at >= 0:
        if _edges_free(left, at, at + len(right)):
            return True
        at = left.find(right, at + 1)
    return False


def _edges_free(text, start, end):
    """Judge the occurrence text[start:end] against its two neighbours."""
    return (start == 0
            or not is_alphanumeric(text[start])
            or not is_alphanumeric(text[start - 1])) \
        and (end == len(text)
             or not is_alphanumeric(text[end - 1])
             or not is_alphanumeric(text[end]))


def has_any(left, rights):
    """Tell whether left has one of rights."""
    return any(has(left, right) for right in rights)


def has_any_dynamic(value, rights):
    """Apply has_any to a dynamic value: to its JSON text, not its elements."""
    return has_any(tostring(value), rights)


def startswith(left, right):
    """Tell whether left begins with right, case folded."""
    return fold(left).startswith(fold(right))


def contains(left, right):
    """Tell whether right occurs anywhere in left, case folded."""
    return fold(right) in fold(left)


def equals_folded(left, right):
    """Apply =~ to two strings."""
    return fold(left) == fold(right)


def in_folded(left, rights):
    """Apply in~: equality with one of rights, case folded."""
    return any(equals_folded(left, right) for right in rights)


def in_exact(left, rights):
    """Apply in: exact equality with one of rights."""
    return left in rights


def logical_or(left, right):
    """Apply "or" with null (None) as its third value."""
    if left or right:
        return True
    return None if left is None or right is None else False


def logical_and(left, right):
    """Apply "and" with null (None) as its third value."""
    if left is False or right is False:
        return False
    return None if left is None or right is None else True


def json_text(value):
    """Write a dynamic value as the engine does: compact, not ASCII-escaped."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def tostring(value):
    """Apply tostring: a string is itself, null is empty, the rest is JSON."""
    if value is None or value is MISSING:
        return ""
    return value if isinstance(value, str) else json_text(value)


def path(value, dotted):
    """Follow a path of property names; whatever is not an object ends it."""
    for name in dotted.split("."):
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def coalesce(*texts):
    """Take the first string that is not empty."""
    return next(filter(None, texts), "")


def mv_expand(value):
    """List the values of the rows into which a dynamic column expands."""
    if value is MISSING:
        return [None]
    if isinstance(value, list):
        return list(value)
    if isinstance(value, dict):
        return [{name: item} for name, item in value.items()]
    return [value]


def arg_max(rows, key, by):
    """Keep the row with the greatest rows[key] for each value of rows[by].

    null (None) loses to every value; of equals the row that came first stays.
    """
    newest = {}
    for row in rows:
        kept = newest.setdefault(row[by], row)
        if _greater(row[key], kept[key]):
            newest[row[by]] = row
    return list(newest.values())


def _greater(value, other):
    """Compare two values of which either may be null."""
    return value is not None and (other is None or value > other)
