"""Compares rows from the detector with the oracle's, and says the difference.

Rows are compared as JSON texts, since to Python 1, 1.0 and True are equal.
"""

import json
from collections import Counter


def canonical(row):
    """Write a row as a text that is equal for equal rows only."""
    return json.dumps(row, sort_keys=True)


def difference(expected, got):
    """List the rows that are missing or too many; "" when there are none."""
    expected = Counter(map(canonical, expected))
    got = Counter(map(canonical, got))
    return "\n".join(
        _listed("missing", expected - got) + _listed("not expected",
                                                     got - expected))


def without_reasons(rows):
    """Give rows without MatchedBy, in which wide has names of its own."""
    return [{name: value for name, value in row.items()
             if name != "MatchedBy"} for row in rows]


def wide_difference(expected, got):
    """Compare rows of wide semantics.

    A row must name at least the clauses by which the query returns it; one
    that only wide returns names those that are true in wide's eyes. Beside
    them stand whatever names wide has for its reasons.
    """
    expected, got = list(expected), list(got)
    wrong = difference(without_reasons(expected), without_reasons(got))
    if wrong:
        return wrong
    reasons = {canonical(bare): row for bare, row in
               zip(without_reasons(expected), expected)}
    return "\n".join(
        f"reasons {row['MatchedBy']}, expected as in {known}: {row}"
        for bare, row in zip(without_reasons(got), got)
        for known in [reasons[canonical(bare)]]
        if not _reasons_agree(known, row["MatchedBy"]))


def _reasons_agree(row, named):
    if not named or not all(isinstance(name, str) for name in named):
        return False
    if row["Kql"]:
        return set(row["MatchedBy"]) <= set(named)
    return row["MatchedBy"] == [
        name for name in named
        if name.startswith(("identity_", "upn_")) or name == "time_unread"]


def _listed(word, rows):
    return [f"{word}: {row}" for row in sorted(rows.elements())]
