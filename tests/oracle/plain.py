"""One plain row that the rule returns, for tests that change one thing in it.

The row is in the query's terms (see rule.py and tenant.py); rendering.py
writes it. By default its target is a sync account by its name alone.
"""

import random

import ticks
from kql import MISSING

NOW = ticks.parse("2026-06-01T12:00:00Z")
OPERATION = "Admin registered security info"
ROLE = "Directory Synchronization Accounts"
SYNC_UPN = "Sync_HOST1_0123456789ab@nordwind.example"
PERSON_UPN = "anna.berg@nordwind.example"
OBJECT_ID = "0d0d0d0d-abcd-4222-8333-444444444444"
OTHER_ID = "11111111-2222-4333-8444-555555555555"
ACTOR = "admin@nordwind.example"
SOURCE_IP = "203.0.113.9"


def target(upn=SYNC_UPN, object_id=OTHER_ID):
    """Make a target of the type user."""
    return {"id": object_id, "displayName": None, "type": "User",
            "userPrincipalName": upn, "modifiedProperties": []}


def initiator():
    """Make an initiator that is a user."""
    return {"user": {"id": "99999999-8888-4777-8666-555555555555",
                     "displayName": None, "userPrincipalName": ACTOR,
                     "ipAddress": SOURCE_IP, "roles": []}}


def row(*targets, **columns):
    """Make a row of an hour ago with these targets, or one sync account."""
    operation = columns.get("OperationName", OPERATION)
    return {
        "TimeGenerated": NOW - ticks.HOUR,
        "OperationName": operation,
        "ActivityName": operation,
        "TargetResources": list(targets) or [target()],
        "InitiatedBy": initiator(),
        "Result": "success",
        "Id": "Directory_1",
        "Reason": "Admin registered temporary access pass method for user",
        "Identity": MISSING,
        **columns,
    }


def identity(upn, object_id="", roles=(ROLE,), display="Account"):
    """Make a row of the role list."""
    return {"TimeGenerated": NOW - ticks.DAY, "AccountUPN": upn,
            "AccountObjectId": object_id, "AccountDisplayName": display,
            "AssignedRoles": list(roles)}


def chance():
    """Give the chance with which a single row is written: always the same."""
    return random.Random("plain")


def without(record, *names):
    """Give a record without some of its properties."""
    return {name: value for name, value in record.items()
            if name not in names and value is not MISSING}
