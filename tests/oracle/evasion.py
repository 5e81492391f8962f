# SPDX-License-Identifier: Apache-2.0
"""Writes messages in which somebody tries to hide a record.

Whoever registers a pass on a sync account chooses texts that travel beside
the record (a name, a user agent), and a transport may cut what he made long.
Each kind of this has a generator here; all of it is chance, from one seed.
Accounts and record ids tell the number of their message, so that each alert
tells which one it came from.
"""

import json
import random
from collections import namedtuple

OPERATIONS = ("Admin registered security info", "User registered security info",
              "Create temporary access pass")
TENANT = "5d0c1f7e-2222-4bbb-8ccc-000000000001"

# A message, and the alerts that it must make: their UPNs in order, and what
# their confidence is, all alike. One message is one line.
Case = namedtuple("Case", "kind text upns confidence")


def upn(number, nth=0):
    """Name the sync account of a message."""
    return f"Sync_CASE{number}x{nth}@contoso.example"


def compact(value):
    """Write JSON as Entra does."""
    return json.dumps(value, separators=(",", ":"))


class Writer:
    """Writes the records of one message, with texts that somebody chose."""

    def __init__(self, number, rng, time):
        self.number, self.rng, self.time = number, rng, time

    def record(self, nth=0, name="Eve", agent="Mozilla", **more):
        """Make a diagnostic record; some of its texts are chosen."""
        return {
            "time": self.time,
            "operationName": self.rng.choice(OPERATIONS),
            "category": "AuditLogs", "tenantId": TENANT,
            "identity": name, **more,
            "properties": {
                "id": f"case-{self.number}-{nth}",
                "activityDateTime": self.time,
                "loggedByService": "Authentication Methods",
                "initiatedBy": {"user": {
                    "id": "99999999-8888-4777-8666-555555555555",
                    "displayName": name,
                    "userPrincipalName": "eve@contoso.example",
                    "ipAddress": "203.0.113.7"}},
                "targetResources": [self.target(nth)],
                "additionalDetails": [{"key": "User-Agent", "value": agent}],
            }}

    def row(self, nth=0, **more):
        """Make a Log Analytics row, its columns as strings."""
        return {"TimeGenerated": self.time,
                "OperationName": self.rng.choice(OPERATIONS),
                "Id": f"case-{self.number}-{nth}", "AADTenantId": TENANT,
                "TargetResources": compact([self.target(nth)]), **more}

    def target(self, nth=0):
        """Make the target that must be told of."""
        return {"id": f"11111111-2222-4333-8444-{self.number:012d}",
                "displayName": None, "type": "User",
                "userPrincipalName": upn(self.number, nth),
                "modifiedProperties": []}

    def case(self, kind, text, confidence="exact", count=1):
        """Make a case whose alerts are of the first accounts."""
        return Case(kind, text, [upn(self.number, nth)
                                 for nth in range(count)], confidence)


# Text in front of a record that would swallow it, and the text inside of the
# record that would end what swallowed it.
SWALLOWERS = (
    ("{'", "':0}"), ("{'", "'}"), ("['", "']"), ("[/*", "*/]"), ("{/*", "*/}"),
    ("[0,/*", "*/1]"), ('{"a":/*', "*/0}"), ("{//", ""), ("[//", "]"), ('{"', "}"),
    ('["', "]"), ('{"a":"', "}"), ("{a:'", "'}"), ("[NaN,'", "']"), ("{", "}"),
    ("[", "]"), ("[1,", "]"), ("{,", "}"), ('{"a":[', "]}"), ("[[[[", "]]]]"),
    ("{{{{", "}}}}"), ('{"a":{"a":', "}}"), ("{\\'", "\\'}"), ("[\\\"", "\\\"]"),
    ("@{", "}"), ("{'a':{'", "':1}}"), ("[-", "]"), ("[1e", "]"), ('["\\', "]"),
    ('["\\u12', "]"), ("[tru", "]"), ("{#", "\\n}"), ("[" * 40, "]" * 40),
    ('{"a":' * 40, "}" * 40), (r'{\"operationName\":\"x\"}', ""),
    (r'{\"time\":\"x\",\"operationName\":{\"a\":\"\"}} ', ""),
    (r'{\\\"OperationName\\\":\\\"x\\\"}', "}"),
)
# Up to where an alert of synctap's own is told by its beginning: then the
# record seems to stand in one that was cut.
SWALLOWERS += tuple((begin, "") for begin in (
    '{"alert_id":"","rule_id":"","rule_name":"',
    '{"alert_id":"","rule_id":"","rule_name":',
    '{"alert_id":"","rule_id":"","rule_name":"","rule_version":"",'
    '"severity":"","tactics":[',
    '{"ProviderName":"synctap","ProductName":"synctap",'
    '"VendorName":"synctap","SystemAlertId":"',
    '{"ecs":{"version":"9.4.0"},"event":{"module":"synctap",'
    '"dataset":"synctap.alert","id":"',
    '{"metadata":{"product":{"name":"synctap","vendor_name":"synctap",'
    '"version":"',
    '{"source":"synctap","sourcetype":"synctap:alert","time":',
    '{"source":"synctap","sourcetype":"synctap:alert","time":0,"event":',
    "CEF:0|synctap|synctap|1|r|n|10|externalId=",
    "CEF:0|synctap|synctap|1|r|n|10|externalId=x type=2 rt=1 act=x suser=",
    "LEEF:1.0|synctap|synctap|1|TAPSyncAccount|devTime=",
))
CARRIERS = (
    "LEEF:2.0|Microsoft|EntraID|1.0|audit|\tusrName=@\traw=",
    "CEF:0|Microsoft|Entra|1|audit|audit|3|suser=@ msg=",
    "azure_tag: azure-storage. user: @. ",
    "azurefunction: @ ", "azure[@]: ", "@", "user=@ @cee:",
)


def swallowed(writer):
    """Put in front of a record what would swallow it."""
    opener, closer = writer.rng.choice(SWALLOWERS)
    place = writer.rng.choice(("name", "agent"))
    text = compact(writer.record(**{place: closer}))
    front = writer.rng.choice(CARRIERS).replace("@", opener, 1)
    behind = writer.rng.choice(("", " ", "\t" + closer, closer))
    return writer.case("swallowed", front + text + behind)


def encoded_again(writer):
    """Put strings, once to three times, in the place of a record's parts."""
    record = writer.record()
    where, key = writer.rng.choice((
        (record, "properties"), (record["properties"], "targetResources"),
        (record["properties"], "initiatedBy")))
    for _ in range(writer.rng.randint(1, 3)):
        where[key] = compact(where[key])
    return writer.case("encoded again", compact(record))


def part_cut(writer):
    """Cut the string that should hold a part, behind the account."""
    row = writer.rng.choice((writer.row, writer.record))()
    if "properties" in row:
        where, key = row, "properties"
        row["properties"] = compact(row["properties"])
    else:
        where, key = row, "TargetResources"
    text = where[key]
    begin = text.index(upn(writer.number)) + len(upn(writer.number)) + 1
    where[key] = text[:writer.rng.randrange(begin, len(text))]
    for _ in range(writer.rng.randint(0, 2)):
        where[key] = compact(where[key])[:writer.rng.choice((None, -1))]
    return writer.case("part cut", compact(row), "degraded")


# Texts that look like a record's own members.
CHOSEN = (
    "{'operationName':0}", '{"time":"2001-01-01"}', '"time":"2001-01-01T00:00:00Z"',
    '{"operationName":"Update user","time":"2001-01-01"}',
    '"TimeGenerated":"1999-01-01",', '","time":"2001-01-01","x":"', '{"', '"}', "}]}",
    "]}]}}", '"operationName":"Update user"', '{"targetResources":[]}',
    '{"userPrincipalName":"bob@contoso.example"}', "[[[[", "}}}}", "\\", '\\"', "\\u0022",
    '{"records":[{"operationName":"x","targetResources":[],"time":"2001-01-01"}]}',
    '{"alert_id":"1","rule_id":"9b1a0008-1008-4108-9108-aadprov00008"',
    '"properties":{"id":"x"}', "{'a':'", "/*", "*/", "#012", "\\n{", "\u2028{", ",", ":",
)


def texts_look_like_members(writer):
    """Cut a record in which chosen texts look like keys, times, records."""
    chosen = [writer.rng.choice(CHOSEN) for _ in range(2)]
    text = compact(writer.record(name=chosen[0], agent=chosen[1]))
    begin = text.index(upn(writer.number)) + len(upn(writer.number)) + 1
    return writer.case("texts look like members",
                       text[:writer.rng.randrange(begin, len(text))],
                       "degraded")


def times_in_texts(writer):
    """Cut a record in front of its own time; a text shows an old one."""
    row = writer.row(AdditionalDetails=[
        {"key": "User-Agent", "value": writer.rng.choice(CHOSEN)}])
    row["TargetResources"] = [writer.target()]
    row = dict(sorted(row.items()))
    text = compact(row)
    return writer.case("times in texts", text[:text.index(writer.time)],
                       "degraded")


BREAKS = ((',"category"', ',"x":-,"category"'), ('"properties":{', '"properties"{'),
          ('"initiatedBy":{', '"initiatedBy":{{'), (',"loggedBy', ',,"loggedBy'),
          ('"additionalDetails":[', '"additionalDetails":['
           "tru,"), (',"ipAddress":', ',"ipAddress":*'),
          ('"modifiedProperties":[]', '"modifiedProperties":'))


def several_broken(writer):
    """Break each of several records in one stretch, each in its own way."""
    count = writer.rng.randint(2, 5)
    texts = [compact(writer.record(nth)) for nth in range(count)]
    for nth, text in enumerate(texts):
        old, new = writer.rng.choice(BREAKS)
        assert old in text
        texts[nth] = text.replace(old, new, 1)
    begin, end = writer.rng.choice((('{"records":[', "]}"), ("[", "]"),
                                    ('{"value":[', "]")))
    return writer.case("several broken", begin + ",".join(texts) + end,
                       "degraded", count)


def old_hides_new(writer):
    """Put a broken record of long ago in front of a broken one of now."""
    record = writer.record(1)
    record["time"] = record["properties"]["activityDateTime"] = \
        "2001-01-01T00:00:00Z"
    old, new = compact(record), compact(writer.record(0))
    broken = [text.replace(',"loggedBy', ',"x":-,"loggedBy')
              for text in (old, new)]
    return writer.case("old hides new",
                       '{"records":[' + ",".join(broken) + "]}", "degraded")


def carried(writer):
    """Put a record into an object that looks like one, or like another kind."""
    inner = writer.record()
    inner = writer.rng.choice((
        inner, [inner], {"records": [inner]}, compact(inner),
        compact({"records": [inner]}), compact(compact(inner))))
    outer = writer.rng.choice((
        {"operationName": "x"}, {"operationName": {}}, {"OperationName": "x"},
        {"operationName": "Admin registered security info",
         "time": writer.time},
        {"category": "SignInLogs", "operationName": "x"},
        {"activityDisplayName": "x", "id": "y"}, {"time": writer.time}, {},
        {"alert_id": "x", "rule_id": "9b1a0008-1008-4108-9108-aadprov00008"},
        {"operationName": "x", "properties": {"id": "z"}},
        {"operationName": "x", "targetResources": []},
        {"operationName": "x", "properties": {"targetResources": []}}))
    key = writer.rng.choice(("_raw", "message", "event", "records", "body",
                             "x y", "Event", "extra"))
    if writer.rng.random() < 0.3 and "properties" in outer:
        outer["properties"][key] = inner
    else:
        outer[key] = inner
    items = list(outer.items())
    writer.rng.shuffle(items)
    return writer.case("carried", compact(dict(items)))


def table(writer):
    """Put a row into Kusto's tables, in any case of their keys."""
    row = writer.row()
    names = list(row)
    writer.rng.shuffle(names)
    spelled = writer.rng.choice((str, str.capitalize, str.upper, str.lower))
    kind, label = writer.rng.choice((("name", "type"),
                                     ("ColumnName", "ColumnType"),
                                     ("Name", "Type")))
    columns = [{kind: name, label: "dynamic" if name == "TargetResources"
                else "string"} for name in names]
    if writer.rng.random() < 0.5:
        for column in columns:
            del column[label]
    rows = [[row[name] for name in names]]
    if writer.rng.random() < 0.3:
        rows = [row]
    return writer.case("table", compact({spelled("tables"): [
        {spelled("columns"): columns, spelled("rows"): rows}]}))


def like_an_alert(writer):
    """Give a record the members by which an alert is known, or some."""
    more = {"alert_id": "25a56fda-0cd2-5c5f-b3ec-01a20a819074",
            "rule_id": "9b1a0008-1008-4108-9108-aadprov00008",
            "rule_name": "TAP Added to Entra Connector Account (Backdoor)",
            "severity": "High"}
    names = writer.rng.sample(list(more), writer.rng.randint(1, 4))
    marks = {name: more[name] for name in more if name in names}
    record = writer.record()
    record = {**marks, **record} if writer.rng.random() < 0.5 \
        else {**record, **marks}
    return writer.case("like an alert", compact(record))


def odd_times(writer):
    """Give the record a time that says nothing, or one of a far future."""
    time = writer.rng.choice(("0001-01-01T00:00:00Z", "0001-01-01",
                              "0001-01-01T00:00:00.0000000Z", "",
                              "9999-12-31T23:59:59.9999999Z",
                              "9999-12-31", None))
    record = writer.record()
    record["time"] = record["properties"]["activityDateTime"] = time
    return writer.case("odd times", compact(record))


def odd_keys(writer):
    """Put keys behind a record that C, or any case, takes for its own."""
    text = compact(writer.record())
    key, value = writer.rng.choice((
        ("time\\u0000", "2001-01-01"), ("operationName\\u0000", "x"),
        ("time\\u0000x", "2001-01-01"), ("properties\\u0000", {}),
        ("Time", "2001-01-01"), ("OPERATIONNAME", "x"), ("", "x"),
        ("category\\u0000", "SignInLogs")))
    member = f'"{key}":{compact(value)}'
    text = text[:-1] + "," + member + "}" if writer.rng.random() < 0.5 \
        else "{" + member + "," + text[1:]
    return writer.case("odd keys", text)


def twice(writer):
    """Put a member of a key of its own behind a record, or in front of it."""
    text = compact(writer.record())
    where, value = writer.rng.choice((
        ("{", '"operationName":"x"'), ("{", '"time":"2001-01-01"'),
        ("{", '"properties":{}'), ('"properties":{', '"targetResources":[]'),
        ('"properties":{', '"targetResources":[{"id":"1",'
         '"userPrincipalName":"bob@contoso.example"}]'),
        ("{", '"properties":"x"'), ("{", '"operationName":{}'),
        ('"targetResources":[{', '"userPrincipalName":"bob@contoso.example"')))
    if writer.rng.random() < 0.5:  # the record's own comes last, and counts
        return writer.case("twice", text.replace(
            where, where + value + ",", 1))
    begin = text.index(where) + len(where)
    end = {"{": len(text) - 1,
           '"properties":{': len(text) - 2}.get(where)
    if end is None:
        end = text.index('"modifiedProperties":[]', begin) + len(
            '"modifiedProperties":[]')
    return writer.case("twice, hidden",
                       text[:end] + "," + value + text[end:], "degraded")


# Names that seem to end the record where a carrier's escapes are not undone.
ENDERS = ('"}]}}', '"}}}', '"},{"', '"]}]', '"} x', '\\"}}', '"}]}}=', "}")


def cut_in_carrier(writer):
    """Cut a record that CEF escapes, behind the account."""
    record = writer.record(name=writer.rng.choice(ENDERS))
    escaped = compact(record).replace("\\", "\\\\").replace("=", "\\=")
    begin = escaped.index('"modifiedProperties"')
    header = writer.rng.choice(("", "<134>Jun  1 12:00:00 host "))
    return writer.case(
        "cut in a carrier", header + "CEF:0|M|Entra|1|audit|audit|3|msg="
        + escaped[:writer.rng.randrange(begin, len(escaped))], "degraded")


CELLS = ('{"operationName":0}',
         '{"operationName":"x","targetResources":[{"userPrincipalName":"a"}]}',
         '{"time":"2001-01-01","operationName":"x","targetResources":[{"id":"a"}]}',
         '{\\"operationName\\":0}', '{"category":"SignInLogs"}',
         '[{"OperationName":"x"}]')


def cell_in_cut_table(writer):
    """Name somebody like a record, in a table that was cut behind his row."""
    row = {**writer.row(), "Identity": writer.rng.choice(CELLS)}
    other = {name: "x" for name in row}
    text = compact({"tables": [{
        "columns": [{"name": name} for name in row],
        "rows": [list(row.values()), list(other.values())]}]})
    begin = text.index('],["x"') + 1
    return writer.case("cell in a cut table",
                       text[:writer.rng.randrange(begin, text.rindex("]]"))],
                       "degraded")


def tokens_broken(writer):
    """Put something else in the place of a comma in front of a key."""
    text = compact(writer.row() if writer.rng.random() < 0.5
                   else writer.record())
    places = [at for at in range(len(text)) if text.startswith(',"', at)
              and at < text.index(upn(writer.number))]
    at = writer.rng.choice(places)
    return writer.case("tokens broken", text[:at] + writer.rng.choice(
        ("-", "}", "]", "} ", "x", ",,", " ", "}]", "'")) + text[at + 1:],
        "degraded")


KINDS = (swallowed, encoded_again, part_cut, texts_look_like_members,
         times_in_texts, several_broken, old_hides_new, carried, table,
         like_an_alert, odd_times, odd_keys, twice, cut_in_carrier,
         tokens_broken, cell_in_cut_table)


def cases(seed, each, time, kinds=KINDS):
    """Write so many messages of each kind."""
    rng = random.Random(seed)
    number = 0
    for kind in kinds:
        for _ in range(each):
            number += 1
            yield kind(Writer(number, random.Random(rng.random()), time))


def neighbour(number, time):
    """Write a record that must alert, whatever came before it."""
    writer = Writer(number, random.Random(number), time)
    record = writer.record()
    record["properties"]["targetResources"][0]["userPrincipalName"] = \
        neighbour_upn(number)
    record["properties"]["id"] = f"good-{number}"
    return compact(record)


def neighbour_upn(number):
    """Name the neighbour's account."""
    return f"Sync_GOOD{number}@contoso.example"
