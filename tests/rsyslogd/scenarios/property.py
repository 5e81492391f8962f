"""The record may stand in any property, also as a tree parsed before.

mmjsonparse puts the record into $!, a part of it or a local variable;
RainerScript puts its text into a variable; or it is the message's own text.
The tag and the alerts are the same as with the raw message. What does not
match keeps its tree as it was.
"""

import json
import unittest

import plain
import rendering
import ticks
from harness import Daemon, as_text
from plain import PERSON_UPN, SYNC_UPN, target
from records import HEADER, MODULE, audit, ids, mmsynctap, text

BEFORE = MODULE + '\nmodule(load="mmjsonparse")'
TAGGED = HEADER + "azurefunction: "
SYNC, PERSON = target(), target(PERSON_UPN)


def parse(container="$!"):
    """Write the action that parses the message's text into a tree."""
    return ('action(type="mmjsonparse" cookie="" '
            f'container="{container}")\n')


def judge(name, semantics="wide"):
    """Write the action under test for a property."""
    return mmsynctap(f'ruleset="alerts" property="{name}"', semantics)


class Property(unittest.TestCase):
    """Each test sends a record that matches and one that does not."""

    def _check(self, rules, kept, header=TAGGED):
        """Expect one alert; kept: what a record leaves in the tree."""
        records = [audit("one", SYNC, PERSON), audit("two", PERSON)]
        with Daemon(rules, BEFORE) as daemon:
            daemon.send([header + as_text(record) for record in records])
            originals = daemon.originals(2)
            alert, = daemon.alerts(1)
        found = alert.json()
        self.assertEqual(
            ("one", SYNC_UPN, records[0]["time"], "exact", SYNC),
            tuple(found[key] for key in (
                "record_id", "target_upn", "time_generated", "confidence",
                "target_resources")))
        tag = originals[0].tree.pop("synctap")
        self.assertEqual(("match", 1, found),
                         (tag["status"], tag["count"], tag["alert"]))
        self.assertEqual(list(map(kept, records)),
                         [original.tree for original in originals])

    def test_the_root_of_the_tree(self):
        self._check(parse() + judge("$!"), lambda record: record)

    def test_a_part_of_the_tree(self):
        self._check(parse("$!in!azure") + judge("$!in!azure"),
                    lambda record: {"in": {"azure": record}})

    def test_a_local_variable_that_holds_a_tree(self):
        self._check(parse("$.azure") + judge("$.azure"), lambda record: {})

    def test_a_local_variable_that_holds_a_text(self):
        self._check("set $.azure = $msg;\n" + judge("$.azure"),
                    lambda record: {})

    def test_a_part_of_the_tree_that_holds_a_text(self):
        self._check("set $!azure = $msg;\n" + judge("$!azure"),
                    lambda record: {"azure": " " + as_text(record)})

    def test_the_messages_text(self):
        self._check(judge("msg"), lambda record: {})

    def test_the_raw_message_without_any_header(self):
        self._check(judge("rawmsg"), lambda record: {}, header="")

    def test_a_tag_that_takes_the_records_beginning(self):
        """Without a tag of its own, the raw message is still whole."""
        sent = "<134>Jun  1 12:00:00 azurefunction " \
            + text("one", SYNC).replace(": ", ":").replace(", ", ",")
        for name, confidence in (("rawmsg", "exact"), ("msg", "degraded")):
            with self.subTest(property=name), \
                    Daemon(judge(name), BEFORE) as daemon:
                daemon.send([sent])
                original, = daemon.originals(1)
                alert, = daemon.alerts(1)
                self.assertEqual('{"time":', original.tag)
                self.assertEqual(confidence, alert.json()["confidence"])

    def test_a_variable_that_is_not_there(self):
        with Daemon(judge("$!azure"), BEFORE) as daemon:
            daemon.send([TAGGED + text("one", SYNC)])
            self.assertEqual({}, daemon.originals(1)[0].tree)
            self.assertEqual(0, daemon.counters("tap")["undecodable"])

    def test_containers_and_strings_in_a_tree(self):
        records = [audit(name, SYNC) for name in ("a", "b", "c", "d")]
        for wrapped in ({"records": records}, {"value": records},
                        {"message": as_text({"records": records})},
                        {"event": {"original": as_text(records)}},
                        {"body": {"records": records}, "x-opt-offset": "1"},
                        {"_raw": "\n".join(map(as_text, records))}):
            with self.subTest(wrapped=list(wrapped)), \
                    Daemon(parse() + judge("$!"), BEFORE) as daemon:
                daemon.send([TAGGED + as_text(wrapped)])
                original, = daemon.originals(1)
                self.assertEqual(["a", "b", "c", "d"], ids(daemon.alerts(4)))
                self.assertEqual(4, original.tree["synctap"]["count"])

    def test_every_shape_in_a_tree(self):
        row = plain.row(TimeGenerated=ticks.now())
        for shape in (*rendering.SHAPES, rendering.elastic_document):
            one, = rendering.fit_for(shape, [row])
            record = shape(one, plain.chance())
            with self.subTest(shape=shape.__name__), \
                    Daemon(parse() + judge("$!"), BEFORE) as daemon:
                daemon.send([TAGGED + json.dumps(record)])
                daemon.originals(1)
                alert = daemon.alerts(1)[0].json()
                self.assertEqual(("Directory_1", SYNC_UPN),
                                 (alert["record_id"], alert["target_upn"]))
