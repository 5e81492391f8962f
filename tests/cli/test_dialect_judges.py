# SPDX-License-Identifier: Apache-2.0
"""The dialects before judges that others wrote.

OCSF's and ECS's own schemas, the columns of SecurityAlert, liblognorm's reader
of CEF. The schemas are looked for in ../shared/data, or where SYNCTAP_SCHEMAS
says: without them, and without lognormalizer, one line says what is missing.
The alerts are those of random tenants (SYNCTAP_DIALECT_TENANTS) and all of
the hostile corpus.
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
import unittest

import dialects
import test_dialects
from test_dialects import NOW, hostile_record, hostile_values

SCHEMAS = pathlib.Path(os.environ.get("SYNCTAP_SCHEMAS") or pathlib.Path(
    __file__).resolve().parents[3] / "shared/data")


@functools.lru_cache(maxsize=None)
def renderings():
    """Give (dialect, line) of every alert, made once for all judges."""
    class Collect(test_dialects.RandomTenants):
        """Keeps what the tests of the mapping only compare."""

        found = []

        def compare(self, name, alerts, lines):
            """Keep the lines."""
            super().compare(name, alerts, lines)
            self.found += [(name, line) for line in lines]

    collect = Collect("test_all_alerts")
    test_dialects.RandomTenants.test_all_alerts(collect)
    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory) / "hostile"
        path.write_text("".join(
            json.dumps(hostile_record(n, value)) + "\n"
            for n, value in enumerate(hostile_values().values(), 1)))
        collect.check("--now", NOW, path)
    return collect.found


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


@unittest.skipUnless(SCHEMAS.is_dir(), f"no schemas in {SCHEMAS}")
class Schemas(unittest.TestCase):
    """Zero errors."""

    def _judge(self, name, errors):
        judged = [line for dialect, line in renderings() if dialect == name]
        self.assertGreater(len(judged), 40)
        for line in judged:
            with self.subTest(rendering=line[:3000]):
                self.assertEqual([], list(errors(json.loads(line))))

    def test_ocsf(self):
        self._judge("ocsf", Ocsf(SCHEMAS / "ocsf-1.8.0").errors)

    def test_ecs(self):
        fields = json.loads(
            (SCHEMAS / "ecs-9.4.0/fields.json").read_text())
        self._judge("ecs", lambda event: ecs_errors(fields, event))

    def test_security_alert(self):
        with open(SCHEMAS / "securityalert-columns.csv",
                  encoding="utf-8") as file:
            columns = {row["column"]: row["type"]
                       for row in csv.DictReader(file)}
        self._judge("securityalert", lambda row: column_errors(columns, row))

    def test_the_judges_find_what_is_wrong(self):
        """Of an event that has an error of each kind."""
        line = next(line for name, line in renderings() if name == "ocsf")
        event = json.loads(line)
        del event["time"]
        event.update(severity_id=77, extra=1, is_alert="true",
                     resources={}, observables=[{"name": "x"}])
        found = Ocsf(SCHEMAS / "ocsf-1.8.0").errors(event)
        for words in ("extra: unknown", "time: required", "77 is none of",
                      "is no boolean_t", "resources: array or not",
                      "observables.type_id: required"):
            self.assertTrue(any(words in one for one in found), words)


@unittest.skipUnless(shutil.which("lognormalizer"), "no lognormalizer")
class Liblognorm(unittest.TestCase):
    """Its parser of CEF gives each value as the mapping has it."""

    def test_cef(self):
        judged = [line for name, line in renderings() if name == "cef"]
        # 2.0.6 drops the first character of the first key.
        given = "\n".join(re.sub(r"\|externalId=", "|xfirst=1 externalId=",
                                 line, count=1) for line in judged) + "\n"
        with tempfile.TemporaryDirectory() as directory:
            rulebase = pathlib.Path(directory) / "cef.rulebase"
            rulebase.write_text("version=2\nrule=:%f:cef%\n")
            done = subprocess.run(
                ["lognormalizer", "-r", rulebase, "-e", "json"],
                input=given.encode(), capture_output=True, timeout=60,
                check=True)
        results = done.stdout.decode(errors="replace").split("\n")[:-1]
        self.assertEqual(len(judged), len(results))
        for line, result in zip(judged, results):
            header, extension = dialects.read("cef", line)
            got = json.loads(result).get("f")
            self.assertIsNotNone(got, f"{line}\n{result}")
            got["Extensions"].pop("first", None)
            got["Extensions"].pop("xfirst", None)
            self.assertEqual((header[4:6], extension), (
                [got["SignatureID"], got["Name"]], got["Extensions"]), line)


if __name__ == "__main__":
    unittest.main()
