# SPDX-License-Identifier: Apache-2.0
"""What judges an alert's renderings, most of it written by others.

A judge has a dialect, a name, words for what it lacks on this machine (empty:
nothing) and `errors`: it takes all alerts of its dialect as (alert, line) and
gives for each what is wrong. The schemas are looked for in ../shared/data, or
where SYNCTAP_SCHEMAS says.
"""

import csv
import functools
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
from collections import namedtuple

import dialects
import mmleefparse

SCHEMAS = pathlib.Path(os.environ.get("SYNCTAP_SCHEMAS") or pathlib.Path(
    __file__).resolve().parents[3] / "shared/data")
JSON_DIALECTS = ("ecs", "ocsf", "hec", "securityalert")
Judge = namedtuple("Judge", "dialect name missing errors")


def lacks(program):
    """Give what says whether a program is missing."""
    return lambda: "" if shutil.which(program) else f"no {program}"


def lacks_schema(name):
    """Give what says whether a schema is missing."""
    path = SCHEMAS / name
    return lambda: "" if path.exists() else f"no {path}"


def each(errors):
    """Give a judge of all lines out of one of an object."""
    return lambda alerts: [list(errors(json.loads(line)))
                           for _, line in alerts]


class Ocsf:
    """The schema's own sources, with what they extend and include."""

    def __init__(self, directory):
        self._directory = directory
        dictionary = self._load("dictionary.json")
        self._attributes = dictionary["attributes"]
        self._types = dictionary["types"]["attributes"]
        self._observables = {
            number for path in directory.rglob("*.json")
            for number in re.findall(r'"observable": *(\d+)',
                                     path.read_text())}

    @functools.lru_cache(maxsize=None)
    def _load(self, name):
        return json.loads((self._directory / name).read_text())

    @functools.lru_cache(maxsize=None)
    def _definition(self, path):
        """Give (attributes, constraints) of an object or a class."""
        found = self._load(path)
        attributes, constraints = {}, {}
        parent = found.get("extends")
        if parent:
            folders = ("events/", "events/findings/") \
                if path.startswith("events/") else ("objects/",)
            parents = [folder + parent + ".json" for folder in folders
                       if (self._directory / folder
                           / (parent + ".json")).exists()]
            if parents:
                attributes, constraints = self._definition(parents[0])
        attributes = dict(attributes)
        own = dict(found.get("attributes", {}))
        for profile in own.pop("$include", []):
            included = self._load(profile)
            for name, one in included["attributes"].items():
                attributes[name] = {"profile": included.get("name"), **one}
        for name, one in own.items():
            attributes[name] = {**attributes.get(name, {}), **one}
        return attributes, found.get("constraints", constraints)

    def errors(self, event):
        """Judge a Detection Finding; give what is wrong."""
        cloud = self._load("profiles/cloud.json")["attributes"]
        attributes, constraints = self._definition(
            "events/findings/detection_finding.json")
        return list(self._check_object(
            event, {**attributes, **cloud}, constraints, "",
            event["metadata"].get("profiles", [])))

    def _check_object(self, value, attributes, constraints, path, profiles):
        for name, member in value.items():
            if name not in attributes:
                yield f"{path}{name}: unknown"
                continue
            one = {**self._attributes[name], **attributes[name]}
            if one.get("profile") and one["profile"] not in profiles:
                yield f"{path}{name}: of profile {one['profile']}"
            if "@deprecated" in one:
                yield f"{path}{name}: deprecated"
            yield from self._check_member(member, name, one, path + name,
                                          attributes[name], profiles)
        for name, one in attributes.items():
            if one.get("requirement") == "required" and name not in value \
                    and (not one.get("profile")
                         or one["profile"] in profiles):
                yield f"{path}{name}: required"
        some = constraints.get("at_least_one") or []
        if some and not set(some) & set(value):
            yield f"{path}: none of {some}"

    def _check_member(self, member, name, one, path, local, profiles):
        is_list = isinstance(member, list)
        if is_list != bool(one.get("is_array")):
            yield f"{path}: array or not"
            return
        enum = {**self._attributes[name].get("enum", {}),
                **local.get("enum", {})}
        if path.endswith("observables.type_id"):
            enum.update(dict.fromkeys(self._observables))
        if name in ("category_uid", "class_uid"):
            enum = {}  # the schema's compiler fills them
        for item in member if is_list else [member]:
            if enum and str(item) not in enum:
                yield f"{path}: {item!r} is none of {list(enum)}"
            yield from self._check_value(item, one["type"], path, profiles)

    def _check_value(self, item, kind, path, profiles):
        if kind in ("object", "json_t"):
            return
        if kind not in self._types:
            yield from self._check_object(
                item, *self._definition(f"objects/{kind}.json"), path + ".",
                profiles) if isinstance(item, dict) else [f"{path}: object"]
            return
        rules = self._types[kind]
        base = rules.get("type", kind)
        right = {"string_t": str, "integer_t": int, "long_t": int,
                 "boolean_t": bool, "float_t": float}[base]
        if type(item) is not right:  # a bool is no int here
            yield f"{path}: {item!r} is no {base}"
        elif "regex" in rules and not re.search(rules["regex"], item):
            yield f"{path}: {item!r} is no {kind}"
        elif len(str(item)) > rules.get("max_len", 1 << 20):
            yield f"{path}: too long"


def ecs_errors(fields, event):
    """Judge a document by ECS's table of fields."""
    for path, value in flat(event):
        if path.startswith(("synctap.", "labels.")):
            continue
        rules = fields.get(path)
        if rules is None:
            yield f"{path}: unknown"
            continue
        if isinstance(value, list) != bool(rules.get("array")):
            yield f"{path}: array or not"
        items = value if isinstance(value, list) else [value]
        for item in items:
            if rules.get("allowed") and item not in rules["allowed"]:
                yield f"{path}: {item!r} is not allowed"
            right = {"long": int, "float": (int, float)}.get(
                rules["type"], str)
            if not isinstance(item, right):
                yield f"{path}: {item!r} is no {rules['type']}"
    for category in event["event"]["category"]:
        expected = fields["event.category"]["expected_event_types"][category]
        if not set(event["event"]["type"]) <= set(expected):
            yield f"event.type of {category}"


def flat(value, path=""):
    """Give the leaves of nested objects by their dotted names."""
    for name, member in value.items():
        if isinstance(member, dict):
            yield from flat(member, f"{path}{name}.")
        else:
            yield path + name, member


def column_errors(columns, row):
    """Judge a row by the table's columns."""
    kinds = {"string": str, "bool": bool, "real": float, "datetime": str}
    for name, value in row.items():
        if name not in columns:
            yield f"{name}: no such column"
        elif not isinstance(value, kinds[columns[name]]):
            yield f"{name}: {value!r} is no {columns[name]}"
        elif columns[name] == "datetime" and not re.fullmatch(
                r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z", value):
            yield f"{name}: {value!r} is no datetime"


@functools.lru_cache(maxsize=None)
def ocsf_schema():
    """Load the schema, once."""
    return Ocsf(SCHEMAS / "ocsf-1.8.0")


@functools.lru_cache(maxsize=None)
def ecs_fields():
    """Load the table of fields, once."""
    return json.loads((SCHEMAS / "ecs-9.4.0/fields.json").read_text())


@functools.lru_cache(maxsize=None)
def security_alert_columns():
    """Load the table's columns and their types, once."""
    with open(SCHEMAS / "securityalert-columns.csv",
              encoding="utf-8") as file:
        return {row["column"]: row["type"] for row in csv.DictReader(file)}


def normalized(alerts):
    """Judge CEF by liblognorm's parser: each value as the reader has it."""
    # 2.0.6 drops the first character of the first key.
    given = "\n".join(re.sub(r"\|externalId=", "|xfirst=1 externalId=", line,
                             count=1) for _, line in alerts) + "\n"
    with tempfile.TemporaryDirectory() as directory:
        rulebase = pathlib.Path(directory) / "cef.rulebase"
        rulebase.write_text("version=2\nrule=:%f:cef%\n")
        done = subprocess.run(
            ["lognormalizer", "-r", rulebase, "-e", "json"],
            input=given.encode(), capture_output=True, timeout=60, check=True)
    results = done.stdout.decode(errors="replace").split("\n")[:-1]
    return compared(alerts, map(normalized_values, results),
                    lambda line: read_of_cef(*dialects.read("cef", line)))


def normalized_values(result):
    """Give (id and name of the header, extension) of lognormalizer's line."""
    got = json.loads(result).get("f")
    if got is None:
        return result
    return [got["SignatureID"], got["Name"]], {
        key: value for key, value in got["Extensions"].items()
        if key not in ("first", "xfirst")}


def read_of_cef(header, extension):
    """Give the same of what our reader read."""
    return header[4:6], extension


def compared(alerts, results, expected):
    """Give what is wrong where results are not what is expected of a line."""
    results = list(results)
    if len(results) != len(alerts):
        return [[f"{len(alerts)} lines, but {len(results)} came"]] * len(
            alerts)
    return [list(unlike(got, line, expected))
            for (_, line), got in zip(alerts, results)]


def unlike(got, line, expected):
    """Give what is wrong with what was got of a line."""
    try:
        if got != expected(line):
            yield f"{got} of {line}"
    except (ValueError, IndexError) as why:
        yield f"{why} in {line}"


# Of an event of Splunk's collector: its envelope, and no value that is empty.
ENVELOPE = """{"event": "object", "host": "string", "source": "string",
"sourcetype": "string", "time": "number"} as $types
| [ (keys_unsorted[] | select($types[.] | not) | "\\(.): no such key"),
    ($types | to_entries[]) as $one | select((.[$one.key] | type)
        != $one.value) | "\\($one.key): no \\($one.value)" ]
+ [ paths(. == null or . == "" or . == [] or . == {}) | "\\(.): empty" ]
+ [ .event | paths(objects) | select(. != ["tap"]) | "\\(.): an object" ]
"""


def asked_jq(errors):
    """Give a judge by jq: what it reads is what we read, and its errors."""
    def judge(alerts):
        done = subprocess.run(
            ["jq", "-c", f"[., ({errors})]"], capture_output=True, timeout=60,
            input="".join(line + "\n" for _, line in alerts).encode(),
            check=False)
        results = [json.loads(line) for line in
                   done.stdout.decode().split("\n")[:-1]]
        if done.returncode != 0:
            results.append(done.stderr)
        return compared(alerts, results, lambda line: [
            dialects.read_json(line), []])

    return judge


def read_a_second_time(dialect, version):
    """Give a judge by the reader and the mapping of tests/oracle."""
    def judge(alerts):
        return [list(difference(dialect, alert, line, version))
                for alert, line in alerts]

    return judge


def difference(dialect, alert, line, version):
    """Give what is wrong in a rendering as the mapping has it."""
    return unlike(dialects.expected(dialect, alert, version), line,
                  lambda line: dialects.read(dialect, line))


def judges(version, root=None):
    """Give all judges; root: a root file system with Debian 14's rsyslog."""
    return [
        Judge("ocsf", "the schema's sources, 1.8.0",
              lacks_schema("ocsf-1.8.0"),
              each(lambda event: ocsf_schema().errors(event))),
        Judge("ecs", "the table of fields, 9.4.0", lacks_schema("ecs-9.4.0"),
              each(lambda event: ecs_errors(ecs_fields(), event))),
        Judge("securityalert", "the table's columns",
              lacks_schema("securityalert-columns.csv"), each(
                  lambda row: column_errors(security_alert_columns(), row))),
        Judge("cef", "liblognorm's parser", lacks("lognormalizer"),
              normalized),
        Judge("leef", "mmleefparse of rsyslog 8.2608",
              lambda: mmleefparse.missing(root),
              lambda alerts: compared(alerts, mmleefparse.read(
                  root, [line for _, line in alerts]), mmleefparse.expected)),
        Judge("hec", "jq, the collector's envelope", lacks("jq"),
              asked_jq(ENVELOPE)),
        *(Judge(name, "jq", lacks("jq"), asked_jq("[]"))
          for name in JSON_DIALECTS if name != "hec"),
        *(Judge(name, "the format's text and the mapping, read a second time",
                str, read_a_second_time(name, version))
          for name in dialects.NAMES)]
