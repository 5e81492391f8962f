"""Makes up a day of a tenant: its role list, its audit records, the alerts.

    python3 day.py DIRECTORY

Writes into DIRECTORY what contrib/demo sends, and what must come of it:

    role-list      IdentityInfo rows, as messages for omidentityinfo
    records        audit records, as messages for mmsynctap
    one-more.json  a record that matches, to be sent by hand
    expected.json  record id, target and reasons of each alert

Prints how many role-list rows, sync accounts, messages and records that are.
The tenant is Microsoft's Contoso; every name, id and address is made up.
"""

import datetime
import json
import pathlib
import random
import sys

RANDOM = random.Random(1)
NOW = datetime.datetime.now(datetime.timezone.utc)
DAY = 23 * 3600  # seconds: all of it lies within the rule's lookback

TENANT = "5c1d7a40-2b7e-4f7a-9a53-0d3f6f0c9e11"
WORKSPACE = "0a7c2b9e-61d4-4a0f-8f0e-7c5b1a2d3e4f"
METHODS = "Authentication Methods"
DIRECTORY = "Core Directory"
TAP = "Admin registered temporary access pass method for user"
REGISTERED = "User registered security info"
ADMIN_REGISTERED = "Admin registered security info"
ROLE = "Directory Synchronization Accounts"


def new_id():
    """Make up an object id."""
    return "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}".format(
        *(RANDOM.getrandbits(bits) for bits in (32, 16, 12, 12, 48)))


def written(time):
    """Write a time as Entra does, with seven digits of a second."""
    return time.strftime("%Y-%m-%dT%H:%M:%S.%f") + "0Z"


def ago(seconds):
    """Give a moment before now."""
    return NOW - datetime.timedelta(seconds=seconds)


# --- who there is ----------------------------------------------------------

class Account:
    """An account of the tenant."""

    def __init__(self, upn, name, roles=(), object_id=None):
        self.upn = upn
        self.name = name
        self.roles = list(roles)
        self.id = object_id or new_id()

    def row(self, age, roles=None):
        """Make the account's row of IdentityInfo, so many seconds old."""
        return {"TimeGenerated": written(ago(age)), "AccountUPN": self.upn,
                "AccountObjectId": self.id, "AccountDisplayName": self.name,
                "AccountTenantId": TENANT, "IsAccountEnabled": True,
                "AssignedRoles": self.roles if roles is None else roles,
                "SourceSystem": "AzureActiveDirectory",
                "Type": "IdentityInfo"}

    def target(self):
        """Make the target that a record has for the account."""
        return {"id": self.id, "displayName": self.name, "type": "User",
                "userPrincipalName": self.upn, "modifiedProperties": [],
                "administrativeUnits": []}

    def user(self):
        """Make the initiator that a record has for the account."""
        return {"user": {"id": self.id, "displayName": None,
                         "userPrincipalName": self.upn,
                         "ipAddress": f"203.0.113.{RANDOM.randint(2, 250)}",
                         "roles": []}}


def employees():
    """Make the ordinary users."""
    first = ("Ada Ben Cleo Dana Emil Fay Gus Hana Ivo Jana Kim Lea Max Nora "
             "Olaf Pia Quinn Rosa Sven Tara Uwe Vera Wim Yara Zoe").split()
    last = "Abel Brandt Costa Dietz Ek Fuchs Gold Horn".split()
    for number, name in enumerate(first * 2):
        family = last[(number * 3 + number // len(first)) % len(last)]
        yield Account(f"{name}.{family}@contoso.com".lower(),
                      f"{name} {family}")


def service(upn, name=None, roles=()):
    """Make an account that is no person's."""
    return Account(upn, name or upn.partition("@")[0], roles)


ONPREM = "On-Premises Directory Synchronization Service Account"
PEOPLE = list(employees())
HELPDESK, ADMIN = PEOPLE[7], PEOPLE[18]
GUEST = service("mallory_fabrikam.example#EXT#@contoso.onmicrosoft.com")
ONBOARDING = {"app": {"appId": None, "displayName": "Contoso Onboarding",
                      "servicePrincipalId": new_id(),
                      "servicePrincipalName": None}, "user": None}

# Sync accounts: by role, by name, by both, and one that is so no longer.
SYNC_1 = service("Sync_DC01_8f3ac2d1b7e4@contoso.onmicrosoft.com", ONPREM,
                 [ROLE])
SYNC_UNLISTED = service("Sync_OLD02_51c09e77aa30@contoso.onmicrosoft.com")
HYBRID = service("svc-hybrid@contoso.com", roles=[ROLE])
HYBRID_AGAIN = service("SVC-Hybrid@contoso.com")  # made again: another id
CONNECT = service("svc-connect@contoso.com",
                  roles=["On Premises Directory Sync Account"])
DIRSYNC = service("svc-DirSync-emea@contoso.com")
SYNC_DIRSYNC = service("Sync_DirSync_77e1@contoso.onmicrosoft.com")
RETIRED = service("svc-retired@contoso.com", roles=[ROLE])

# Accounts whose names only look like those of sync accounts.
LOOK_ALIKES = [service(upn) for upn in (
    "resync_service@contoso.com", "sync.manager@contoso.com",
    "async_worker@contoso.com", "svc-dir.sync@contoso.com",
    "filesync_backup@contoso.com", "sync-reports@contoso.com")]


def role_list():
    """Give the rows of the role list, in no particular order."""
    listed = PEOPLE + LOOK_ALIKES + [SYNC_1, HYBRID, CONNECT]
    rows = [account.row(RANDOM.randint(600, 3 * DAY)) for account in listed]
    rows.append(RETIRED.row(3600, roles=[]))
    rows.append(RETIRED.row(9 * DAY))
    RANDOM.shuffle(rows)
    return rows


SYNC_ACCOUNTS = 3  # that the role list names: SYNC_1, HYBRID, CONNECT


# --- what happens ----------------------------------------------------------

class Event:
    """Something that is audited, before it has the shape of a record."""

    def __init__(self, operation, by, *targets, reason="", age=None,
                 service_name=METHODS):
        self.operation = operation
        self.by = by
        self.targets = list(targets)
        self.reason = reason
        self.at = ago(RANDOM.uniform(60, DAY) if age is None else age)
        self.service = service_name
        self.correlation = new_id()
        self.id = (f"{'IAMUX' if service_name == METHODS else 'Directory'}"
                   f"_{self.correlation}_{RANDOM.randint(10**7, 10**8)}")


def tap(account, **more):
    """Make an event: the helpdesk gives the account a TAP."""
    return Event(ADMIN_REGISTERED, HELPDESK.user(), account.target(),
                 reason=TAP, **more)


def registration(account):
    """Make an event: somebody registers a method for himself."""
    method = RANDOM.choice(["Authenticator App with Notification", "FIDO2 Key",
                            "Phone", "Email", "Software OATH Token"])
    return Event(REGISTERED, account.user(), account.target(),
                 reason=f"User registered {method}")


def routine(operation, by, target):
    """Make an event of the directory's everyday."""
    return Event(operation, by.user(), target.target(),
                 service_name=DIRECTORY)


def uneventful_day():
    """Give the events that must not match."""
    for _ in range(60):
        yield registration(RANDOM.choice(PEOPLE))
    for _ in range(15):
        yield tap(RANDOM.choice(PEOPLE))
    for _ in range(70):  # what a sync account does all day
        yield routine(RANDOM.choice(["Update user", "Add user", "Update group",
                                     "Reset user password", "Delete user"]),
                      SYNC_1, RANDOM.choice(PEOPLE))
    for _ in range(50):
        yield routine(RANDOM.choice(["Add member to group", "Update device",
                                     "Add app role assignment to user",
                                     "Update StsRefreshTokenValidFrom",
                                     "Invite external user"]),
                      ADMIN, RANDOM.choice(PEOPLE + [GUEST]))
    for account in LOOK_ALIKES + [GUEST, RETIRED]:
        yield tap(account)
        yield registration(account)
    for account in (SYNC_1, HYBRID, DIRSYNC, SYNC_UNLISTED):
        for operation in ("Update user", "Reset user password"):
            yield routine(operation, ADMIN, account)
        for operation in ("Admin deleted security info",
                          "User started security info registration",
                          "User changed default security info",
                          "Reset password (by admin)"):
            yield Event(operation, HELPDESK.user(), account.target())


def attacks():
    """Give the events that must match: the way they come, and why."""
    hour = 3600
    phone = Event(ADMIN_REGISTERED, ADMIN.user(),
                  {"id": new_id(), "displayName": "Hybrid Identity",
                   "type": "Group", "userPrincipalName": None,
                   "modifiedProperties": []},
                  HYBRID.target(), reason="Admin registered Phone for user",
                  age=15 * hour)
    nameless = dict(CONNECT.target(), userPrincipalName=None)
    onboarding = Event(REGISTERED, ONBOARDING, nameless,
                       reason="User registered temporary access pass method",
                       age=9 * hour)
    create = Event("Create temporary access pass", ADMIN.user(),
                   SYNC_DIRSYNC.target(), age=hour)
    by_list = ["identity_upn", "identity_object_id"]
    yield "collector", tap(SYNC_1, age=21 * hour), by_list + ["upn_startswith"]
    yield "hub", tap(SYNC_UNLISTED, age=18 * hour), ["upn_startswith"]
    yield "cee", phone, by_list
    yield "export", tap(HYBRID_AGAIN, age=12 * hour), ["identity_upn"]
    yield "graph", onboarding, ["identity_object_id"]
    yield "export-lines", tap(DIRSYNC, age=5 * hour), ["upn_contains"]
    yield "poller", create, ["upn_startswith", "upn_contains"]


# --- the shapes of a record ------------------------------------------------

def diagnostic(event):
    """Shape A: a diagnostic record, as an Event Hub carries it."""
    address = (event.by["user"] or {}).get("ipAddress")
    return {"time": written(event.at),
            "resourceId": f"/tenants/{TENANT}/providers/Microsoft.aadiam",
            "operationName": event.operation, "operationVersion": "1.0",
            "category": "AuditLogs", "tenantId": TENANT,
            "resultSignature": "None", "resultDescription": event.reason,
            "durationMs": 0, "callerIpAddress": address,
            "correlationId": event.correlation, "Level": 4,
            "properties": {
                "id": event.id, "category": "UserManagement",
                "correlationId": event.correlation, "result": "success",
                "resultReason": event.reason,
                "activityDisplayName": event.operation,
                "activityDateTime": written(event.at),
                "loggedByService": event.service, "operationType": "Update",
                "initiatedBy": event.by, "targetResources": event.targets,
                "additionalDetails": []}}


def log_analytics(event):
    """Shape B: a row of the table AuditLogs."""
    return {"TenantId": WORKSPACE, "SourceSystem": "Azure AD",
            "TimeGenerated": written(event.at),
            "ResourceId": f"/tenants/{TENANT}/providers/Microsoft.aadiam",
            "OperationName": event.operation, "OperationVersion": "1.0",
            "Category": "UserManagement", "CorrelationId": event.correlation,
            "Level": "4", "Id": event.id, "InitiatedBy": event.by,
            "LoggedByService": event.service, "Result": "success",
            "ResultReason": event.reason, "ResultDescription": event.reason,
            "TargetResources": event.targets, "AdditionalDetails": [],
            "AADTenantId": TENANT, "ActivityDisplayName": event.operation,
            "ActivityDateTime": written(event.at), "Type": "AuditLogs"}


def directory_audit(event):
    """Shape C: Microsoft Graph's directoryAudit."""
    return {"id": event.id, "category": "UserManagement",
            "correlationId": event.correlation, "result": "success",
            "resultReason": event.reason,
            "activityDisplayName": event.operation,
            "activityDateTime": written(event.at),
            "loggedByService": event.service, "operationType": "Update",
            "initiatedBy": event.by, "targetResources": event.targets,
            "additionalDetails": []}


# --- the ways to the collector ---------------------------------------------

def as_json(value):
    """Write JSON on one line."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def rfc3164(tag):
    """Give what writes a header of RFC 3164."""
    return lambda text: f"<134>{NOW:%b %e %H:%M:%S} edge7 {tag}{text}"


def rfc5424(app):
    """Give what writes a header of RFC 5424."""
    return lambda text: f"<134>1 {NOW:%FT%T.%fZ} edge7 {app} - - - {text}"


def bare(text):
    """Write no header at all."""
    return text


def alone(records):
    """Write one record as it is."""
    return as_json(records[0])


def in_records(records):
    """Wrap records as an Event Hub does."""
    return as_json({"records": records})


def in_value(records):
    """Wrap records as Microsoft Graph does."""
    return as_json({"@odata.context": "https://graph.microsoft.com/v1.0/"
                    "$metadata#auditLogs/directoryAudits", "value": records})


def in_lines(records):
    """Write one record on each line of a message."""
    return "\n".join(map(as_json, records))


class Way:
    """A sender: the shape of its records, their wrapping, and its header."""

    def __init__(self, shape, wrap, header, at_once=1):
        self.shape = shape
        self.wrap = wrap
        self.header = header
        self.at_once = at_once
        self.waiting = []

    def take(self, event):
        """Take an event; give the messages that are ready."""
        self.waiting.append(event)
        return self.flush() if len(self.waiting) == self.at_once else []

    def flush(self):
        """Give what waits as a message, in a frame of its own if need be."""
        if not self.waiting:
            return []
        message = self.header(self.wrap(list(map(self.shape, self.waiting))))
        self.waiting = []
        if self.at_once == 1:
            return [message + "\n"]
        return [f"{len(message.encode())} {message}"]


WAYS = {
    "collector": Way(diagnostic, alone, rfc3164("azure: ")),
    "tagless": Way(diagnostic, alone, rfc3164("")),
    "bare": Way(diagnostic, alone, bare),
    "cee": Way(diagnostic, alone, rfc3164("azure: @cee:")),
    "hub": Way(diagnostic, in_records, rfc5424("eventhub"), at_once=8),
    "export": Way(log_analytics, alone, bare),
    "export-lines": Way(log_analytics, in_lines, bare, at_once=5),
    "poller": Way(directory_audit, alone, rfc5424("graph")),
    "graph": Way(directory_audit, in_value, bare, at_once=8),
}


def others():
    """Give messages of the same collector that are no audit records."""
    for number in range(12):
        yield rfc3164(f"sshd[{900 + number}]: ")(
            f"Accepted publickey for sync_backup from 198.51.100.{number} "
            "port 50022 ssh2") + "\n"
    for person in PEOPLE[:10]:
        yield as_json({"time": written(ago(RANDOM.uniform(60, DAY))),
                       "operationName": "Sign-in activity",
                       "category": "SignInLogs", "tenantId": TENANT,
                       "properties": {"userPrincipalName": person.upn,
                                      "appDisplayName": "Azure Portal"}}
                      ) + "\n"


def messages(events):
    """Give the messages of these (way, event), in the order of time."""
    for way, event in sorted(events, key=lambda pair: pair[1].at):
        yield from WAYS[way].take(event)
    for way in WAYS.values():
        yield from way.flush()


def write_json(path, value):
    """Write a file of one JSON document."""
    path.write_text(as_json(value) + "\n", encoding="utf-8")


def main():
    """Write the files and print the numbers."""
    directory = pathlib.Path(sys.argv[1])
    rows = role_list()
    matching = list(attacks())
    events = [(way, event) for way, event, _ in matching]
    events += [(RANDOM.choice(list(WAYS)), event)
               for event in uneventful_day()]
    sent = list(others()) + list(messages(events))

    half = len(rows) // 2
    with open(directory / "role-list", "w", encoding="utf-8") as file:
        file.write(as_json(rows[:half]) + "\n")
        file.writelines(as_json(row) + "\n" for row in rows[half:])
    with open(directory / "records", "w", encoding="utf-8",
              newline="\n") as file:
        file.writelines(sent)
    write_json(directory / "one-more.json",
               diagnostic(tap(SYNC_UNLISTED, age=0)))
    write_json(directory / "expected.json",
               [{"record_id": event.id,
                 "target_upn": event.targets[-1]["userPrincipalName"] or "",
                 "matched_by": reasons} for _, event, reasons in matching])
    print(len(rows), SYNC_ACCOUNTS, len(sent), len(events), len(matching))


if __name__ == "__main__":
    main()
