# SPDX-License-Identifier: Apache-2.0
"""Reads messages as slowly as it likes: no gate, no bounds, Python's own JSON.

It knows nothing of synctap's ways. From each bracket on it tries to read a
document; in documents it walks through everything, strings that hold documents
too. What it takes for a match nobody may miss: an object with an operation of
the rule, and with a target whose name alone makes it a sync account.
"""

import json

PHRASES = ("admin registered security info", "register security info",
           "create temporary access pass", "issue temporary access pass",
           "admin issued temporary access pass",
           "user registered security info")
LEVELS = 3
_DECODER = json.JSONDecoder(strict=False)


def documents(text):
    """Give each document that begins at a bracket outside of another."""
    at = 0
    while at < len(text):
        if text[at] in "{[":
            try:
                value, at = _DECODER.raw_decode(text, at)
                yield value
                continue
            except (ValueError, RecursionError):
                pass
        at += 1


def matches(text, level=0):
    """Tell whether a record that matches stands anywhere in the text."""
    return any(_walk(value, level) for value in documents(text))


def _walk(value, level):
    if isinstance(value, dict):
        return _is_match(value) or any(
            _walk(item, level) for item in value.values())
    if isinstance(value, list):
        return any(_walk(item, level) for item in value)
    return isinstance(value, str) and level < LEVELS \
        and matches(value, level + 1)


def _is_match(record):
    """Tell whether it is a record of the rule, by its own members alone."""
    inner = _member(record, "properties")
    inner = inner if isinstance(inner, dict) else {}
    names = [_member(record, "operationName"),
             _member(record, "activityDisplayName"),
             _member(inner, "activityDisplayName")]
    targets = _member(record, "targetResources") \
        or _member(inner, "targetResources")
    return any(map(_is_operation, names)) and isinstance(targets, list) \
        and any(_is_sync_account(target) for target in targets)


def _member(value, name):
    """Give a member by its exact name, else by its letters."""
    if name in value:
        return value[name]
    return next((item for key, item in value.items()
                 if key.lower() == name.lower()), None)


def _is_operation(name):
    return isinstance(name, str) and name.lower() in PHRASES


def _is_sync_account(target):
    upn = _member(target, "userPrincipalName") \
        if isinstance(target, dict) else None
    return isinstance(upn, str) and upn.lower().startswith("sync_")
