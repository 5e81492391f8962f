"""The words of a rule's query, cut apart as rules.md has them.

Written from the grammar and from nothing of the detector: a regular
expression for each kind of word, tried in turn.
"""

import re
from collections import namedtuple

# kind: name, sign, text, number, span, end. value: of the last three.
Word = namedtuple("Word", "kind text value at")

TICKS = {"d": 864_000_000_000, "h": 36_000_000_000, "m": 600_000_000,
         "s": 10_000_000, "ms": 10_000, "microsecond": 10, "tick": 1}

_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}

_WORD = re.compile(r"""
    (?P<blank>\s+|//[^\n]*)
  | (?P<fence>```(?:.|\n)*?```)
  | [hH]?(?P<plain>@"(?:[^"]|"")*"|@'(?:[^']|'')*')
  | [hH]?(?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
  | (?P<span>\d+(?:\.\d+)?(?:ms|microsecond|tick|d|h|m|s)\b)
  | (?P<number>0[xX][0-9a-fA-F]+|\d+(?:\.(?=\d)\d+)?(?:[eE][+-]?\d+)?)
  | (?P<name>project-away|project-reorder|mv-expand|mv-apply
            |!?in~|!?[A-Za-z_]\w*)
  | (?P<sign>==|!=|<>|<=|>=|=~|!~|\.\.|[=<>|(){}\[\],.;:*+/-])
""", re.VERBOSE)


class NotOfTheGrammar(Exception):
    """Says what is no query of rules.md."""


def words(source):
    """List the words of a query, and one that is its end."""
    found, at = [], 0
    while at < len(source):
        match = _WORD.match(source, at)
        if not match:
            raise NotOfTheGrammar(f"no word at {source[at:at + 20]!r}")
        if match.lastgroup != "blank":
            found.append(_word(match))
        at = match.end()
    return found + [Word("end", "", None, at)]


def _word(match):
    kind, text = match.lastgroup, match[match.lastgroup]
    value = {"fence": _of_fence, "plain": _of_plain, "text": unescaped,
             "span": _of_span, "number": _of_number}.get(kind, str)(text)
    kind = "text" if kind in ("fence", "plain") else kind
    return Word(kind, match[0], value, match.start())


def _of_fence(text):
    return text[3:-3]


def _of_plain(text):
    return text[2:-1].replace(text[1] * 2, text[1])


def unescaped(text):
    """Read a text in quotes with its escapes."""
    return re.sub(r"\\(u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|.)",
                  lambda match: _escape(match[1]), text[1:-1])


def _escape(body):
    if len(body) > 1:
        return chr(int(body[1:], 16))
    return _ESCAPES.get(body, body)


def _of_span(text):
    number, unit = re.fullmatch(r"([\d.]+)(\w+)", text).groups()
    return int(float(number) * TICKS[unit])


def _of_number(text):
    if text[:2] in ("0x", "0X"):
        return int(text, 16)
    return int(text) if text.isdigit() else float(text)
