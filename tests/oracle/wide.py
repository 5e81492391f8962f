"""The rule as `semantics="wide"` reads it, evaluated over the same rows.

Wide returns each row of the query, and one more for each target that the query
misses for one of a few technical reasons. What those are is all that this
file knows; the query itself is rule.py's, and no part of the detector is
used.

Beside the columns that rule.py names, an audit row has ActivityName, the
record's second name for its operation (MISSING if it has but one).
"""

import functools
import re
from collections import namedtuple

import kql
import rule
import tenant
from kql import MISSING, tostring
from ticks import DAY

ROLE_TEMPLATES = ("d29b2b05-8046-44ba-8758-1e26182fcf32",
                  "a92aed5d-d78a-4d16-b381-09adb37eb3b0")
ALSO_AN_OPERATION = "User registered all required security info"

# The sync accounts, as the query and as wide semantics sees them.
Accounts = namedtuple("Accounts", "exact wide")

# What a target's properties are called, in the shapes that name them.
UPN = ("userPrincipalName", "user_principal_name")
OBJECT_ID = ("id",)

_DELETED = re.compile("[0-9a-f]{32}(?=sync_)")
_INTO_ASCII = str.maketrans({"\u017f": "s", "\u212a": "k"})


def evaluate(audits, identities, now, lookback=DAY, identity_window=14 * DAY,
             lists=rule.RULE):
    """Give the rows of the query and those that it misses, newest first.

    The initiator's columns are read with wide's eyes in all of them.
    """
    accounts = both_accounts(identities, now, identity_window, lists)
    return rule.newest_first(row for audit in audits
                             for row in audit_rows(audit, accounts, now,
                                                   lookback, lists))


def audit_rows(audit, accounts, now, lookback=DAY, lists=rule.RULE):
    """Give the rows that one audit record makes: the query's, then others."""
    found = rule.audit_rows(audit, accounts.exact, now, lookback, lists)
    rows = [dict(row, **initiator(audit)) for row in found]
    if rule.generated_at(audit, now) > now - lookback:
        rows += missed_rows(audit, accounts.wide, now, lists, found)
    return rows


# The operators, with the two letters that the query leaves out of ASCII, and
# with ASCII's letters and digits as the only ones that continue a phrase.

@functools.lru_cache(maxsize=None)
def fold(text):
    """Case-fold as the query does; U+017F and U+212A fold to "s" and "k"."""
    return kql.fold(text).translate(_INTO_ASCII)


def has(left, right):
    """Tell whether right occurs in left with both of its edges free.

    The neighbours are seen as they stand: a long s is no ASCII letter.
    """
    return _occurs(left, fold(left), fold(right))


def has_cs(left, right):
    """Tell the same of right as it stands."""
    return _occurs(left, left, right)


def _occurs(left, seen, right):
    at = seen.find(right)
    while at >= 0:
        if _is_edge(left[:at][-1:], right[:1]) \
                and _is_edge(left[at + len(right):][:1], right[-1:]):
            return True
        at = seen.find(right, at + 1)
    return False


def _is_edge(neighbour, own):
    """Judge the edge between a phrase's own character and its neighbour."""
    return not (_is_ascii_word(neighbour) and own
                and kql.is_alphanumeric(own))


def _is_ascii_word(char):
    return char.isascii() and char.isalnum()


def has_any(left, rights):
    """Tell whether left has one of rights."""
    return any(has(left, right) for right in rights)


def startswith_any(left, rights):
    """Tell whether left begins with one of rights."""
    return any(fold(left).startswith(fold(right)) for right in rights)


def contains_any(left, rights):
    """Tell whether one of rights occurs anywhere in left."""
    return any(fold(right) in fold(left) for right in rights)


def path(value, dotted):
    """Follow a path of names in any case, the exact one before others."""
    value = parsed(value)
    for name in dotted.split("."):
        if not isinstance(value, dict):
            return None
        names = [key for key in value if key.lower() == name.lower()]
        value = value.get(name, value[names[0]] if names else None)
        if isinstance(value, str):
            value = tenant.container_in(value) or value
    return value


parsed = tenant.unpacked


# The role list.

def sync_accounts(identities, now, window=14 * DAY, lists=rule.RULE):
    """Give the UPNs and object ids of the sync accounts, folded."""
    roles = lists.roles + ROLE_TEMPLATES
    kept = [row for row in rule.newest_identities(identities, now, window)
            if has_any(tostring(row["AssignedRoles"]), roles)
            or has_any(tostring(row.get("EligibleRoles")), roles)
            or startswith_any(row["AccountUPN"], lists.upn_startswith)
            or has_any(row["AccountDisplayName"], lists.displayname_has)]
    return rule.SyncAccounts({fold(row["AccountUPN"]) for row in kept},
                             {fold(row["AccountObjectId"]) for row in kept})


def both_accounts(identities, now, window=14 * DAY, lists=rule.RULE):
    """Give the sync accounts in both ways of seeing them."""
    return Accounts(rule.sync_accounts(identities, now, window, lists),
                    sync_accounts(identities, now, window, lists))


# The rows.

def is_operation(audit, lists=rule.RULE):
    """Judge a record's operation, by either of its names.

    Another service's records have an object for a name.
    """
    names = [audit["OperationName"], audit.get("ActivityName", MISSING)]
    phrases = lists.operations + (ALSO_AN_OPERATION,)
    return not isinstance(names[0], dict) and any(
        isinstance(name, str) and has_any(name, phrases) for name in names)


def targets(value):
    """Take the targets out of whatever holds them."""
    value = parsed(value)
    if isinstance(value, dict):
        keyed = value and all(key.isdigit() for key in value)
        value = list(value.values()) if keyed else [value]
    return [parsed(one) if isinstance(one, str) else one for one in value] \
        if isinstance(value, list) else []


def matched_by(upn, object_id, accounts, lists=rule.RULE):
    """Name the clauses that are true, by the query's names for them.

    A deleted user's UPN counts with and without what was put in front.
    """
    deleted = _DELETED.match(fold(upn))
    upns = {upn, upn[deleted.end():]} if deleted else {upn}
    verdicts = (
        ("identity_upn", lambda one: fold(one) in accounts.upns),
        ("identity_object_id", lambda _: fold(object_id) in accounts.ids),
        ("upn_startswith",
         lambda one: startswith_any(one, lists.upn_startswith)),
        ("upn_contains", lambda one: contains_any(one, lists.upn_contains)),
        ("upn_has", lambda one: has_any(one, lists.upn_has)))
    return [name for name, verdict in verdicts if any(map(verdict, upns))]


def missed_rows(audit, accounts, now, lists=rule.RULE, found=()):
    """Give a row for each target that matches and is not in `found`."""
    if not is_operation(audit, lists):
        return
    for index, target in enumerate(targets(audit["TargetResources"])):
        upn, object_id = _property(target, UPN), _property(target, OBJECT_ID)
        reasons = matched_by(upn, object_id, accounts, lists)
        if reasons and not _is_among(found, audit["TargetResources"], index):
            yield {
                "TimeGenerated": rule.generated_at(audit, now),
                "OperationName": tostring(audit["OperationName"]),
                **initiator(audit),
                "TargetUpn": upn,
                "TargetResources": target,
                "Result": tostring(audit["Result"]),
                "Id": tostring(audit["Id"]),
                "TargetId": object_id,
                "TargetIndex": index,
                "MatchedBy": reasons + rule.unread_reason(audit),
                "Kql": False,
            }


def _property(target, names):
    """Read a target's property by the first of its names that is there."""
    if isinstance(target, str):
        return ""
    return kql.coalesce(*(tostring(path(target, name)) for name in names))


def _is_among(found, value, index):
    """Tell whether the query has returned that target.

    Of an array it gives a row for each target; of an object one for each
    property, and each of them is of the same target.
    """
    if isinstance(value, list):
        return any(row["TargetIndex"] == index for row in found)
    return bool(found)


def initiator(audit):
    """Read the columns that tell who did it, and from where."""
    by = audit["InitiatedBy"]
    return {
        "Actor": kql.coalesce(
            tostring(path(by, "user.userPrincipalName")),
            tostring(path(by, "app.displayName"))),
        "SourceIP": tostring(path(by, "user.ipAddress")),
    }
