"""The dialects a second time: how each is read, and what must be read of an alert.

`read` takes a rendering apart as its format's own text says, and refuses what
that does not allow. `expected` says what an alert must come back as: written
from the mapping, in the terms of what `read` gives.
"""

import ipaddress
import json
import re

import ticks

NAMES = ("securityalert", "cef", "leef", "ecs", "ocsf", "hec")
DESCRIPTION = 5000
DISPLAY_NAME = 256
MOST = 1023
EMAIL = re.compile(r"[a-zA-Z0-9!#$%&'*+-/=?^_`{|}~.]+"
                   r"@[a-zA-Z0-9-]+\.[a-zA-Z0-9-.]+")
LEVELS = {"exact": "High", "degraded": "Low"}
TACTICS = {"Persistence": ("TA0003", "Persistence"),
           "PrivilegeEscalation": ("TA0004", "Privilege Escalation")}


# --- readers ---------------------------------------------------------------


def read(name, line):
    """Take a rendering apart; what no reader would take is a ValueError."""
    if "\n" in line or "\r" in line:
        raise ValueError("more than one line")
    return {"cef": read_cef, "leef": read_leef,
            "securityalert": read_security_alert}.get(name, read_json)(line)


def read_json(line):
    """Read one JSON document whose keys stand once each."""
    return json.loads(line, object_pairs_hook=_object)


def _object(pairs):
    if len(dict(pairs)) != len(pairs):
        raise ValueError(f"a key stands twice: {[key for key, _ in pairs]}")
    return dict(pairs)


def read_security_alert(line):
    """Read the columns, and the JSON in those that are strings of it."""
    return {column: read_json(value) if column in (
        "Entities", "ExtendedProperties", "Techniques", "SubTechniques")
            else value for column, value in read_json(line).items()}


def read_cef(line):
    """Read ArcSight's CEF: (the seven fields of the header, the extension)."""
    fields, at = [], 0
    while len(fields) < 7:
        field, at = _header_field(line, at)
        fields.append(field)
    if fields[0] != "CEF:0":
        raise ValueError(f"it begins with {fields[0]!r}")
    if re.search(r"CEF:\d+\|", line[5:]):
        raise ValueError("a second header")
    return fields, _extension(line[at:])


def _header_field(line, at):
    field = ""
    while line[at] != "|":
        if line[at] == "\\":
            at += 1
            if line[at] not in "\\|":
                raise ValueError(f"an escape in the header: \\{line[at]}")
        field += line[at]
        at += 1
    return field, at + 1


def _extension(t):
    """Split at each key; a value goes on to the blank before the next one."""
    begins = list(re.finditer(r"(?:^| )(\w+)=", t))
    if not begins or begins[0].start() != 0:
        raise ValueError("the extension begins with no key")
    ends = [key.start() for key in begins[1:]] + [len(t)]
    pairs = [(key.group(1), _cef_value(t[key.end():end]))
             for key, end in zip(begins, ends)]
    return _object(pairs)


def _cef_value(written):
    if re.search(r"(?<!\\)(?:\\\\)*=", written):
        raise ValueError(f"a bare = in {written!r}")
    for escape in re.findall(r"\\(.|$)", written):
        if escape not in ("\\", "=", "n", "r"):
            raise ValueError(f"an escape that is none: \\{escape}")
    return re.sub(r"\\(.)", lambda found: {"n": "\n", "r": "\r"}.get(
        found.group(1), found.group(1)), written)


def read_leef(line):
    """Read LEEF 1.0: (the five fields of the header, the pairs)."""
    *fields, rest = line.split("|", 5)
    if fields[0] != "LEEF:1.0" or len(fields) != 5:
        raise ValueError(f"its header is {fields}")
    pairs = [pair.split("=", 1) for pair in rest.split("\t")]
    if any(len(pair) != 2 for pair in pairs):
        raise ValueError(f"a pair without = in {rest!r}")
    if "\0" in line:
        raise ValueError("a NUL")
    return fields, _object(pairs)


# --- what must be read -----------------------------------------------------


def expected(name, alert, version):
    """Give what `read` must give of an alert's rendering."""
    return {"cef": _cef, "leef": _leef, "ecs": _ecs, "ocsf": _ocsf,
            "hec": _hec, "securityalert": _security_alert}[name](alert,
                                                                 version)


def filled(value):
    """Give a value without what is empty in its objects, at any depth."""
    if isinstance(value, dict):
        inner = {key: filled(member) for key, member in value.items()}
        return {key: member for key, member in inner.items()
                if member is not None and member != "" and member != []
                and member != {}}
    if isinstance(value, list):
        return [filled(item) for item in value]
    return value


def milliseconds(time):
    """Give a time of an alert as milliseconds; None if it is no time."""
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z", time):
        return None
    since = ticks.parse(time) - ticks.parse("1970-01-01T00:00:00Z")
    return since // 10000 if since >= 0 else None


def version_of(address):
    """4, 6, or None for what is no address."""
    try:
        return None if "%" in address else ipaddress.ip_address(
            address).version
    except ValueError:
        return None


def cut(value, most):
    """Cut a text at so many bytes, but at no place inside a character."""
    return value.encode()[:most].decode(errors="ignore")


def short(value, most):
    """Cut a text at so many characters, as UTF-16 counts them."""
    return value.encode("utf-16-le")[:2 * most].decode(
        "utf-16-le", errors="ignore")


def match_reason(alert):
    """Say in words why it matched."""
    words = [",".join(alert["matched_by"])]
    words += ["row of the query"] if alert["kql"] else []
    words += ["confidence " + alert["confidence"]]
    words += [word for word in ("late", "selftest", "cut") if alert[word]]
    return "; ".join(words)


def _parent(technique):
    return technique.partition(".")[0]


def _cef(alert, version):
    header = ["CEF:0", "synctap", "synctap", version, alert["rule_id"],
              alert["rule_name"], "8"]
    incident = alert["incident"] or {}
    ip = alert["source_ip"]
    custom = {"cs1": ("MitreTechniques", ",".join(alert["techniques"])),
              "cs2": ("MitreTactics", ",".join(alert["tactics"])),
              "cs3": ("MatchReason", match_reason(alert)),
              "cs4": ("IncidentId", incident.get("id", "")),
              "cs5": ("AuditRecordId", alert["record_id"]),
              "cs6": ("RuleVersion", alert["rule_version"]),
              "c6a2": ("Source IPv6 Address",
                       ip if version_of(ip) == 6 else ""),
              "flexString1": ("Method", alert["method"]),
              "flexString2": ("TapUsage", alert["tap"]["usage"]),
              "deviceCustomDate1": ("TapEnd",
                                    milliseconds(alert["tap"]["end"]))}
    plain = {"externalId": alert["alert_id"], "type": 2,
             "rt": milliseconds(alert["detected_at"]),
             "start": milliseconds(alert["time_generated"]),
             "end": milliseconds(alert["time_generated"]),
             "act": cut(alert["operation_name"], 63),
             "outcome": cut(alert["result"], 63),
             "reason": alert["result_reason"], "suser": alert["actor"],
             "suid": alert["actor_id"],
             "src": ip if version_of(ip) == 4 else "",
             "shost": ip if version_of(ip) is None else "",
             "duser": alert["target_upn"], "duid": alert["target_id"],
             "deviceExternalId": cut(alert["tenant_id"], 255),
             "dvchost": cut(alert["collector"], 100),
             "sourceServiceName": alert["logged_by_service"],
             "cnt": incident.get("alert_count"),
             "msg": alert["display_name"] + ": " + alert["description"]}
    for key, (label, value) in custom.items():
        plain[key] = value
        plain[key + "Label"] = label if value not in ("", None) else ""
    return header, {key: _in_cef(str(value)) for key, value in plain.items()
                    if value not in ("", None)}


def _in_cef(value):
    """Give what a value looks like where a header in it is broken."""
    return re.sub(r"CEF:(?=\d+\|)", "CEF: ", cut(value, MOST).replace(
        "\0", " "))


def _leef(alert, version):
    header = ["LEEF:1.0", "synctap", "synctap", version, "TAPSyncAccount"]
    ip = alert["source_ip"]
    incident = alert["incident"] or {}
    pairs = {"alertId": alert["alert_id"], "cat": "SecurityInfoChange",
             "sev": 8, "devTime": milliseconds(alert["time_generated"]),
             "detectedAt": alert["detected_at"], "ruleId": alert["rule_id"],
             "policy": alert["rule_name"],
             "ruleVersion": alert["rule_version"],
             "title": alert["display_name"], "msg": alert["description"],
             "operation": alert["operation_name"], "usrName": alert["actor"],
             "actorId": alert["actor_id"],
             "src": ip if version_of(ip) else "",
             "srcName": "" if version_of(ip) else ip,
             "accountName": alert["target_upn"],
             "resource": alert["target_id"], "result": alert["result"],
             "reason": alert["result_reason"], "method": alert["method"],
             "tapEnd": alert["tap"]["end"], "tapUsage": alert["tap"]["usage"],
             "matchReason": match_reason(alert),
             "recordId": alert["record_id"],
             "correlationId": alert["correlation_id"],
             "domain": alert["tenant_id"],
             "service": alert["logged_by_service"],
             "identHostName": alert["collector"],
             "mitreTactics": ",".join(alert["tactics"]),
             "mitreTechniques": ",".join(alert["techniques"]),
             "incidentId": incident.get("id", "")}
    return header, {key: re.sub(r"[\t\r\n\0]|\\(?=[\\=|]|\Z)", " ", str(value))
                    for key, value in pairs.items()
                    if value not in ("", None)}


def _ecs(alert, version):
    ip = alert["source_ip"]
    users = [name for name in (alert["actor"], alert["target_upn"]) if name]
    site = "https://attack.mitre.org/"
    tactics = [TACTICS[word] for word in alert["tactics"]]
    result = alert["result"].lower()
    return filled({
        "ecs": {"version": "9.4.0"},
        "@timestamp": alert["time_generated"],
        "message": alert["display_name"],
        "event": {
            "module": "synctap", "dataset": "synctap.alert",
            "id": alert["alert_id"], "kind": "alert", "category": ["iam"],
            "type": ["user", "change"], "code": alert["rule_id"],
            "action": alert["operation_name"],
            "outcome": result if result in ("", "success", "failure")
            else "unknown",
            "reason": alert["result_reason"],
            "provider": alert["logged_by_service"],
            "severity": 73, "risk_score": 73,
            "start": alert["time_generated"],
            "created": alert["detected_at"]},
        "rule": {"id": alert["rule_id"], "name": alert["rule_name"],
                 "version": alert["rule_version"],
                 "description": alert["description"], "author": ["synctap"]},
        "user": {**_ecs_user(alert["actor"], alert["actor_id"]),
                 "target": _ecs_user(alert["target_upn"],
                                     alert["target_id"])},
        "source": {"ip": ip if version_of(ip) else "", "address": ip},
        "related": {"ip": [ip] if version_of(ip) else [],
                    "user": list(dict.fromkeys(users))},
        "cloud": {"provider": "azure", "account": {"id": alert["tenant_id"]}},
        "organization": {"id": alert["tenant_id"]},
        "observer": {"type": "sensor", "product": "synctap",
                     "version": version, "hostname": alert["collector"]},
        "threat": {
            "framework": "MITRE ATT&CK",
            "tactic": {
                "id": [tactic[0] for tactic in tactics],
                "name": [tactic[1] for tactic in tactics],
                "reference": [f"{site}tactics/{tactic[0]}/"
                              for tactic in tactics]},
            "technique": {
                **_ecs_techniques(alert["techniques"]),
                "subtechnique": _ecs_techniques(alert["sub_techniques"])}},
        "labels": {"matched_by": ",".join(alert["matched_by"])},
        "synctap": {name: alert[name] for name in (
            "method", "tap", "caller_ip", "kql", "confidence", "late",
            "record_id", "correlation_id", "incident", "selftest", "cut")}})


def _ecs_user(name, uid):
    return {"name": name, "email": name if "@" in name else "", "id": uid}


def _ecs_techniques(ids):
    return {"id": ids, "reference": [
        f"https://attack.mitre.org/techniques/{one.replace('.', '/')}/"
        for one in ids]}


def _ocsf(alert, version):
    actor = _ocsf_user(alert["actor"], alert["actor_id"])
    target = _ocsf_user(alert["target_upn"], alert["target_id"])
    ip = alert["source_ip"]
    detected, generated = (milliseconds(alert[name]) for name in (
        "detected_at", "time_generated"))
    data = {"result": alert["result"], "result_reason": alert["result_reason"]}
    return filled({
        "metadata": {
            "product": {"name": "synctap", "vendor_name": "synctap",
                        "version": version},
            "uid": alert["alert_id"], "version": "1.8.0",
            "profiles": ["cloud"], "event_code": alert["rule_id"],
            "original_time": alert["time_generated"],
            "original_event_uid": alert["record_id"],
            "correlation_uid": alert["correlation_id"],
            "tenant_uid": alert["tenant_id"],
            "log_provider": alert["logged_by_service"],
            "loggers": [{"name": alert["collector"]}]
            if alert["collector"] else []},
        "activity_id": 1, "category_uid": 2, "class_uid": 2004,
        "type_uid": 200401, "status_id": 1, "is_alert": True,
        "severity_id": 4, "severity": "High",
        "confidence_id": {"exact": 3, "degraded": 1}[alert["confidence"]],
        "confidence": LEVELS[alert["confidence"]],
        "time": detected, "start_time": generated, "end_time": generated,
        "message": alert["display_name"], "cloud": {"provider": "Azure"},
        "finding_info": {
            "uid": alert["alert_id"], "title": alert["display_name"],
            "desc": alert["description"], "created_time": detected,
            "analytic": {"uid": alert["rule_id"], "name": alert["rule_name"],
                         "version": alert["rule_version"], "type_id": 1,
                         "type": "Rule"},
            "attacks": _attacks(alert),
            "types": [alert["method"]] if alert["method"] else []},
        "evidences": [{
            "uid": alert["record_id"],
            "api": {"operation": alert["operation_name"],
                    "service": {"name": alert["logged_by_service"]},
                    "response": {"message": alert["result_reason"]}},
            "actor": {"user": actor},
            "src_endpoint": {"ip" if version_of(ip) else "name": ip},
            "user": target, "data": data}],
        "resources": [{"type": "User", "name": alert["target_upn"],
                       "uid": alert["target_id"]}]
        if alert["target_upn"] or alert["target_id"] else [],
        "observables": _observables(alert, ip),
        "unmapped": {name: alert[name] for name in (
            "matched_by", "kql", "confidence", "late", "tap", "caller_ip",
            "incident", "selftest", "cut")}})


def _ocsf_user(name, uid):
    return {"name": name, "uid": uid,
            "email_addr": name if EMAIL.fullmatch(name) else ""}


def _attacks(alert):
    parents = {_parent(one) for one in alert["sub_techniques"]}
    return [
        *({"tactic": {"name": TACTICS[word][1], "uid": TACTICS[word][0]}}
          for word in alert["tactics"]),
        *({"technique": {"uid": one}} for one in alert["techniques"]
          if one not in parents),
        *({"technique": {"uid": _parent(one)}, "sub_technique": {"uid": one}}
          for one in alert["sub_techniques"])]


def _observables(alert, ip):
    all_of_them = [
        ("evidences.actor.user.name", "User Name", 4, alert["actor"]),
        ("evidences.actor.user.uid", "User Unique ID", 31, alert["actor_id"]),
        ("evidences.src_endpoint.ip", "IP Address", 2,
         ip if version_of(ip) else ""),
        ("evidences.user.name", "User Name", 4, alert["target_upn"]),
        ("evidences.user.uid", "User Unique ID", 31, alert["target_id"])]
    return [{"name": name, "type": kind, "type_id": number, "value": value}
            for name, kind, number, value in all_of_them if value]


def _hec(alert, version):
    time = milliseconds(alert["time_generated"])
    return filled({
        "source": "synctap", "sourcetype": "synctap:alert",
        "time": time / 1000, "host": alert["collector"],
        "event": {
            "app": "synctap", "type": "alert", "id": alert["alert_id"],
            "signature_id": alert["rule_id"],
            "signature": alert["rule_name"],
            "rule_version": alert["rule_version"], "severity": "high",
            "message": alert["display_name"],
            "description": alert["description"],
            "detected_at": alert["detected_at"], "action": "modified",
            "object_attrs": alert["operation_name"],
            "src_user": alert["actor"], "src_user_id": alert["actor_id"],
            "src": alert["source_ip"], "user": alert["target_upn"],
            "user_id": alert["target_id"], "status": alert["result"],
            "reason": alert["result_reason"],
            **{name: alert[name] for name in (
                "method", "tap", "caller_ip", "matched_by", "kql",
                "confidence", "late", "record_id", "correlation_id",
                "selftest", "cut")},
            "vendor_account": alert["tenant_id"],
            "vendor_product": "Microsoft Entra",
            "service": alert["logged_by_service"],
            "mitre_technique_id": alert["techniques"]
            + alert["sub_techniques"],
            "incident_id": (alert["incident"] or {}).get("id", "")}})


def _security_alert(alert, version):
    properties = filled({
        "RuleVersion": alert["rule_version"],
        "Operation": alert["operation_name"], "Actor": alert["actor"],
        "ActorId": alert["actor_id"],
        "CallerIP": alert["caller_ip"], "TargetId": alert["target_id"],
        "Result": alert["result"], "ResultReason": alert["result_reason"],
        "Method": alert["method"], "TapId": alert["tap"]["id"],
        "TapStart": alert["tap"]["start"], "TapEnd": alert["tap"]["end"],
        "TapUsage": alert["tap"]["usage"],
        "MatchedBy": ",".join(alert["matched_by"]),
        **{name.capitalize(): json.dumps(alert[name])
           for name in ("kql", "late")},
        **{name.capitalize(): "true" for name in ("selftest", "cut")
           if alert[name]},
        "Confidence": alert["confidence"],
        "CorrelationId": alert["correlation_id"],
        "TenantId": alert["tenant_id"],
        "LoggedByService": alert["logged_by_service"],
        "Collector": alert["collector"]})
    return filled({
        "ProviderName": "synctap", "ProductName": "synctap",
        "VendorName": "synctap", "SystemAlertId": alert["alert_id"],
        "TimeGenerated": alert["detected_at"], "AlertType": alert["rule_id"],
        "AlertName": alert["rule_name"], "AlertSeverity": alert["severity"],
        "DisplayName": short(alert["display_name"], DISPLAY_NAME),
        "Description": short(alert["description"], DESCRIPTION),
        "StartTime": alert["time_generated"],
        "EndTime": alert["time_generated"],
        "ProcessingEndTime": alert["detected_at"], "Status": "New",
        "IsIncident": False, "ConfidenceLevel": LEVELS[alert["confidence"]],
        "CompromisedEntity": alert["target_upn"],
        "VendorOriginalId": alert["record_id"],
        "Tactics": ",".join(alert["tactics"]),
        "Techniques": alert["techniques"],
        "SubTechniques": alert["sub_techniques"],
        "Entities": alert["entities"],
        "ExtendedProperties": properties, "Type": "SecurityAlert"})
