"""Watchlists: what a CSV file says, and files for the lists that a query asks.

All columns are texts. SearchKey is one more, the same as one of the others.
Blanks around a cell without quotes are none of it, those inside quotes are.
"""

import re
from collections import namedtuple

from query_tree import Column, Watchlist

# A file: its bytes, the column that SearchKey is (None: the first), its rows.
File = namedtuple("File", "content key rows")

_CELL = re.compile(r"""[ \t]*(?:"((?:[^"]|"")*)"|([^",\r\n]*?))[ \t]*"""
                   r"(,|\r?\n|\Z)")

MARK = "\ufeff"
WORDS = ("0", "1", "yes", "Admin", "Sync_", "success", "User", "nordwind",
         "the \"other\" one", "a, b", "two\nlines", "\"", "caf\u00e9", " ",
         "Temporary Access Pass", "_", "admin tier")


def read(text, key=None):
    """Give the rows of a file, as dicts of texts."""
    header, *rows = _cells(text.removeprefix(MARK))
    return [{**dict(zip(header, row)),
             "SearchKey": row[header.index(key) if key else 0]}
            for row in rows]


def _cells(text):
    at, row = 0, []
    while at < len(text) or row:
        match = _CELL.match(text, at)
        quoted, bare, end = match.groups()
        row.append(bare if quoted is None else quoted.replace("\"\"", "\""))
        at = match.end()
        if end != ",":
            yield row
            row = []


def drawn(query, rng, names):
    """Draw a file for each list that a query asks; names: what to find."""
    asked = {}
    for one in query.sets.values():
        if isinstance(one, Watchlist):
            asked.setdefault(one.name, set()).update(columns(one.ops))
    return {name: _file(sorted(some - {"SearchKey"}), rng, names)
            for name, some in sorted(asked.items())}


def columns(tree):
    """Name the columns of expressions, whatever they are part of."""
    if isinstance(tree, Column):
        return {tree.name}
    return {name for part in tree for name in columns(part)} \
        if isinstance(tree, (tuple, list)) else set()


def _file(header, rng, names):
    header = header + rng.choice(([], ["Note"], ["Note", "Added, by"]))
    header = header or ["Name"]
    rng.shuffle(header)
    rows = [[_value(rng, names) for _ in header]
            for _ in range(rng.choice((0, 1, 4, 12)))]
    rows += [list(row) for row in rng.sample(rows, len(rows) // 4)]
    rng.shuffle(rows)
    end = rng.choice(("\n", "\r\n"))
    text = end.join(_line(row, rng) for row in [header] + rows)
    text = rng.choice(("", MARK)) + text + rng.choice(("", end))
    key = rng.choice((None, *header))
    return File(text.encode(), key, read(text, key))


def _value(rng, names):
    value = rng.choice(names) if names and rng.random() < 0.6 \
        else rng.choice(WORDS)
    return rng.choice((
        str, str, str, str.upper, str.lower, " {}".format, "{} ".format,
        lambda text: text.replace("s", "\u017f"), lambda text: ""))(value)


def _line(row, rng):
    return ",".join(_spelled(cell, len(row) > 1, rng) for cell in row)


def _spelled(cell, may_be_empty, rng):
    """Write a cell, in quotes where it needs them and at times besides."""
    is_plain = re.fullmatch(r"(?![ \t])[^\",\r\n]*(?<![ \t])", cell) \
        and (cell or may_be_empty)
    if is_plain and rng.random() < 0.6:
        return rng.choice(("", "", " ", "\t")) + cell \
            + rng.choice(("", "", "  "))
    return "\"" + cell.replace("\"", "\"\"") + "\""
