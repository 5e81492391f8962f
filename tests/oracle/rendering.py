"""Writes a tenant's rows as the JSON that a collector meets.

One row can be written in several shapes, its times in many spellings, and any
JSON value with or without blanks and escapes. All of it is chance, and none
of it changes what the row says: that is what makes it a test. wrappings.py
puts around it what a collector's neighbours put there.
"""

import json
import random
import uuid

from kql import MISSING
from ticks import SECOND, render

TENANT_ID = "6f1d3b52-7c55-4a0e-9e53-0f5a3c1b9d77"
WORKSPACE_ID = "0b8f6a11-2c1e-4f0a-8a35-55d1a6c7e402"

JUNK_TIMES = ("", None, "yesterday", "not a date", {}, [],
              "2026-13-45T99:99:99Z")

# (minutes from UTC, spelling)
ZONES = ((0, "Z"),) * 4 + ((0, "+00:00"), (0, "+00:00"), (0, ""),
                           (120, "+02:00"), (-450, "-07:30"), (345, "+05:45"),
                           (840, "+14:00"))

DOCUMENTS = ("records", "value", "array")


class Style:
    """How JSON is written: the same for a whole file."""

    def __init__(self, rng, line_breaks):
        self.rng = rng
        self.has_line_breaks = line_breaks
        self.ascii = rng.random() < 0.5
        blanks = ("",) * 3 + (" ", None)
        self.blanks = rng.choice(blanks)
        self.ragged = ("", "", " ", "  ") + (
            ("\n", "\t", "\r\n ") if line_breaks else ())
        self.disguised = rng.choice((0, 0, 0, 0.02, 0.5))

    def blank(self):
        """Give the blanks between two tokens."""
        return self.rng.choice(self.ragged) if self.blanks is None \
            else self.blanks


def json_text(value, style):
    """Write a value as JSON."""
    if isinstance(value, str):
        return _json_string(value, style)
    if isinstance(value, dict):
        return _enclosed("{}", style, [
            _json_string(name, style) + style.blank() + ":" + style.blank()
            + json_text(item, style) for name, item in value.items()])
    if isinstance(value, list):
        return _enclosed("[]", style,
                         [json_text(item, style) for item in value])
    return json.dumps(value)


def _enclosed(brackets, style, items):
    """Join the items of an object or array."""
    blank = style.blank
    return brackets[0] + blank() \
        + (blank() + "," + blank()).join(items) + blank() + brackets[1]


def _json_string(text, style):
    """Write a string, disguising as many characters as the style says."""
    if not style.disguised:
        return json.dumps(text, ensure_ascii=style.ascii)
    return "\"" + "".join(_json_char(char, style) for char in text) + "\""


def _json_char(char, style):
    """Write a character plainly, or as an escape that it does not need."""
    if style.rng.random() < style.disguised:
        if char == "/":
            return "\\/"
        if ord(char) < 0x10000:
            form = style.rng.choice(("\\u{:04x}", "\\u{:04X}"))
            return form.format(ord(char))
    return json.dumps(char, ensure_ascii=style.ascii)[1:-1]


def time_text(ticks, rng):
    """Spell a time in one of its ISO 8601 forms, losing no tick of it."""
    digits = 7
    while digits and ticks % 10 ** (8 - digits) == 0 and rng.random() < 0.8:
        digits -= 1
    offset, zone = rng.choice(ZONES)
    return render(ticks, digits, offset, zone)


def _time(row, rng):
    """Give what stands where the row's time belongs, perhaps nothing."""
    if row["TimeGenerated"] is None:
        return row["Unread"] if "Unread" in row \
            else rng.choice(JUNK_TIMES + (MISSING,))
    return time_text(row["TimeGenerated"], rng)


def _activity_time(row, rng):
    """Give the second time of a record, which the query does not look at."""
    if row["TimeGenerated"] is None:
        return MISSING
    drift = rng.choice((0, 0, 0, 0, 7 * SECOND, -3 * 24 * 3600 * SECOND))
    return time_text(row["TimeGenerated"] + drift, rng)


def _present(record, rng):
    """Drop what is MISSING, and in some records change the keys' order."""
    items = [item for item in record.items() if item[1] is not MISSING]
    if rng.random() < 0.2:
        rng.shuffle(items)
    return dict(items)


def _correlation(rng):
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def diagnostic_record(row, rng):
    """Write an audit row in shape A: Event Hub, blob."""
    correlation = _correlation(rng)
    properties = _present({
        "id": row["Id"],
        "category": "UserManagement",
        "correlationId": correlation,
        "result": row["Result"],
        "resultReason": row["Reason"],
        "activityDisplayName": row["ActivityName"],
        "activityDateTime": _activity_time(row, rng),
        "loggedByService": "Authentication Methods",
        "operationType": "Update",
        "userAgent": None,
        "initiatedBy": row["InitiatedBy"],
        "targetResources": row["TargetResources"],
        "additionalDetails": rng.choice(([], None, [
            {"key": "ipaddr", "value": "198.51.100.1"}])),
    }, rng)
    return _present({
        "time": _time(row, rng),
        "resourceId": f"/tenants/{TENANT_ID}/providers/Microsoft.aadiam",
        "operationName": row["OperationName"],
        "operationVersion": "1.0",
        "category": "AuditLogs",
        "tenantId": rng.choice((TENANT_ID, MISSING)),
        "resultSignature": "None",
        "resultDescription": row["Reason"],
        "durationMs": rng.choice((0, "0")),
        "callerIpAddress": rng.choice(("198.51.100.2", "<null>", MISSING)),
        "correlationId": correlation,
        "identity": row["Identity"],
        "Level": rng.choice((4, "4", "Informational")),
        "properties": properties,
    }, rng)


def log_analytics_row(row, rng):
    """Write an audit row in shape B, dynamic columns as JSON."""
    return _present({
        "TenantId": WORKSPACE_ID,
        "SourceSystem": "Azure AD",
        "TimeGenerated": _time(row, rng),
        "ResourceId": f"/tenants/{TENANT_ID}/providers/Microsoft.aadiam",
        "OperationName": row["OperationName"],
        "OperationVersion": "1.0",
        "Category": "UserManagement",
        "ResultSignature": "None",
        "ResultDescription": row["Reason"],
        "CorrelationId": _correlation(rng),
        "Identity": row["Identity"],
        "Level": "4",
        "AdditionalDetails": rng.choice(([], None, MISSING)),
        "Id": row["Id"],
        "InitiatedBy": row["InitiatedBy"],
        "LoggedByService": "Authentication Methods",
        "Result": row["Result"],
        "ResultReason": row["Reason"],
        "TargetResources": row["TargetResources"],
        "AADTenantId": TENANT_ID,
        "ActivityDisplayName": row["ActivityName"],
        "ActivityDateTime": _activity_time(row, rng),
        "AADOperationType": "Update",
        "Type": "AuditLogs",
    }, rng)


def directory_audit(row, rng):
    """Write an audit row in shape C: Microsoft Graph."""
    return _present({
        "id": row["Id"],
        "category": "UserManagement",
        "correlationId": _correlation(rng),
        "result": row["Result"],
        "resultReason": row["Reason"],
        "activityDisplayName": row["OperationName"],
        "activityDateTime": _time(row, rng),
        "loggedByService": "Authentication Methods",
        "operationType": "Update",
        "initiatedBy": row["InitiatedBy"],
        "targetResources": row["TargetResources"],
        "additionalDetails": rng.choice(([], None, MISSING)),
    }, rng)


SHAPES = (diagnostic_record, log_analytics_row, directory_audit)


def elastic_document(row, rng):
    """Write an audit row, made fit for it, in shape D: Elastic."""
    properties = _present({
        "id": row["Id"],
        "activity_display_name": row["ActivityName"],
        "activity_datetime": _activity_time(row, rng),
        "category": "UserManagement",
        "correlation_id": _correlation(rng),
        "initiated_by": row["InitiatedBy"],
        "logged_by_service": "Authentication Methods",
        "operation_type": "Update",
        "result_reason": row["Reason"],
        "target_resources": row["TargetResources"],
    }, rng)
    return _present({
        "@timestamp": _time(row, rng),
        "azure": {
            "auditlogs": _present({
                "category": "AuditLogs",
                "operation_name": row["OperationName"],
                "operation_version": "1.0",
                "properties": properties,
                "result_signature": "None",
            }, rng),
            "correlation_id": _correlation(rng),
            "resource": {
                "id": f"/tenants/{TENANT_ID}/providers/Microsoft.aadiam",
                "provider": "Microsoft.aadiam"},
            "tenant_id": TENANT_ID,
        },
        "cloud": {"provider": "azure"},
        "ecs": {"version": "8.11.0"},
        "event": _present({"action": row["OperationName"], "kind": "event",
                           "outcome": row["Result"]}, rng),
        "tags": ["forwarded"],
    }, rng)


def legacy_record(row, rng):
    """Write a record of 2018: its row has UPN, ObjectId and Initiator."""
    return _present({
        "time": _time(row, rng),
        "operationName": row["OperationName"],
        "operationVersion": "1.0",
        "category": "Audit",
        "tenantId": TENANT_ID,
        "resultType": "Success",
        "resultSignature": "-1",
        "resultDescription": "None",
        "durationMs": "-1",
        "correlationId": _correlation(rng),
        "identity": row["Initiator"],
        "Level": "Informational",
        "location": "WUS",
        "properties": {
            "identityType": "UPN",
            "operationType": "Update",
            "additionalDetails": "None",
            "additionalTargets": "",
            "targetUpdatedProperties": "",
            "targetResourceType":
                "UPN__TenantContextID__PUID__ObjectID__ObjectClass",
            "targetResourceName": "__".join((
                row["UPN"], TENANT_ID, "1003BFFD9FEB17DB", row["ObjectId"],
                "User")),
            "auditEventCategory": "UserManagement",
        },
    }, rng)


_NAMES_OF_ELASTIC = {"displayName": "display_name",
                     "userPrincipalName": "user_principal_name",
                     "modifiedProperties": "modified_properties",
                     "oldValue": "old_value", "newValue": "new_value",
                     "groupType": "group_type",
                     "administrativeUnits": "administrative_units"}


def fit_for(shape, rows):
    """Give the rows that a shape can carry, as it carries them.

    Graph has one name for an operation. Elastic has an object for a list of
    targets, names of its own, and no strings where objects belong.
    """
    if shape is directory_audit:
        return [dict(row, ActivityName=MISSING) for row in rows]
    if shape is elastic_document:
        return [_fit_for_elastic(row) for row in rows
                if _is_plain_for_elastic(row)]
    return rows


def _is_plain_for_elastic(row):
    """Tell whether a row holds what its columns are meant to hold."""
    targets, initiator = row["TargetResources"], row["InitiatedBy"]
    return isinstance(targets, list) and targets \
        and all(isinstance(target, dict) for target in targets) \
        and (isinstance(initiator, dict) or initiator in (None, MISSING)) \
        and isinstance(row["OperationName"], str) \
        and (isinstance(row["Result"], str) or row["Result"] is MISSING)


def _fit_for_elastic(row):
    """Rewrite the targets as Elastic's pipeline does."""
    return dict(row, TargetResources=_keyed(row["TargetResources"]))


def _keyed(items):
    """Write a list of objects as one object, with Elastic's names in them."""
    return {str(index): {
        _NAMES_OF_ELASTIC.get(name, name):
            _keyed(value) if name == "modifiedProperties" else value
        for name, value in item.items()} for index, item in enumerate(items)}


def identity_row(row, rng):
    """Write a row of the role list as Log Analytics exports it."""
    return _present({
        "TenantId": WORKSPACE_ID,
        "TimeGenerated": _time(row, rng),
        "AccountName": "name",
        "AccountUPN": row["AccountUPN"],
        "AccountObjectId": row["AccountObjectId"],
        "AccountDisplayName": row["AccountDisplayName"],
        "AssignedRoles": row["AssignedRoles"],
        "EligibleRoles": row.get("EligibleRoles", MISSING),
        "GroupMembership": [],
        "SourceSystem": "AzureAD",
        "Type": "IdentityInfo",
    }, rng)


def audit_records(rows, rng):
    """Write each row in a shape of its own, of those that can carry it."""
    return [rng.choice(SHAPES if _has_one_name(row) else SHAPES[:2])(row, rng)
            for row in rows]


def _has_one_name(row):
    """Tell whether an operation's two names are the same, or one."""
    return row["ActivityName"] is MISSING \
        or row["ActivityName"] == row["OperationName"]


def document(records, kind, style):
    """Write records as one JSON document of that kind."""
    if kind == "array":
        return json_text(records, style)
    whole = {kind: records}
    if kind == "value" and style.rng.random() < 0.5:
        whole = {"@odata.context": "https://graph.microsoft.com/v1.0/"
                                   "$metadata#auditLogs/directoryAudits",
                 **whole}
    return json_text(whole, style)


def lines(records, kind, style):
    """Write records as JSON texts of one line each.

    kind "single": a record a line; "mix": some lines hold several.
    """
    if kind == "single":
        return [json_text(record, style) for record in records]
    return [json_text(part[0], style)
            if len(part) == 1 and style.rng.random() < 0.7
            else document(part, style.rng.choice(DOCUMENTS), style)
            for part in parts(records, style.rng)]


def parts(things, rng, longest=5):
    """Cut a list into pieces of 1 to `longest`."""
    pieces, at = [], 0
    while at < len(things):
        length = rng.randint(1, longest)
        pieces.append(things[at:at + length])
        at += length
    return pieces


def file_bytes(records, rng):
    """Write records as a file: a whole document, or JSON lines."""
    kind = rng.choice(DOCUMENTS + ("single", "single", "mix"))
    if kind in DOCUMENTS:
        text = document(records, kind, Style(rng, line_breaks=True))
        return (text + rng.choice(("", "\n"))).encode()
    end = rng.choice(("\n",) * 4 + ("\r\n", "\n\n"))
    text = end.join(lines(records, kind, Style(rng, line_breaks=False)))
    mark = rng.choice(("",) * 11 + ("\ufeff",))
    return (mark + text + rng.choice(("", end))).encode()


def write_files(directory, stem, records, rng):
    """Write records into 1 to 3 files of different make, in their order."""
    size = -(-len(records) // rng.randint(1, 3))
    paths = []
    for at in range(0, len(records), size):
        path = directory / f"{stem}{len(paths)}.json"
        path.write_bytes(file_bytes(records[at:at + size], rng))
        paths.append(path)
    return paths


def rendering_of(seed):
    """Give the chance by which the tenant of that seed is written."""
    return random.Random(f"rendering {seed}")
