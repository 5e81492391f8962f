# SPDX-License-Identifier: Apache-2.0
"""Packs the parts of audit records as exporters do, by chance.

A part may stand in a string, in a string in a string, three levels deep; an
array may stand beside its count; keys may be in another case. The record says
what it said: wide semantics gives the rows of the record as it was. What KQL
sees of it, seen_by_kql reads off again.
"""

import json
from collections import namedtuple

import kql
import rendering
from kql import MISSING

# A packed record, and its targets as wide semantics takes them out.
Packed = namedtuple("Packed", "record targets")

# Where the parts of a record stand, for each shape: what holds the rest, then
# the names of targets, initiator and details.
PARTS = {
    rendering.diagnostic_record: (
        "properties", "targetResources", "initiatedBy", "additionalDetails"),
    rendering.log_analytics_row: (
        None, "TargetResources", "InitiatedBy", "AdditionalDetails"),
    rendering.directory_audit: (
        None, "targetResources", "initiatedBy", "additionalDetails"),
}

# The query's columns, for each shape.
COLUMNS = {
    rendering.diagnostic_record: {
        "OperationName": "operationName",
        "TargetResources": "properties.targetResources",
        "InitiatedBy": "properties.initiatedBy",
        "Result": "properties.result", "Id": "properties.id"},
    rendering.log_analytics_row: {
        name: name for name in ("OperationName", "TargetResources",
                                "InitiatedBy", "Result", "Id")},
    rendering.directory_audit: {
        "OperationName": "activityDisplayName",
        "TargetResources": "targetResources", "InitiatedBy": "initiatedBy",
        "Result": "result", "Id": "id"},
}

# Without these in their place there is no telling what KQL makes of a time,
# or which of a record's objects is the record.
_KEPT = {"time", "TimeGenerated", "activityDateTime", "ActivityDateTime",
         "operationName"}

# The one of these is the other's in another shape.
_TELLING = {"OperationName", "activityDisplayName", "ActivityDisplayName"}


def can_be_packed(row):
    """Tell whether a row's parts are what they are meant to be."""
    targets, initiator = row["TargetResources"], row["InitiatedBy"]
    return row["TimeGenerated"] is not None \
        and isinstance(row["OperationName"], str) \
        and isinstance(targets, list) and targets \
        and all(isinstance(target, dict) and target for target in targets) \
        and isinstance(initiator, dict) and all(
            part is None or isinstance(part, dict)
            for part in initiator.values())


class Packer:
    """Packs one record after the other; each knows how deep it has gone."""

    def __init__(self, rng):
        self.rng = rng
        self.levels = 0
        self.recases = False

    def pack(self, record, shape):
        """Pack any subset of a record's parts."""
        self.levels = 4  # beyond that a text is mostly backslashes
        self.recases = self.rng.random() < 0.4
        holder, targets, initiator, details = PARTS[shape]
        record = json.loads(json.dumps(record))
        inner = record[holder] if holder else record
        shown = [self._keys(self._target(one)) for one in inner[targets]]
        inner[targets] = self._array([self._string(one) for one in shown])
        inner[initiator] = self._string(self._keys({
            name: self._string(self._keys(part)) if part else part
            for name, part in inner[initiator].items()}))
        if isinstance(inner.get(details), list):
            inner[details] = self._array([
                self._string(self._keys(pair)) for pair in inner[details]])
        if holder:
            record[holder] = self._string(self._keys(inner))
        return Packed(self._keys(record), shown)

    def _target(self, target):
        properties = target.get("modifiedProperties")
        if not isinstance(properties, list):
            return target
        return dict(target, modifiedProperties=self._array(
            [self._string(self._keys(one)) for one in properties]))

    def _array(self, items):
        if self.rng.random() < 0.3:
            return self._string({"value": items, "Count": len(items)})
        return self._string(items)

    def _string(self, value):
        """Put a value into up to three strings, if there is room for it."""
        deep = min(self.levels, self.rng.choice((0, 0, 0, 1, 1, 2, 3)))
        self.levels -= deep
        for _ in range(deep):
            value = json.dumps(value, ensure_ascii=self.rng.random() < 0.5)
        return value

    def _keys(self, value):
        """Write some keys in another case."""
        if not self.recases:
            return value
        return {self._key(name): item for name, item in value.items()}

    def _key(self, name):
        if name in _KEPT or self.rng.random() < 0.5:
            return name
        forms = [name.upper(), name.lower(), name[0].swapcase() + name[1:]]
        return self.rng.choice(forms[:2] if name in _TELLING else forms)


def seen_by_kql(row, record, shape):
    """Give the row as the query finds it in the packed record."""
    return dict(row, **{column: _at(record, path)
                        for column, path in COLUMNS[shape].items()})


def _at(record, path):
    """Follow an exact path; what is not there is missing."""
    *outer, last = path.split(".")
    inner = kql.path(record, ".".join(outer)) if outer else record
    return inner.get(last, MISSING) if isinstance(inner, dict) else MISSING
