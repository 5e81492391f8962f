"""Records that the scenarios send, and the configuration that they share.

All of it is made up for the tests: no tenant, name or address here is real.
"""

import ticks
from harness import as_text
from workplace import stage

TENANT_ID = "3a2f6c1e-8d4b-4c55-9f0a-7b1e2d3c4f50"
HEADER = "<134>Jun  1 12:00:00 edge7 "

MODULE = 'module(load="mmsynctap")'
BOTH_MODULES = MODULE + '\nmodule(load="omidentityinfo")'
ROLE_KEEPER = ('action(type="omidentityinfo" name="roles" '
               'database="@WORK@/synctap.db")')
ROLE = "Directory Synchronization Accounts"

# What the query's columns are called in an alert.
COLUMNS = {"TimeGenerated": "time_generated",
           "OperationName": "operation_name", "Actor": "actor",
           "SourceIP": "source_ip", "TargetUpn": "target_upn",
           "TargetResources": "target_resources", "Result": "result",
           "TargetId": "target_id", "Id": "record_id",
           "MatchedBy": "matched_by", "Kql": "kql"}


def mmsynctap(parameters="", semantics="kql", database="@WORK@/synctap.db"):
    """Write the action under test, named, so that its counters have a name.

    The module looks for its rulebase where it will be installed; the one
    under test is in the stage.
    """
    if "rulebase=" not in parameters:
        rules = stage() / "share" / "synctap" / "entra-audit.rulebase"
        parameters += f' rulebase="{rules}"'
    return (f'action(type="mmsynctap" name="tap" semantics="{semantics}" '
            f'database="{database}" {parameters})')


def target(upn, object_id="11111111-2222-4333-8444-555555555555"):
    """Make a target of the type user."""
    return {"id": object_id, "displayName": None, "type": "User",
            "userPrincipalName": upn, "modifiedProperties": []}


def audit(record_id, *targets, operation="Admin registered security info"):
    """Make a diagnostic record as the Event Hub carries it, of this minute."""
    return {
        "time": ticks.render(ticks.now()),
        "resourceId": f"/tenants/{TENANT_ID}/providers/Microsoft.aadiam",
        "operationName": operation,
        "operationVersion": "1.0",
        "category": "AuditLogs",
        "tenantId": TENANT_ID,
        "resultSignature": "None",
        "resultDescription":
            "Admin registered temporary access pass method for user",
        "durationMs": 0,
        "callerIpAddress": "198.51.100.7",
        "correlationId": "c0ffee00-0000-4000-8000-000000000001",
        "Level": 4,
        "properties": {
            "id": record_id,
            "category": "UserManagement",
            "correlationId": "c0ffee00-0000-4000-8000-000000000001",
            "result": "success",
            "resultReason":
                "Admin registered temporary access pass method for user",
            "activityDisplayName": operation,
            "loggedByService": "Authentication Methods",
            "operationType": "Update",
            "initiatedBy": {"user": {
                "id": "99999999-8888-4777-8666-555555555555",
                "displayName": None,
                "userPrincipalName": "admin@nordwind.example",
                "ipAddress": "203.0.113.9", "roles": []}},
            "targetResources": list(targets),
            "additionalDetails": [],
        },
    }


def text(*arguments, **more):
    """Make a diagnostic record as one line of JSON."""
    return as_text(audit(*arguments, **more))


def identity(upn, object_id="", roles=(ROLE,), display="Account"):
    """Make a row of the role list, of this minute."""
    return {"TimeGenerated": ticks.render(ticks.now()), "AccountUPN": upn,
            "AccountObjectId": object_id, "AccountDisplayName": display,
            "AssignedRoles": list(roles), "Type": "IdentityInfo"}


def numbered(*targets):
    """Make records without end, each with an id of its own."""
    number = 0
    while True:
        number += 1
        yield text(f"numbered {number}", *targets)


def ids(alerts):
    """Give the record ids of alert messages."""
    return [alert.json()["record_id"] for alert in alerts]
