# SPDX-License-Identifier: Apache-2.0
"""The dialects before their judges (judges.py), but for mmleefparse.

tests/judges asks them all over more tenants. A judge that is not here is
named: the test is skipped.
"""

import json
import unittest

import alert_corpus
import judges
import test_dialects


class Judged(unittest.TestCase):
    """Zero errors."""

    def _judge(self, dialect, words):
        judge, = (one for one in judges.judges(test_dialects.VERSION)
                  if one.dialect == dialect and words in one.name)
        if judge.missing():
            self.skipTest(judge.missing())
        alerts = alert_corpus.of(dialect)
        self.assertGreater(len(alerts), 60)
        found = list(judge.errors(alerts))
        self.assertEqual(len(alerts), len(found))
        for (_, line), errors in zip(alerts, found):
            with self.subTest(rendering=line[:3000]):
                self.assertEqual([], errors)

    def test_ocsf(self):
        self._judge("ocsf", "schema")

    def test_ecs(self):
        self._judge("ecs", "fields")

    def test_security_alert(self):
        self._judge("securityalert", "columns")

    def test_cef(self):
        self._judge("cef", "liblognorm")

    def test_hec(self):
        self._judge("hec", "jq")

    def test_json(self):
        for name in judges.JSON_DIALECTS:
            self._judge(name, "jq")

    def test_the_corpus_has_alerts_of_all_kinds(self):
        alerts = [alert for alert, _ in alert_corpus.of("hec")]
        for kind, holds in (
                ("late", lambda alert: alert["late"]),
                ("degraded", lambda alert: alert["confidence"] == "degraded"),
                ("an app", lambda alert: alert["actor"] == "Provisioning"),
                ("IPv6", lambda alert: alert["source_ip"] == "2001:db8::1"),
                ("no address", lambda alert: alert["source_ip"] == ""),
                ("a long name", lambda alert: len(alert["actor"]) >= 5000)):
            with self.subTest(kind=kind):
                self.assertTrue(any(map(holds, alerts)))


class JudgesJudged(unittest.TestCase):
    """They find what is wrong."""

    def setUp(self):
        self._alert, line = alert_corpus.of("ocsf")[0]
        self._event = json.loads(line)

    @unittest.skipIf(judges.lacks_schema("ocsf-1.8.0")(), "no schema")
    def test_ocsf(self):
        """Of an event that has an error of each kind."""
        del self._event["time"]
        self._event.update(severity_id=77, extra=1, is_alert="true",
                           resources={}, observables=[{"name": "x"}])
        found = judges.ocsf_schema().errors(self._event)
        for words in ("extra: unknown", "time: required", "77 is none of",
                      "is no boolean_t", "resources: array or not",
                      "observables.type_id: required"):
            self.assertTrue(any(words in one for one in found), words)

    @unittest.skipIf(judges.lacks("jq")(), "no jq")
    def test_jq(self):
        right = {"time": 1.5, "host": "h", "source": "s", "sourcetype": "t",
                 "event": {"a": "b", "tap": {"id": "x"}}}
        wrong = [{**right, "time": "1.5"}, {**right, "a": 1},
                 {**right, "host": ""}, {**right, "event": {"a": {"b": 1}}},
                 {key: right[key] for key in ("time", "host", "event")}]
        ask = judges.asked_jq(judges.ENVELOPE)
        for event in wrong:
            errors, = ask([(None, json.dumps(event))])
            self.assertTrue(errors, event)
        self.assertEqual([[]], ask([(None, json.dumps(right))]))
        for line in ("{", '{"time":1}}', '{"a":"\\udc00"}'):
            self.assertTrue(ask([(None, line)])[0], line)


if __name__ == "__main__":
    unittest.main()
