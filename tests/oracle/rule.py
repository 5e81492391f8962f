"""The query of the rule, evaluated over lists of rows.

This is what the detector is held against: every row that comes out of here,
and no other, is what `semantics="kql"` owes.

An audit row is a dict in the query's terms: TimeGenerated (ticks, or None for
a record without a readable time), OperationName, TargetResources,
InitiatedBy, Result and Id, each a JSON value or MISSING. (ActivityName, the
record's second name for the operation, is of no concern here; wide.py reads
it.) An identity row has
TimeGenerated (ticks or None), AccountUPN, AccountObjectId, AccountDisplayName
and AssignedRoles.
"""

from collections import namedtuple

import kql
from kql import path, tostring
from ticks import DAY

Lists = namedtuple("Lists", "operations roles upn_startswith upn_contains"
                            " upn_has displayname_has")

RULE = Lists(
    operations=("Admin registered security info", "Register security info",
                "Create temporary access pass", "Issue temporary access pass",
                "Admin Issued Temporary Access Pass",
                "User registered security info"),
    roles=("Directory Synchronization Accounts",
           "On Premises Directory Sync Account"),
    upn_startswith=("Sync_",),
    upn_contains=("DirSync",),
    upn_has=("On-Premises Directory Synchronization",),
    displayname_has=(
        "On-Premises Directory Synchronization Service Account",))

SyncAccounts = namedtuple("SyncAccounts", "upns ids")

COLUMNS = ("TimeGenerated", "OperationName", "Actor", "SourceIP", "TargetUpn",
           "TargetResources", "Result", "Id", "TargetId", "TargetIndex",
           "MatchedBy", "Kql")


def sync_accounts(identities, now, window=14 * DAY, lists=RULE):
    """Give the UPNs and object ids that count as sync accounts at `now`."""
    kept = [row for row in newest_identities(identities, now, window)
            if _is_sync_account(row, lists)]
    return SyncAccounts({row["AccountUPN"] for row in kept},
                        {row["AccountObjectId"] for row in kept})


def newest_identities(identities, now, window):
    """Give the newest row of each account inside the window."""
    recent = [_identity_columns(row) for row in identities
              if row["TimeGenerated"] is not None
              and row["TimeGenerated"] > now - window]
    return kql.arg_max(recent, "TimeGenerated", by="AccountUPN")


def _identity_columns(row):
    """Read the string columns as strings; only AssignedRoles is dynamic."""
    return dict(row, **{name: tostring(row[name]) for name in
                        ("AccountUPN", "AccountObjectId",
                         "AccountDisplayName")})


def _is_sync_account(row, lists):
    """Judge one account by its newest row."""
    return (kql.has_any_dynamic(row["AssignedRoles"], lists.roles)
            or _any(kql.startswith, row["AccountUPN"], lists.upn_startswith)
            or kql.has_any(row["AccountDisplayName"], lists.displayname_has))


def _any(operator, left, rights):
    """Apply an operator of two strings to a list of right sides."""
    return any(operator(left, right) for right in rights)


def matched_by(upn, object_id, accounts, lists=RULE):
    """Name the clauses of the last `where` that are true, in their order."""
    verdicts = (
        ("identity_upn", kql.in_folded(upn, accounts.upns)),
        ("identity_object_id", kql.in_exact(object_id, accounts.ids)),
        ("upn_startswith", _any(kql.startswith, upn, lists.upn_startswith)),
        ("upn_contains", _any(kql.contains, upn, lists.upn_contains)),
        ("upn_has", _any(kql.has, upn, lists.upn_has)))
    return [name for name, verdict in verdicts if verdict]


def evaluate(audits, identities, now, lookback=DAY, identity_window=14 * DAY,
             lists=RULE):
    """Run the query at `now`; rows are dicts with COLUMNS, newest first.

    TimeGenerated stays in ticks. A record without a readable time counts as
    generated at `now`.
    """
    accounts = sync_accounts(identities, now, identity_window, lists)
    return newest_first(row for audit in audits
                        for row in audit_rows(audit, accounts, now, lookback,
                                              lists))


def newest_first(rows):
    """Order rows as the query does."""
    return sorted(rows, key=lambda row: row["TimeGenerated"], reverse=True)


def audit_rows(audit, accounts, now, lookback=DAY, lists=RULE):
    """Give the rows that one audit record makes."""
    generated = generated_at(audit, now)
    if generated > now - lookback and _operation_matches(audit, lists):
        return list(_target_rows(audit, generated, accounts, lists))
    return []


def generated_at(audit, now):
    """Give a record's time; one without a readable time is of now."""
    generated = audit["TimeGenerated"]
    return now if generated is None else generated


def has_unread_time(audit):
    """Tell whether something stands in a time's place that is no time.

    Such a record is judged as of now, but no row of it is the query's. Nothing
    at all, and a time that .NET never set, are no time without being that.
    """
    return audit["TimeGenerated"] is None and audit.get(
        "Unread") not in ("", None, kql.MISSING, "0001-01-01T00:00:00Z")


def unread_reason(audit):
    """Give what a row's reasons say of such a time, beside its clauses."""
    return ["time_unread"] if has_unread_time(audit) else []


def _operation_matches(audit, lists):
    """Judge the operation; another service's records have an object there."""
    operation = audit["OperationName"]
    return isinstance(operation, str) \
        and kql.has_any(operation, lists.operations)


def _target_rows(audit, generated, accounts, lists):
    """Give the rows of one audit record that the last `where` keeps."""
    initiator = audit["InitiatedBy"]
    for index, target in enumerate(kql.mv_expand(audit["TargetResources"])):
        upn = tostring(path(target, "userPrincipalName"))
        object_id = tostring(path(target, "id"))
        reasons = matched_by(upn, object_id, accounts, lists)
        if reasons:
            yield {
                "TimeGenerated": generated,
                "OperationName": audit["OperationName"],
                "Actor": kql.coalesce(
                    tostring(path(initiator, "user.userPrincipalName")),
                    tostring(path(initiator, "app.displayName"))),
                "SourceIP": tostring(path(initiator, "user.ipAddress")),
                "TargetUpn": upn,
                "TargetResources": target,
                "Result": tostring(audit["Result"]),
                "Id": tostring(audit["Id"]),
                "TargetId": object_id,
                "TargetIndex": index,
                "MatchedBy": reasons + unread_reason(audit),
                "Kql": not has_unread_time(audit),
            }
