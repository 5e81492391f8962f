"""Random tenants: audit records and a role list that try the rule's edges.

A tenant is made from a seed and an instant, and consists of abstract rows in
the query's own terms (see rule.py). rendering.py writes them as the JSON that
a collector meets. Nearly every rare thing here is rare in real life too, but
each of them has been seen somewhere or is how somebody would hide.

Where the law is silent (letters that fold in some tables only, numbers such
as 1.0, slashes inside a JSON text, an operation that is an array) nothing is
made, so a difference between the detector and the oracle is never a matter of
taste.
"""

import json
import random
import re
import uuid

import kql
import rule
from kql import MISSING
from ticks import DAY, HOUR, MINUTE, SECOND

ROLE, OTHER_ROLE = rule.RULE.roles
ROLE_TEMPLATES = ("d29b2b05-8046-44ba-8758-1e26182fcf32",
                  "a92aed5d-d78a-4d16-b381-09adb37eb3b0")
SERVICE_ACCOUNT = rule.RULE.displayname_has[0]
SYNC_PHRASE = rule.RULE.upn_has[0]

MATCHING_OPERATIONS = rule.RULE.operations + (
    "Admin registered security info.",
    "ADMIN REGISTERED SECURITY INFO",
    "user registered Security Info",
    "Admin issued temporary access pass",
    "(Preview) Create temporary access pass for user",
    "Issue temporary access pass; Admin",
    "_Register security info_",
    "Admin registered security info \u2013 done",
    "\U0001f511Register security info\U0001f511",
    "Recreate temporary access pass, Create temporary access pass",
    "Register security info\ufffd",
    "Create temporary access pass \"quoted\" \\ back",
)

OTHER_OPERATIONS = (
    "Recreate temporary access pass",
    "Admin registered security information",
    "Create temporary access passes",
    "Admin  registered security info",
    "Register  security info",
    "Create-temporary-access-pass",
    "Create temporary access\u2013pass",
    "Register security\u00a0info",
    "Register security infos",
    "Register security info\u00e9",
    "\u0436Register security info",
    "xAdmin registered security info2",
    "Regi\u017fter security info",
    "Create temporary acce\u017fs pass",
    "\u0130ssue temporary access pass",
    "\uff32egister security info",
    "Admin registered security inf",
    "Admin deleted security info",
    "User deleted security info",
    "User registered all required security info",
    "User started security info registration",
    "Reset password (by admin)",
    "Update user",
    "Update user.",
    "Update application \u2013 Certificates and secrets management ",
    "",
)

# What the second name of an operation may be, where it is another one.
SECOND_NAMES = ("Update user", "Register security info",
                "Register security info\u00e9", "Delete user")

# Not a string: Azure Activity records on the same hub, and broken exporters.
FOREIGN_OPERATIONS = (
    {"value": "Register security info",
     "localizedValue": "Register security info"},
    {}, 7, None,
)

MATCHING_UPNS = (
    "Sync_", "SYNC_HOST01@{domain}", "sync_srv_2@{domain}",
    "Sync_\u0000x@{domain}", "Sync_\u00fc\U0001f511@{domain}",
    "Sync_ @{domain}", "Sync_DirSync@{domain}",
    "dirsync@{domain}", "svcDIRSYNC01@{domain}", "AADDirSyncAcct@{domain}",
    "x\u00e9DirSync\u00e9@{domain}",
    SYNC_PHRASE, SYNC_PHRASE.upper(), SERVICE_ACCOUNT,
    "The " + SYNC_PHRASE.lower() + "_x@{domain}",
    "\u00ab" + SYNC_PHRASE + "\u00bb", SYNC_PHRASE + "\U0001f511",
    "x" + SYNC_PHRASE + " " + SYNC_PHRASE,
    "a\"" + SYNC_PHRASE + "\\b", SYNC_PHRASE + "\ufffd",
)

# The UPN of a deleted user has 32 hexadecimal digits in front.
DELETED_UPNS = (
    "4f1c2b3a4f1c2b3a4f1c2b3a4f1c2b3aSync_x@{domain}",
    "4F1C2B3A4F1C2B3A4F1C2B3A4F1C2B3Async_HOST1@{domain}",
)

OTHER_UPNS = (
    "", " Sync_x@{domain}", "Sync-x@{domain}", "sync-host@{domain}",
    "Sync", "SyncX@{domain}", "xSync_y@{domain}", "\ufeffSync_x@{domain}",
    "\uff33ync_x@{domain}", "\u0405ync_x@{domain}", "\u017fync_x@{domain}",
    "4f1c2b3a4f1c2b3a4f1c2b3a4f1c2b3Sync_x@{domain}",
    "4f1c2b3a4f1c2b3a4f1c2b3a4f1c2b3a4Sync_x@{domain}",
    "4f1c2b3a4f1c2b3a4f1c2b3a4f1c2b3gSync_x@{domain}",
    "dir-sync@{domain}", "dir sync@{domain}", "Dir\u017fync@{domain}",
    "D\u0130rSync@{domain}", "DirSyn@{domain}", "D\u0131rSync@{domain}",
    "x" + SYNC_PHRASE, SYNC_PHRASE + "s", SYNC_PHRASE + "\u00e9",
    "\u0436" + SYNC_PHRASE, SYNC_PHRASE + "2",
    SYNC_PHRASE.replace("-", " "), SYNC_PHRASE.replace("-", "\u2010"),
    SYNC_PHRASE.replace(" ", "  "), "On-Premises Directory",
)

ORDINARY_NAMES = (
    "anna.berg", "B.O'Neill", "jos\u00e9.nu\u00f1ez", "\u041c\u0438\u0440",
    "K.Kova\u0159", "kirk.k", "Karla.Kuk", "\u0130pek.\u0131rmak",
    "m\u00fcller", "\U0001f431.cat",
    "tab\there", "quote\"d", "back\\slash", "\u5c71\u7530", "bell\u0007",
)

DOMAINS = ("nordwind.example", "f\u00f6rde.example",
           "nordwind.onmicrosoft.example")

# What stands where a time belongs that is none: nothing, or something else.
NEVER_SET = "0001-01-01T00:00:00Z"
NO_TIMES = ("", None, "yesterday", "not a date", {}, [],
            "2026-13-45T99:99:99Z", MISSING, NEVER_SET)

REASONS = (
    "Admin registered temporary access pass method for user",
    "User registered temporary access pass method",
    "Admin registered phone method for user",
    "User registered App Password", "", None,
)


class Tenant:
    """What random_tenant made: audits and identities, and how."""

    def __init__(self, seed, now, audits, identities):
        self.seed = seed
        self.now = now
        self.audits = audits
        self.identities = identities


def random_tenant(seed, now, live=False, wide=False):
    """Make the tenant of that seed as it stands at `now`.

    live: for a detector with a clock of its own. Times keep an hour's distance
    from every edge, each record has a readable one, and no record comes
    twice, since a stream must not alert twice for a row.

    wide: more of what only wide semantics finds, and none of that on which
    wide is silent: an empty key in the role list (it makes all rows without a
    target match, whatever they hold), a second name for an operation that is
    no string, a second place for an initiator who is nobody.
    """
    rng = random.Random(f"tenant {seed}")
    domain = rng.choice(DOMAINS)
    accounts = random_accounts(rng, domain,
                         empties=not wide and _chance(rng, 1 / 6))
    identities = _identities(rng, accounts, now, live, wide)
    audits = AuditRows(rng, domain, accounts, now, live, wide)
    return Tenant(seed, now, audits.rows(rng.randint(15, 80)), identities)


def _guid(rng):
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def _chance(rng, part):
    return rng.random() < part


def _weighted(rng, choices):
    """Choose among (weight, thing) pairs."""
    weights, things = zip(*choices)
    return rng.choices(things, weights)[0]


def _mixed_case(rng, text):
    """Change the case of some letters, of those only that have one other."""
    return "".join(rng.choice((char, char.swapcase()))
                   if char.isascii() or char in "\u00e9\u0436" else char
                   for char in text)


# The role list.

class _Account:
    """An account, and the shape of its history in the role list."""

    def __init__(self, rng, upn, history, display="", object_id=None):
        self.upn = upn
        self.history = history
        self.display = display
        self.object_id = _guid(rng) if object_id is None else object_id


HISTORIES = ("by_role",) * 4 + (
    "ordinary", "ordinary", "ordinary", "lost", "lost", "regained", "stale",
    "stale_but_seen", "timeless", "tie", "tie")


def random_accounts(rng, domain, empties):
    """Make 6 to 25 accounts; with `empties`, keys that match the nameless."""
    accounts = [_account(rng, domain, number)
                for number in range(rng.randint(6, 25))]
    for account in rng.sample(accounts, 2):
        accounts.append(_Account(rng, _mixed_case(rng, str(account.upn)),
                                 rng.choice(HISTORIES)))
    if empties:
        accounts.append(_Account(rng, rng.choice(("", None)),
                                 rng.choice(HISTORIES)))
        rng.choice(accounts).object_id = rng.choice(("", None))
    return accounts


def _account(rng, domain, number):
    """Make one account; its role list history or its name decides on it."""
    kind = rng.random()
    if kind < 0.15:
        upn = f"Sync_HOST{number}_{rng.getrandbits(48):012x}@{domain}"
        return _Account(rng, _mixed_case(rng, upn), "ordinary",
                        SERVICE_ACCOUNT)
    if kind < 0.22:
        return _Account(rng, _upn_like(rng, OTHER_UPNS[1:], domain),
                        rng.choice(HISTORIES))
    upn = f"{rng.choice(ORDINARY_NAMES)}{number}@{domain}"
    if kind < 0.24:
        upn = rng.randint(10, 99)
    display = _weighted(rng, (
        (6, "User " + str(number)),
        (1, SERVICE_ACCOUNT),
        (1, _mixed_case(rng, SERVICE_ACCOUNT) + " (\u00fc)"),
        (1, "x" + SERVICE_ACCOUNT), (1, SERVICE_ACCOUNT + "\u00e9"),
        (1, SERVICE_ACCOUNT + "s"), (1, "\u0436" + SERVICE_ACCOUNT),
        (1, SERVICE_ACCOUNT + "\U0001f511"), (1, SYNC_PHRASE),
        (1, SERVICE_ACCOUNT.replace("-", " ")),
        (1, None), (1, 42), (1, {"first": "a"}), (1, "nul\u0000\"\\")))
    object_id = rng.randint(1, 9) if _chance(rng, 0.03) else None
    return _Account(rng, upn, rng.choice(HISTORIES), display, object_id)


def _upn_like(rng, patterns, domain):
    return rng.choice(patterns).replace("{domain}", domain)


def with_role(rng):
    """Give a value of AssignedRoles that names a sync role."""
    return _weighted(rng, (
        (4, [ROLE]),
        (2, ["Global Reader", ROLE]),
        (1, [OTHER_ROLE]),
        (1, [ROLE.upper()]),
        (1, ["Custom " + ROLE + " Reader"]),
        (1, ["a\"" + ROLE + "\""]),
        (1, ["\U0001f511 " + ROLE]),
        (1, {ROLE: 1}),
        (1, [{"name": ROLE}, None]),
        (1, ROLE),
        (1, "[\"" + ROLE + "\",\"Global Reader\"]")))


def with_template(rng):
    """Give a value of AssignedRoles that has a sync role's template id."""
    template = rng.choice(ROLE_TEMPLATES)
    return rng.choice(([template], ["Global Reader", template],
                       [template.upper()], json.dumps([template])))


def without_role(rng):
    """Give a value of AssignedRoles that names none, if only just."""
    return _weighted(rng, (
        (3, []), (2, None), (2, ["Global Reader"]), (1, {}), (1, ""),
        (1, ["Directory Synchronization Account"]),
        (1, ["On-Premises Directory Sync Account"]),
        (1, [ROLE + "2"]), (1, ["\u00e9" + ROLE]), (1, "[]"),
        (1, ["Directory", "Synchronization", "Accounts"]),
        (1, [1, True, None, 1.5]), (1, 3)))


def _identities(rng, accounts, now, live, wide):
    """Write every account's history, mostly in an order that means nothing.

    Of one account's rows at one instant the first wins, whichever that is.
    """
    rows = [identity_of(account, *row) for account in accounts
            for row in _history(rng, account.history, now, live, wide)]
    if _chance(rng, 0.7):
        rng.shuffle(rows)
    return rows


def identity_of(account, generated, roles):
    """Make a row of the role list for an account."""
    return {"TimeGenerated": generated, "AccountUPN": account.upn,
            "AccountObjectId": account.object_id,
            "AccountDisplayName": account.display, "AssignedRoles": roles}


def _history(rng, kind, now, live, wide):
    """Give the (time, roles) rows of one kind of history."""
    have, lack = with_role(rng), without_role(rng)
    if wide and _chance(rng, 0.3):
        have = with_template(rng)
    edge = now - 14 * DAY
    margin = HOUR if live else 0
    recent = now - rng.randint(margin, 5 * DAY)
    older = now - rng.randint(6 * DAY, 13 * DAY)
    gone = edge - rng.choice((margin, margin + 1, DAY, 300 * DAY))
    just_in = edge + margin + 1
    if kind == "by_role":
        latest = rng.choice((recent, older, just_in, now + 2 * HOUR))
        return [(latest, have)] + [(gone, lack)] * rng.randint(0, 1)
    return {
        "ordinary": [(recent, lack)],
        "lost": [(older, have), (recent, lack)],
        "regained": [(older, lack), (recent, have), (just_in, lack)],
        "stale": [(gone, have)],
        "stale_but_seen": [(gone, have), (just_in, lack)],
        "timeless": [(None, have)] + [(older, lack)] * rng.randint(0, 1),
        "tie": rng.sample([(older, have), (older, lack)], 2),
    }[kind]


# The audit records.

class AuditRows:
    """Makes audit rows against one role list."""

    def __init__(self, rng, domain, accounts, now, live, wide):
        self.rng = rng
        self.domain = domain
        self.accounts = accounts
        self.now = now
        self.live = live
        self.wide = wide
        self.number = 0

    def rows(self, count):
        """Make that many rows, some of them twice unless live."""
        rng = self.rng
        rows = [self.row() for _ in range(count)]
        if rng.random() < 0.3:
            rows = _same_instant(rng, rows)
        rows = [_with_no_time(row) for row in rows]
        if not self.live:
            rows += rng.choices(rows, k=rng.randint(0, 3))
        rng.shuffle(rows)
        return rows

    def row(self):
        """Make one row, with an id unlike any other of this maker's."""
        rng = self.rng
        operation = self._operation()
        initiator = self._initiated_by()
        return {
            "TimeGenerated": self._time(),
            "OperationName": operation,
            "ActivityName": self._second_name(operation),
            "TargetResources": self._judged_targets(),
            "InitiatedBy": initiator,
            "Result": _weighted(rng, (
                (6, "success"), (2, "failure"), (1, "SUCCESS"), (1, 0),
                (1, ""), (1, None), (1, MISSING))),
            "Id": self._id(),
            # Beside the query: what the other columns of a record may hold.
            "Reason": rng.choice(REASONS),
            "Identity": self._identity(initiator),
        }

    def _identity(self, initiator):
        """Make the second place for an initiator, which only wide may read.

        It is silent on what that says where the first names nobody.
        """
        user = kql.path(initiator, "user.userPrincipalName")
        if self.wide and not (user and isinstance(user, str)):
            return MISSING
        return self.rng.choice((MISSING, MISSING, "Sync_identity"))

    def _time(self):
        rng, now = self.rng, self.now
        edge = now - DAY
        margin = HOUR if self.live else 0
        exact = now - rng.randint(margin, DAY - margin - 1)
        choices = [
            (6, exact),
            (4, max(exact // SECOND * SECOND, edge + margin + SECOND)),
            (2, edge + margin + 1), (2, edge - margin),
            (1, edge - margin - 1),
            (1, now - rng.randint(25 * HOUR, 90 * DAY)),
            (1, now + rng.randint(HOUR, 30 * DAY)),
            (1, now + MINUTE)]
        if not self.live:
            choices.append((1, None))
        return _weighted(rng, choices)

    def _operation(self):
        return self.rng.choice(_weighted(self.rng, (
            (70, MATCHING_OPERATIONS), (25, OTHER_OPERATIONS),
            (5, FOREIGN_OPERATIONS))))

    def _second_name(self, operation):
        """Give the second name of an operation: the same, none, another."""
        if self.wide and not isinstance(operation, str):
            return MISSING
        return self.rng.choice(
            (operation,) * 6 + (MISSING, self.rng.choice(SECOND_NAMES)))

    def _id(self):
        """Make an id, unlike any other of this tenant."""
        rng = self.rng
        self.number += 1
        return _weighted(rng, (
            (6, f"Directory_{_guid(rng)}_{self.number:05d}"),
            (1, f"IAMUX_{_guid(rng)} M1N6X {self.number}"),
            (1, f"Sync_{_guid(rng)}_DirSync_{self.number}"),
            (1, f"\u00fc\"\\ {self.number}"),
            (1, self.number), (1, None), (1, MISSING)))

    def _initiated_by(self):
        value = self._plain_initiated_by()
        if self.wide and _chance(self.rng, 0.1):
            return json_in_string(self.rng, value)
        return value

    def _plain_initiated_by(self):
        rng = self.rng
        user = {"id": _guid(rng), "displayName": None,
                "userPrincipalName": f"admin@{self.domain}",
                "ipAddress": "203.0.113.7", "roles": []}
        app = {"appId": None, "displayName": "Policy \u00fcber Service",
               "servicePrincipalId": _guid(rng)}
        sync_user = dict(user, userPrincipalName=f"Sync_a@{self.domain}")
        return _weighted(rng, (
            (6, {"user": user}),
            (2, {"app": app}),
            (2, {"user": None, "app": app}),
            (1, {"user": user, "app": None}),
            (1, {"user": user, "app": app}),
            (1, {"user": sync_user}),
            (1, {"user": dict(user, userPrincipalName=""), "app": app}),
            (1, {"user": dict(user, userPrincipalName=None), "app": app}),
            (1, {"user": dict(user, userPrincipalName=12, ipAddress=34)}),
            (1, {"user": dict(user, userPrincipalName={"a": [1, None]})}),
            (1, {"user": dict(user, ipAddress=rng.choice(
                (None, "", "<null>", "&lt;null&gt;", "2001:db8::zz",
                 "203.0.113.7:4711", "2001:db8::7")))}),
            (1, {"user": {"userPrincipalName": "nobody \"\\\u0001\u0000"}}),
            (1, {"User": user}), (1, {"user": {
                "UserPrincipalName": "other@case", "IPAddress": "::1"}}),
            (1, {"user": "admin"}), (1, {"user": [user]}),
            (1, None), (1, MISSING), (1, {}), (1, []), (1, "admin"),
            (1, 5), (1, "{\"user\":{\"userPrincipalName\":\"a\"}}")))

    def _judged_targets(self):
        """Give targets, of which a stream can read each one.

        Of others it makes alerts of less confidence, which share incidents;
        what they show is no matter of the query.
        """
        made = self._target_resources()
        return MISSING if self.live and hides_targets(made) else made

    def _target_resources(self):
        if self.wide and _chance(self.rng, 0.25):
            return self._packed_targets()
        return self._plain_target_resources()

    def _packed_targets(self):
        """Give targets in the forms that only wide semantics unpacks."""
        rng = self.rng
        targets = [self._target() for _ in range(rng.randint(1, 3))]
        packed = rng.choice((targets, targets[0],
                             {str(index): one
                              for index, one in enumerate(targets)}))
        return rng.choice((packed, json_in_string(rng, packed)))

    def _plain_target_resources(self):
        rng = self.rng
        target = self._target()
        several = [self._target() for _ in range(rng.randint(2, 4))]
        return _weighted(rng, (
            (14, [target]),
            (8, several),
            (1, None), (1, MISSING), (1, []), (1, {}),
            (1, target),
            (1, {"0": target}),
            (1, [None, target, None]),
            (1, [target, "Sync_x", 5, True, [target], []]),
            (1, "Sync_" + self.domain), (1, 5), (1, True), (1, ""),
            (1, "[{\"userPrincipalName\":\"Sync_x\",\"id\":\"1\"}]")))

    def _target(self):
        """Make one target; the kinds go from harmless to just caught."""
        rng = self.rng
        account = rng.choice(self.accounts)
        kind = rng.choices(
            ("account", "moved", "renamed", "named", "stranger", "thing",
             "odd"), (5, 3, 3, 4, 3, 3, 2))[0]
        if kind == "account":
            return self._user(account.upn, account.object_id)
        if kind == "moved":
            return self._user(self._spelled(account.upn), _guid(rng))
        if kind == "renamed":
            return self._user(self._stranger(), _near_id(rng, account))
        if kind == "named":
            return self._user(
                _upn_like(rng, rng.choice((MATCHING_UPNS, OTHER_UPNS,
                                           DELETED_UPNS)), self.domain),
                _guid(rng))
        if kind == "stranger":
            return self._user(self._stranger(), _guid(rng))
        if kind == "thing":
            return self._thing(account)
        return self._odd(account)

    def _stranger(self):
        return f"{self.rng.choice(ORDINARY_NAMES)}@{self.domain}"

    def _spelled(self, upn):
        """Spell a UPN in another case, or almost in another case."""
        if not isinstance(upn, str):
            return upn
        return _weighted(self.rng, (
            (3, _mixed_case(self.rng, upn)), (1, upn),
            (1, upn + " "), (2, re.sub("[Kk]", "\u212a", upn)),
            (1, upn.replace("s", "\u017f"))))

    def _user(self, upn, object_id):
        """Make a user target; keys in the order in which they are seen."""
        rng = self.rng
        user = {"id": object_id, "displayName": rng.choice(
            (None, "User", "Sync_ display", "\U0001f511 \u00fc \"q\"")),
            "type": "User", "userPrincipalName": upn}
        if _chance(rng, 0.5):
            user["modifiedProperties"] = _access_pass(rng)
        if _chance(rng, 0.3):
            user["groupType"] = None
            user["administrativeUnits"] = []
        return user

    def _thing(self, account):
        """Make a target that is no user: a role, a group, an application."""
        rng = self.rng
        thing = {"id": rng.choice((_guid(rng), account.object_id)),
                 "displayName": rng.choice((ROLE, "Sync_ group", "App")),
                 "type": rng.choice(("Role", "Group", "Application"))}
        if _chance(rng, 0.5):
            thing["userPrincipalName"] = rng.choice((None, ""))
        return thing

    def _odd(self, account):
        """Make a target that only looks like one."""
        upn, object_id = account.upn, account.object_id
        return self.rng.choice((
            {"UserPrincipalName": "Sync_x", "Id": object_id},
            {"userprincipalname": upn, "ID": _guid(self.rng)},
            {"USERPRINCIPALNAME": "nobody", "iD": object_id},
            {"userPrincipalName": {"Sync_": [1, None, "DirSync"]}},
            {"userPrincipalName": ["Sync_x"], "id": ["1"]},
            {"userPrincipalName": 12, "id": 3},
            {"userPrincipalName": True, "id": 1.5},
            {"userPrincipalName": False, "id": {}},
            {"id": object_id},
            {"userPrincipalName": upn},
            {"user": {"userPrincipalName": "Sync_x"}},
            {},
        ))


def json_in_string(rng, value):
    """Write a value as a string that holds its JSON, as exports do."""
    if not isinstance(value, (dict, list)):
        return value
    return json.dumps(value, ensure_ascii=rng.random() < 0.5,
                      separators=rng.choice(((",", ":"), (", ", ": "))))


def _near_id(rng, account):
    """Give an account's object id, or one that is equal only nearly."""
    object_id = account.object_id
    if not isinstance(object_id, str):
        return object_id
    return _weighted(rng, ((5, object_id), (1, object_id.upper()),
                           (1, object_id + " "), (1, "{" + object_id + "}")))


def _same_instant(rng, rows):
    """Give some of the rows the time of another."""
    shared = rng.choice(rows)["TimeGenerated"]
    return [dict(row, TimeGenerated=shared) if rng.random() < 0.3 else row
            for row in rows]


STRING_LEVELS = 3


def unpacked(value):
    """Read what JSON in strings holds, and what stands beside its count."""
    if isinstance(value, str):
        inner = container_in(value)
        value = value if inner is None else inner
    if isinstance(value, dict) and {key.lower() for key in value} \
            == {"value", "count"}:
        array = unpacked(*(value[key] for key in value
                           if key.lower() == "value"))
        return array if isinstance(array, list) else value
    return value


def container_in(text):
    """Give the object or array that is in a string, however deep."""
    for _ in range(STRING_LEVELS):
        try:
            text = json.loads(text)
        except ValueError:
            return None
        if not isinstance(text, str):
            return text if isinstance(text, (dict, list)) else None
    return None


def hides_targets(value):
    """Tell whether a target, or all of them, cannot be read."""
    found = unpacked(value)
    targets = found if isinstance(found, list) else [found]
    return found is not MISSING and (
        any(map(_is_hidden, targets)) or _shows_name_elsewhere(targets))


def _shows_name_elsewhere(targets):
    """Tell whether a name stands where none is known to, and no other does."""
    written = json.dumps([
        {key: one for key, one in target.items() if key != "displayName"}
        for target in map(unpacked, targets) if isinstance(target, dict)])
    return "Sync_" in written and not any(
        key.lower() == "userprincipalname" and one
        and not isinstance(one, (dict, list))
        for target in map(unpacked, targets) if isinstance(target, dict)
        for key, one in target.items())


def _is_hidden(target):
    target = unpacked(target)
    if isinstance(target, str):
        return target.strip() not in ("", "null")
    return target is not None and not isinstance(target, dict)


def _with_no_time(row):
    """Choose what stands in a time's place, by a chance of its own."""
    if row["TimeGenerated"] is not None:
        return row
    chance = random.Random(f"no time {row['Id']}")
    return dict(row, Unread=chance.choice(NO_TIMES))


def _access_pass(rng):
    """Write the details of an access pass: JSON strings in strings."""
    prefix = "TemporaryAccessPass." * rng.randint(1, 2)
    values = {"Id": _guid(rng), "StartDateTime": "06-01-2026 12:00:00",
              "EndDateTime": "06-01-2026 13:00:00",
              "AccessPassUsage": rng.choice(("OneTime", "Multiple"))}
    return [{"displayName": prefix + name, "oldValue": None,
             "newValue": "\"" + value + "\""}
            for name, value in values.items()]
