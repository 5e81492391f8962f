"""What the pipelines read: made from a seed, about 2 KB a record.

Most records are of a pool; those that carry one of the rule's operations are
made one by one, because each must have an id of its own.
"""

import datetime
import json
import random
import uuid

TENANT_ID = "3a2f6c1e-8d4b-4c55-9f0a-7b1e2d3c4f50"
POOL = 4000
CANDIDATE_IN = 1000
MATCH_IN = 10  # of the candidates

OTHER_OPERATIONS = (
    "Update user", "Add member to group", "Consent to application",
    "Update conditional access policy", "Update device",
    "Reset user password", "Add service principal credentials",
    "User reviewed security posture", "Delete application password for user",
    "Change user license", "Set Company Information", "Add owner to group")
OPERATIONS = (
    "Admin registered security info", "User registered security info",
    "Create temporary access pass", "Issue temporary access pass")
# What a rule file of many operations looks for: in none of the above.
FORTY_LITERALS = (
    "delete conditional access policy", "set domain authentication",
    "set federation settings on domain", "add unverified domain",
    "verify domain", "remove verified domain", "disable strong authentication",
    "create authentication strength", "delete authentication strength",
    "set partnership of tenant", "set directory feature on tenant",
    "set dirsyncenabled flag", "add partner to company",
    "remove partner from company", "promote sub domain to root domain",
    "disable desktop sso", "enable desktop sso", "set desktop sso for domain",
    "register connector", "delete application proxy", "create connector group",
    "add eligible member to role", "remove eligible member from role",
    "elevate access", "add app role assignment",
    "add delegated permission grant", "add oauth2permissiongrant",
    "add owner to application", "add owner to service principal",
    "certificates and secrets management",
    "remove service principal credentials", "create access package",
    "delete access review", "hard delete user", "restore deleted user",
    "invite external user", "redeem external user invite",
    "add named location", "create risk detection",
    "rotate local administrator password")
PROPERTIES = (
    "AccountEnabled", "LastDirSyncTime", "Included Updated Properties",
    "TargetId.UserType", "StrongAuthenticationMethod")
TIME, ACTIVITY = b'{"time":"', b'"activityDateTime":"'
ARCHIVED_IN_SECOND = 20  # so a million lie in the rule's lookback
AGENT = ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 "
         "(KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36")


class Records:
    """A source of records, always the same ones for a seed."""

    def __init__(self, seed, moment=None):
        self._random = random.Random(seed)
        self._moment = moment or datetime.datetime.now(datetime.timezone.utc)
        self._made = 0
        self._pool = [self._text(self._random.choice(OTHER_OPERATIONS),
                                 self._person()) for _ in range(POOL)]

    def _id(self):
        return str(uuid.UUID(int=self._random.getrandbits(128)))

    def _person(self):
        return f"user{self._random.randrange(100000)}@contoso.com"

    def _time(self):
        moment = self._moment.strftime("%Y-%m-%dT%H:%M:%S")
        return f"{moment}.{self._random.randrange(10 ** 7):07d}Z"

    def _changes(self):
        return [{"displayName": name, "oldValue": f'["{self._id()}"]',
                 "newValue": f'["{self._id()}"]'} for name in PROPERTIES]

    def _text(self, operation, upn):
        """Write a diagnostic record as the Event Hub carries it."""
        self._made += 1
        target = {"id": self._id(), "displayName": upn.partition("@")[0],
                  "type": "User", "userPrincipalName": upn,
                  "modifiedProperties": self._changes(),
                  "administrativeUnits": []}
        user = {"id": self._id(), "displayName": None,
                "userPrincipalName": "admin@contoso.com",
                "ipAddress": f"10.0.0.{self._random.randrange(256)}",
                "roles": []}
        properties = {
            "id": f"Directory_{self._made:08d}_{self._id()}",
            "category": "UserManagement", "correlationId": self._id(),
            "result": "success", "resultReason": "",
            "activityDisplayName": operation,
            "activityDateTime": self._time(),
            "loggedByService": "Core Directory", "operationType": "Update",
            "userAgent": None, "initiatedBy": {"user": user},
            "targetResources": [target],
            "additionalDetails": [{"key": "User-Agent", "value": AGENT}]}
        return json.dumps({
            "time": self._time(),
            "resourceId": f"/tenants/{TENANT_ID}/providers/Microsoft.aadiam",
            "operationName": operation, "operationVersion": "1.0",
            "category": "AuditLogs", "tenantId": TENANT_ID,
            "resultSignature": "None", "durationMs": 0,
            "callerIpAddress": "198.51.100.7", "correlationId": self._id(),
            "Level": 4, "properties": properties},
            separators=(",", ":")).encode() + b"\n"

    def _candidate(self, matches):
        upn = self._person()
        if matches:
            upn = f"Sync_DC{self._random.randrange(100)}_0123@contoso.com"
        return self._text(self._random.choice(OPERATIONS), upn)

    def misses(self, count):
        """Give records of other operations."""
        return (self._random.choice(self._pool) for _ in range(count))

    def matches(self, count):
        """Give records of the rule's operations on sync accounts."""
        return (self._candidate(True) for _ in range(count))

    def candidates(self, count):
        """Give records of the rule's operations on ordinary accounts."""
        return (self._candidate(False) for _ in range(count))

    def mixed(self, count):
        """Give records of which one in CANDIDATE_IN is a candidate."""
        for number in range(count):
            if number % CANDIDATE_IN != CANDIDATE_IN // 2:
                yield self._random.choice(self._pool)
            else:
                yield self._candidate(
                    number // CANDIDATE_IN % MATCH_IN == MATCH_IN // 2)

    def archived(self, count):
        """Give the same as an archive has it: up to now, one by one.

        What a record tells of happened in the second before its own.
        """
        begin = self._moment - datetime.timedelta(
            seconds=count / ARCHIVED_IN_SECOND + 1)
        second = b""
        for number, record in enumerate(self.mixed(count)):
            place = number % ARCHIVED_IN_SECOND
            if place == 0:
                before = second or begin.strftime("%FT%T").encode()
                begin += datetime.timedelta(seconds=1)
                second = begin.strftime("%FT%T").encode()
            ticks = place * 10 ** 7 // ARCHIVED_IN_SECOND
            yield timed(record, b"%s.%07dZ" % (second, ticks),
                        b"%s.%07dZ" % (before, self._random.randrange(10 ** 7)))


def timed(record, time, activity):
    """Give a record other times, as long as its own."""
    at = record.index(ACTIVITY) + len(ACTIVITY)
    return b"".join((TIME, time, record[len(TIME) + len(time):at], activity,
                     record[at + len(activity):]))


def write(path, records):
    """Write the records into a file that everybody can read."""
    with open(path, "wb") as file:
        file.writelines(records)
    path.chmod(0o644)
    return path


def role_rows(count):
    """Give rows of a role list, none of them a sync account's, as a CSV."""
    moment = datetime.datetime.now(datetime.timezone.utc)
    moment -= datetime.timedelta(hours=1)
    time = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    yield (b"TimeGenerated,AccountUPN,AccountObjectId,AccountDisplayName,"
           b"AssignedRoles\n")
    for number in range(count):
        yield (f"{time},user{number}@contoso.com,"
               f"{number:08x}-2222-4333-8444-555555555555,User {number},"
               '"[""Directory Readers""]"\n').encode()
