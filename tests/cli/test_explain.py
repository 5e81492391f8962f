"""`synctap explain` knows each record, whatever its shape and what carries it.

With `--format jsonl` it gives one object for each audit record, with its
shape, its carrier, the verdict on its operation and on its targets. What a
shape is called is explain's business: each has a name of its own, and keeps it
in every wrapping. Records of other kinds are passed over without an error. Records that
were seen in real tenants lie beside the checkout, where they are available.
"""

import json
import pathlib
import tempfile
import unittest

import plain
import rendering
import wrappings
from command import objects, synctap

KEYS = {"shape", "carrier", "operation", "targets"}
SAMPLES = pathlib.Path(__file__).resolve().parents[2].parent \
    / "shared" / "data" / "samples"
MINIMUM = 30  # of the samples


def legacy(row, rng):
    """Write a row's account in a record of 2018."""
    return rendering.legacy_record(dict(
        row, UPN=plain.SYNC_UPN, ObjectId=plain.OTHER_ID,
        Initiator=plain.ACTOR), rng)


SHAPES = {
    "A": rendering.diagnostic_record,
    "A of 2018": legacy,
    "B": rendering.log_analytics_row,
    "C": rendering.directory_audit,
    "D": rendering.elastic_document,
}

OTHER_KINDS = (
    {"category": "SignInLogs", "operationName": "Sign-in activity",
     "time": "2026-06-01T11:00:00Z", "properties": {
         "userPrincipalName": plain.SYNC_UPN}},
    {"operationName": {"value": "Microsoft.Automation/runbooks/write",
                       "localizedValue": "Create a runbook"},
     "eventTimestamp": "2026-06-01T11:00:00Z",
     "caller": plain.SYNC_UPN},
    {"message": "link up", "host": "switch7"},
    {}, [], "text", 7,
)


def kind_of(record):
    """Tell the shape of a sample; None for a record of another kind."""
    if "OperationName" in record:
        return "B"
    if record.get("category") == "Audit":
        return "A of 2018"
    if record.get("category") == "AuditLogs":
        return "A"
    return "C" if "activityDisplayName" in record else None


def records_of(path):
    """Read the records of a sample."""
    text = path.read_text("utf-8-sig")
    try:
        documents = [json.loads(text)]
    except json.JSONDecodeError:
        documents = [json.loads(line) for line in text.splitlines() if line]
    return [record for found in documents for record in (
        found.get("records", found.get("value", [found]))
        if isinstance(found, dict) else found)]


class Explain(unittest.TestCase):
    """Its JSON lines are read; the text for a person is not looked at."""

    def setUp(self):
        made = tempfile.TemporaryDirectory()
        self.addCleanup(made.cleanup)
        self.directory = pathlib.Path(made.name)
        (self.directory / "ids").write_text("")
        self.names = None

    def _explain(self, path, has_record=True):
        """Give explain's objects; only a file without a record is wrong."""
        done = synctap("explain", "--format", "jsonl", "--now",
                       "2026-06-01T12:00:00Z", "--identity",
                       self.directory / "ids", path)
        self.assertEqual(
            (0, "") if has_record else
            (1, f"synctap: {path}: no audit record in it\n"),
            (done.status, done.words), path)
        return objects(done.output)

    def _explain_text(self, text, has_record=True):
        path = self.directory / "audits"
        path.write_text(text)
        return self._explain(path, has_record)

    def _name_of(self, shape):
        """Give explain's own name for a shape."""
        if self.names is None:
            self.names = {}
            for name, write in SHAPES.items():
                text = json.dumps(write(*self._row_for(write)))
                one, = self._explain_text(text)
                self.names[name] = one["shape"]
        return self.names[shape]

    @staticmethod
    def _row_for(write):
        """Give the plain row as a shape carries it, and the chance."""
        row, = rendering.fit_for(write, [plain.row()])
        return row, plain.chance()

    def test_every_shape_has_a_name_of_its_own(self):
        for name in SHAPES:
            self.assertTrue(self._name_of(name))
        self.assertEqual(len(SHAPES), len(set(self.names.values())),
                         self.names)

    def test_a_record_is_explained(self):
        for write in SHAPES.values():
            with self.subTest(shape=write.__name__):
                one, = self._explain_text(json.dumps(
                    write(*self._row_for(write))))
                self.assertLessEqual(KEYS, set(one))
                self.assertTrue(one["targets"], one)

    def test_each_target_is_explained(self):
        targets = [plain.target(), plain.target(plain.PERSON_UPN), None]
        for write in rendering.SHAPES:
            one, = self._explain_text(json.dumps(write(
                plain.row(*targets), plain.chance())))
            self.assertEqual(3, len(one["targets"]), one)

    def test_a_record_that_does_not_match_is_explained_too(self):
        for row in (plain.row(OperationName="Update user"),
                    plain.row(plain.target(plain.PERSON_UPN)),
                    plain.row(TimeGenerated=0)):
            for write in rendering.SHAPES:
                self.assertEqual(1, len(self._explain_text(json.dumps(
                    write(row, plain.chance())))))

    def test_every_shape_in_every_wrapping(self):
        for name in wrappings.NAMES:
            for write in wrappings.shapes_of(name):
                with self.subTest(wrapping=name, shape=write.__name__):
                    self._check_wrapping(name, write)

    def _check_wrapping(self, name, write):
        rng = rendering.rendering_of(f"{name} {write.__name__}")
        rows = [plain.row(Id=f"record {number}") for number in range(7)]
        records = [write(row, rng)
                   for row in wrappings.fit_for(name, write, rows)]
        shape, = (shape for shape in SHAPES if SHAPES[shape] is write)
        style = rendering.Style(rng, line_breaks=False)
        found = self._explain_text("\n".join(
            wrappings.messages(name, records, style)))
        self.assertEqual([self._name_of(shape)] * 7,
                         [one["shape"] for one in found])
        for one in found:
            self.assertLessEqual(KEYS, set(one))

    def test_records_of_other_kinds_are_passed_over(self):
        known = {self._name_of(shape) for shape in SHAPES}
        text = "\n".join(map(json.dumps, OTHER_KINDS))
        self.assertEqual([], [one for one in self._explain_text(text, False)
                              if one["shape"] in known])

    def test_samples_seen_in_real_tenants(self):
        if not SAMPLES.is_dir():
            self.skipTest(f"no samples at {SAMPLES}")
        paths = sorted(SAMPLES.glob("*.json"))
        self.assertGreater(len(paths), MINIMUM)
        for path in paths:
            with self.subTest(sample=path.name):
                kinds = filter(None, map(kind_of, records_of(path)))
                expected = [self._name_of(kind) for kind in kinds]
                known = {self._name_of(shape) for shape in SHAPES}
                self.assertEqual(expected, [
                    one["shape"] for one in self._explain(path, expected)
                    if one["shape"] in known])
