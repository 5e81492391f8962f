# SPDX-License-Identifier: Apache-2.0
"""Every token of JSON's grammar, broken in every way, in twelve places.

Wherever it stands around or inside of a record, the record alerts, once:
exact where JSON's grammar allows the token, or where it stands outside of the
record; else degraded. A good record behind each alerts too.

SYNCTAP_BROKEN_TOKENS sets how many tokens are tried in each place ("all": all
of them), SYNCTAP_EVASION_SEED which.
"""

import collections
import json
import os
import random
import unittest

import evasion
from test_evasion import TIME, alerts_of

MANY = os.environ.get("SYNCTAP_BROKEN_TOKENS", "150")
SEED = int(os.environ.get("SYNCTAP_EVASION_SEED", "13"))

TOKENS = ("{}", '{"a":1}', '{"a":{"b":[]}}', "[]", "[1,2]", "[[{}]]", '"abc"',
          '"a\\u0041b"', '"\\ud83d\\ude00"', '"\\n\\""', "12", "-1.5e+3", "0",
          "true", "false", "null", '"a":1', ",", ":", " ")
STRANGERS = "{}[]:,\"'\\/*#0-+.eEtfn \t\u00e9"
WHOLE_STRANGERS = ("NaN", "-Infinity", "//", "/**/", "'a'", "{a:1}", "{'a':1}",
                   "[1,]", '{"a":1,}', "01", "+1", "1.", ".5", "0x1", "1e",
                   '"\\x41"', '"\\u12"', '"\\ud83d"', '"\\"', '"\t"', "\ufeff",
                   "True", "nul", "undefined", "{" * 40, "[" * 40, "}" * 40,
                   '{"a":' * 40, "[" * 40 + "]" * 40, '"' * 3, "<!--", "(1)")


def broken(token):
    """Break a token in every way that changes one of its characters."""
    for at in range(len(token) + 1):
        head, tail = token[:at], token[at:]
        yield head
        yield tail
        yield head + tail[1:]
        yield head + tail[:1] + tail
        yield head + tail[1:2] + tail[:1] + tail[2:]
        yield head + tail.swapcase()
        for stranger in STRANGERS:
            yield head + stranger + tail
            yield head + stranger + tail[1:]


ALL = sorted({one for token in TOKENS for one in (token, *broken(token))}
             | set(WHOLE_STRANGERS) - {""})


def inside(where, fill):
    """Put a token into a record, by a text that stands in it."""
    return lambda record, token: record.replace(
        where, fill.replace("@", token, 1), 1)


OUTSIDE = {
    "in front": lambda record, token: token + " " + record,
    "right in front": lambda record, token: token + record,
    "right behind": lambda record, token: record + token,
    "in an array": lambda record, token: f"[{token},{record}]",
    "first of a batch": lambda record, token:
        f'{{"records":[{token},{record}]}}',
    "last of a batch": lambda record, token:
        f'{{"records":[{record},{token}]}}',
}
INSIDE = {
    "first value": inside('{"time"', '{"x":@,"time"'),
    "last value": lambda record, token: f'{record[:-1]},"x":{token}}}',
    "key": inside('{"time"', '{@:1,"time"'),
    "value in front of the targets": inside(
        '"targetResources"', '"x":@,"targetResources"'),
    "value in the target": inside(
        '"modifiedProperties":[]', '"modifiedProperties":@'),
    "detail": inside('"additionalDetails":[', '"additionalDetails":[@,'),
}


def _no_constant(name):
    raise ValueError(name)


DECODER = json.JSONDecoder(strict=False, parse_constant=_no_constant)


def has_whole_record(text):
    """Judge by another reader, and by the depth that is read.

    A bracket too many or too few may leave a whole record all the same.
    """
    for at in (at for at, char in enumerate(text) if char == "{"):
        try:
            value, _ = DECODER.raw_decode(text, at)
        except ValueError:
            continue
        if "operationName" in value and _depth(value) < 32 \
                and _names_targets(value):
            return True
    return False


def _names_targets(record):
    """Tell whether it does; a bracket too many may move them outwards."""
    return "targetResources" in record \
        or "targetResources" in record.get("properties", "")


def _depth(value):
    if not isinstance(value, (list, dict)):
        return 0
    items = value.values() if isinstance(value, dict) else value
    return 1 + max(map(_depth, items), default=0)


def is_lenient(token):
    """Tell what may be taken for a blank as a transport writes it."""
    return any(mark in token for mark in "\\#")


class BrokenTokens(unittest.TestCase):
    """One file for each place, a message a line."""

    maxDiff = None

    def _check(self, name, place, is_outside):
        chosen = ALL if MANY == "all" else random.Random(
            f"{SEED} {name}").sample(ALL, int(MANY))
        texts, wanted = [], {}
        for number, token in enumerate(chosen, 1):
            writer = evasion.Writer(number, random.Random(number), TIME)
            text = place(evasion.compact(writer.record()), token)
            texts += [text, evasion.neighbour(number, TIME)]
            exact = is_outside or has_whole_record(text)
            wanted[evasion.upn(number)] = text, (
                {"exact"} if exact else {"exact", "degraded"}
                if is_lenient(token) else {"degraded"})
            wanted[evasion.neighbour_upn(number)] = texts[-1], {"exact"}
        found = collections.defaultdict(list)
        for upn, confidence in alerts_of(texts):
            found[upn].append(confidence)
        self.assertEqual([], [
            (found[upn], sorted(confidences), text)
            for upn, (text, confidences) in wanted.items()
            if len(found[upn]) != 1 or found[upn][0] not in confidences][:3])
        self.assertEqual(set(wanted), set(found))

    def test_outside_of_the_record(self):
        for name, place in OUTSIDE.items():
            with self.subTest(place=name):
                self._check(name, place, True)

    def test_inside_of_the_record(self):
        for name, place in INSIDE.items():
            with self.subTest(place=name):
                self._check(name, place, False)


if __name__ == "__main__":
    unittest.main()
