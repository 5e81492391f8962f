"""`contrib/senders/synctap-send`: alerts to an end, as omprog has it do.

A stub on the loopback answers like Microsoft's Logs Ingestion API and like
Splunk's collector, another program in kcat's place like Kafka's brokers.
"""

import ast
import gzip
import http.server
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest

PROGRAM = pathlib.Path(__file__).resolve().parents[2] / \
    "contrib/senders/synctap-send"


class FarEnd(http.server.ThreadingHTTPServer):
    """Answers as it is told to, else as if all were well."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers = []  # (status, headers, body) of the next requests
        self.taken = []  # what was delivered, in order
        self.tokens = 0
        self.bad_tokens = set()
        self.poison = None
        self.most = 1 << 30
        self.hangs = 0
        self.acked = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(http.server.BaseHTTPRequestHandler):
    """One request."""

    def log_message(self, *_):
        """Say nothing."""

    def do_POST(self):  # noqa: N802
        """Take what is posted."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        answer = self._judge(body)
        if answer is not None:
            self._answer(*answer)

    def _answer(self, status, headers, text):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text.encode())

    def _judge(self, body):
        end = self.server
        if self.path.endswith("/token"):
            end.tokens += 1
            end.asked = body.decode()
            return 200, {}, json.dumps({"access_token": f"t{end.tokens}",
                                        "expires_in": 3600})
        if self.path.endswith("/ack"):
            end.acked.append(json.loads(body)["acks"])
            return 200, {}, json.dumps({"acks": {"7": len(end.acked) > 1}})
        if end.hangs:
            end.hangs -= 1
            self.rfile.read(1)  # until the other side gives up
            return None
        if end.answers:
            return end.answers.pop(0)
        return self._take(body)

    def _take(self, body):
        end = self.server
        if self.headers["Authorization"] in end.bad_tokens:
            return 401, {}, "expired"
        lines = json.loads(body) if body.startswith(b"[") else [
            json.loads(line) for line in body.splitlines()]
        if len(body) > end.most:
            return 413, {}, "too large"
        if end.poison in lines:
            return 400, {}, "bad"
        end.taken += lines
        if self.path.endswith("/event"):
            return 200, {}, json.dumps({"text": "Success", "code": 0,
                                        "ackId": 7})
        return 204, {}, ""


class SenderTest(unittest.TestCase):
    """A program that is led as omprog leads it."""

    def setUp(self):
        made = tempfile.TemporaryDirectory(prefix="synctap-send-")
        self.addCleanup(made.cleanup)
        self.directory = pathlib.Path(made.name)
        self.environment = None
        self.end = FarEnd()
        self.addCleanup(self.end.server_close)
        self.addCleanup(self.end.shutdown)

    def settings(self, mode=0o600, **more):
        """Write a file of settings."""
        path = self.directory / "settings"
        path.write_text("# who\n" + "".join(
            f"{name} = {value}\n" for name, value in more.items()))
        path.chmod(mode)
        return path

    def table(self, **more):
        """Settings for the Logs Ingestion API."""
        return {"kind": "logs-ingestion", "tenant": "t", "client_id": "c",
                "client_secret": "s3cret", "authority": self.end.url,
                "url": self.end.url + "/dataCollectionRules/d/streams/s",
                "timeout": "20", "patience": "3",
                "rejected": self.directory / "rejected", **more}

    def hec(self, **more):
        """Settings for Splunk."""
        return {"kind": "hec", "url": self.end.url, "token": "abc",
                "timeout": "20", "patience": "3",
                "rejected": self.directory / "rejected", **more}

    def certificate(self):
        """Make a key and a certificate; give their files."""
        key, certificate = (self.directory / name for name in ("k", "c"))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048",
                        "-nodes", "-subj", "/CN=synctap", "-keyout", key,
                        "-out", certificate], check=True,
                       capture_output=True)
        return key, certificate

    def run_with(self, settings, *lines):
        """Lead the program to its end; give what it answered and said."""
        self.done = subprocess.run(
            [sys.executable, PROGRAM, self.settings(**settings)],
            input="".join(line + "\n" for line in lines),
            env=self.environment, capture_output=True, text=True, timeout=30,
            check=False)
        return self.done.stdout.split("\n")[:-1]


def batch(*alerts):
    """Give the lines of a transaction."""
    return ["BEGIN TRANSACTION", *(json.dumps(alert) for alert in alerts),
            "COMMIT TRANSACTION"]


ALERTS = [{"n": n} for n in range(5)]
CONFIRMED = ["OK", "OK", *["DEFER_COMMIT"] * 5, "OK"]


class Table(SenderTest):
    """The Logs Ingestion API."""

    def test_a_batch_is_one_packed_array(self):
        self.assertEqual(CONFIRMED,
                         self.run_with(self.table(), *batch(*ALERTS)))
        self.assertEqual(ALERTS, self.end.taken)
        self.assertIn("client_secret=s3cret", self.end.asked)

    def test_single_lines_are_confirmed_one_by_one(self):
        self.assertEqual(["OK", "OK", "OK"], self.run_with(
            self.table(), '{"n":1}', '{"n":2}'))
        self.assertEqual([{"n": 1}, {"n": 2}], self.end.taken)
        self.assertEqual(1, self.end.tokens)

    def test_a_token_that_does_not_hold_is_renewed(self):
        self.end.bad_tokens.add("Bearer t1")
        self.assertEqual(CONFIRMED,
                         self.run_with(self.table(), *batch(*ALERTS)))
        self.assertEqual((ALERTS, 2), (self.end.taken, self.end.tokens))

    def test_by_certificate(self):
        key, certificate = self.certificate()
        self.run_with(self.table(client_secret="", key=key,
                                 certificate=certificate), '{"n":1}')
        self.assertEqual([{"n": 1}], self.end.taken)
        self.assertIn("client_assertion=ey", self.end.asked)

    def test_what_is_too_large_goes_in_parts(self):
        self.end.most = 25
        self.assertEqual(CONFIRMED,
                         self.run_with(self.table(), *batch(*ALERTS)))
        self.assertEqual(ALERTS, self.end.taken)

    def test_of_a_batch_with_poison_all_else_arrives(self):
        self.end.poison = ALERTS[3]
        self.assertEqual(CONFIRMED,
                         self.run_with(self.table(), *batch(*ALERTS)))
        self.assertEqual(ALERTS[:3] + ALERTS[4:], self.end.taken)
        kept = self.directory / "rejected"
        self.assertEqual(json.dumps(ALERTS[3]) + "\n", kept.read_text())
        self.assertEqual(0o600, kept.stat().st_mode & 0o777)
        self.assertIn("HTTP 400: bad", self.done.stderr)

    def test_it_tries_again_when_the_end_is_busy(self):
        self.end.answers = [(429, {"Retry-After": "0"}, "slow down"),
                            (503, {"Retry-After": "0"}, "busy"),
                            (500, {}, "oops")]
        self.assertEqual(CONFIRMED,
                         self.run_with(self.table(), *batch(*ALERTS)))
        self.assertEqual(ALERTS, self.end.taken)

    def test_an_end_that_hangs_is_left(self):
        self.end.hangs = 1
        self.assertEqual(CONFIRMED, self.run_with(
            self.table(timeout="1"), *batch(*ALERTS)))
        self.assertEqual(ALERTS, self.end.taken)

    def test_an_end_that_is_away_is_told_of(self):
        self.end.answers = [(503, {}, "away")] * 9
        *_, last = self.run_with(self.table(patience="0.1"), *batch(*ALERTS))
        self.assertEqual("Error: HTTP 503: away", last)
        self.assertEqual([], self.end.taken)

    def test_what_had_arrived_does_not_come_again(self):
        """The second half fails; rsyslog sends the whole batch again."""
        self.end.most = 25
        self.end.answers = [(413, {}, ""), (204, {}, ""), (403, {}, "no")]
        answers = self.run_with(self.table(patience="0.1"), *batch(*ALERTS),
                                *batch(*ALERTS))
        self.assertEqual("Error: HTTP 403: no", answers[7])
        self.assertEqual("OK", answers[-1])
        self.assertEqual(ALERTS[2:], self.end.taken)


class Splunk(SenderTest):
    """The HTTP Event Collector."""

    def test_events_one_behind_the_other(self):
        self.assertEqual(CONFIRMED,
                         self.run_with(self.hec(), *batch(*ALERTS)))
        self.assertEqual(ALERTS, self.end.taken)

    def test_a_busy_server_is_waited_for(self):
        busy = json.dumps({"text": "Server is busy", "code": 9})
        self.end.answers = [(503, {}, busy), (200, {}, busy)]
        self.assertEqual(CONFIRMED,
                         self.run_with(self.hec(), *batch(*ALERTS)))
        self.assertEqual(ALERTS, self.end.taken)

    def test_acknowledgements_are_waited_for(self):
        self.run_with(self.hec(ack="on"), *batch(*ALERTS))
        self.assertEqual([[7], [7]], self.end.acked)


KCAT = """#!{python}
import signal
import sys
properties = open(sys.argv[sys.argv.index("-F") + 1]).read()
lines = sys.stdin.buffer.read().split(b"\\n")[:-1]
with open("{work}/asked", "a") as file:
    print(repr((sys.argv[1:-2], properties, lines)), file=file)
{does}
"""
DELIVERS = """for n, line in enumerate(lines):
    print(f"% Message delivered to partition 0 (offset {n})", file=sys.stderr)
"""


class Brokers(SenderTest):
    """Kafka, by kcat."""

    def kafka(self, does, **more):
        """Put a program in kcat's place; give settings for it."""
        programs = self.directory / "programs"
        programs.mkdir()
        kcat = programs / "kcat"
        kcat.write_text(KCAT.replace("{python}", sys.executable).replace(
            "{work}", str(self.directory)).replace("{does}", does))
        kcat.chmod(0o755)
        self.environment = {**os.environ, "PATH": str(programs)}
        return {"kind": "kafka", "broker": "a:9093,b:9093", "topic": "t",
                "sasl.password": "Endpoint=sb://x/;Key=s3cret=",
                "timeout": "0.1", "patience": "0",
                "rejected": self.directory / "rejected", **more}

    def asked(self):
        """Give the arguments, the properties and the lines of each run."""
        text = (self.directory / "asked").read_text()
        return [ast.literal_eval(line) for line in text.splitlines()]

    def test_a_batch_is_one_run(self):
        self.assertEqual(CONFIRMED,
                         self.run_with(self.kafka(DELIVERS), *batch(*ALERTS)))
        (arguments, properties, lines), = self.asked()
        self.assertEqual(
            ["-P", "-v", "-v", "-K", "\t",
             "-X", "ssl.endpoint.identification.algorithm=https",
             "-b", "a:9093,b:9093", "-t", "t"], arguments)
        self.assertEqual(
            ["acks=all", "enable.idempotence=true",
             "sasl.password=Endpoint=sb://x/;Key=s3cret=",
             "message.timeout.ms=100"], properties.splitlines())
        self.assertEqual([json.dumps(one).encode() for one in ALERTS], lines)

    def test_properties_are_the_settings(self):
        _, authority = self.certificate()
        self.run_with(self.kafka(DELIVERS, **{
            "ca": authority,
            "enable.idempotence": "false",
            "ssl.endpoint.identification.algorithm": "none"}), '{"n":1}')
        (arguments, properties, _), = self.asked()
        self.assertIn("ssl.endpoint.identification.algorithm=none", arguments)
        self.assertIn("\nenable.idempotence=false\n", properties)
        self.assertIn("\nssl.ca.location=/", properties)
        self.assertNotIn("identification", properties)

    def _waits(self, does, words):
        *_, last = self.run_with(self.kafka(does), *batch(*ALERTS))
        self.assertEqual("Error: " + words, last)
        self.assertIn("5 alerts wait: " + words, self.done.stderr)

    def test_brokers_that_are_away_are_told_of(self):
        self._waits('sys.exit("% ERROR: Local: All brokers are down")',
                    "0 of 5 delivered: % ERROR: Local: All brokers are down")

    def test_what_is_not_said_to_be_delivered_is_not_confirmed(self):
        """kcat ends with 0 behind a fatal error, whatever it still had."""
        self._waits("lines.pop()\n" + DELIVERS +
                    'print("% FATAL CLIENT ERROR", file=sys.stderr)',
                    "4 of 5 delivered: % FATAL CLIENT ERROR")

    def test_what_was_delivered_by_one_that_fails_is_not_confirmed(self):
        self._waits(DELIVERS + 'sys.exit("% killed")',
                    "5 of 5 delivered: % killed")

    def test_one_that_hangs_is_ended(self):
        self._waits("signal.pause()", "kcat did not end in time")

    def test_of_a_batch_with_poison_all_else_arrives(self):
        does = """if any(b'"n": 3' in line for line in lines):
    sys.exit("% Delivery failed for message: Broker: Message size too large")
""" + DELIVERS
        self.assertEqual(CONFIRMED,
                         self.run_with(self.kafka(does), *batch(*ALERTS)))
        self.assertEqual(json.dumps(ALERTS[3]) + "\n",
                         (self.directory / "rejected").read_text())
        self.assertEqual(0o600, (self.directory / "rejected").stat().st_mode
                         & 0o777)

    def test_what_kcat_would_misread_is_refused(self):
        for value in ("s" * 500, "a\\:b", "a\\=b"):
            with self.subTest(value=value):
                shutil.rmtree(self.directory / "programs", ignore_errors=True)
                self.assertEqual([], self.run_with(self.kafka(
                    DELIVERS, **{"sasl.password": value})))
                self.assertEqual(1, self.done.returncode)
                self.assertIn("sasl.password: kcat takes no line",
                              self.done.stderr)
                self.assertNotIn(value, self.done.stderr)

    def test_without_kcat_words_say_so(self):
        settings = self.kafka(DELIVERS)
        (self.directory / "programs/kcat").unlink()
        self.assertEqual([], self.run_with(settings, '{"n":1}'))
        self.assertIn("install the Debian package kcat", self.done.stderr)


class Settings(SenderTest):
    """What is wrong is said, and nothing is taken."""

    def _refused(self, words, mode=0o600, **settings):
        path = self.settings(mode, **settings)
        done = subprocess.run([sys.executable, PROGRAM, path], input="x\n",
                              capture_output=True, text=True, timeout=30,
                              check=False)
        self.assertEqual((1, ""), (done.returncode, done.stdout))
        self.assertIn(words, done.stderr)

    def test_others_may_not_read_them(self):
        self._refused("chmod 0600", mode=0o640, **self.hec())

    def test_an_unknown_kind(self):
        self._refused("give logs-ingestion, hec, kafka or file", kind="splunk")

    def test_what_is_missing(self):
        self._refused("token is missing", kind="hec", url="http://x")
        self._refused("client_secret, or certificate and key",
                      **self.table(client_secret=""))

    def test_what_would_be_passed_over(self):
        for name, value, words in (
                ("tokne", "s3cret", "there is no setting 'tokne'"),
                ("ack", "yes", "ack = yes is wrong: give on or off"),
                ("timeout", "soon", "timeout = soon is wrong: give seconds"),
                ("patience", "-1", "patience = -1 is wrong: give seconds"),
                ("url", "splunk:8088", "url = splunk:8088 is wrong: give an "
                 "https:// address"),
                ("# \nno sign\n#", "", "settings:9: write name = value"),
                ("# \nkind", "hec", "settings:9: kind stands there twice")):
            with self.subTest(name=name):
                self._refused(words, **{**self.hec(), name: value})
                self.assertNotIn("s3cret", words)

    def _told(self, *arguments):
        done = subprocess.run([sys.executable, PROGRAM, *arguments],
                              input="x\n", capture_output=True, text=True,
                              timeout=30, check=False)
        self.assertEqual("", done.stdout)
        return done.returncode, done.stderr

    def test_files_that_cannot_be_read(self):
        absent, binary = (self.directory / name for name in ("a", "b"))
        binary.write_bytes(b"kind = \xff\n")
        binary.chmod(0o600)
        for path, words in ((absent, "No such file or directory"),
                            (self.directory, "Is a directory"),
                            (binary, "it is no text: write lines of name = "
                             "value")):
            self.assertEqual((1, f"synctap-send: {path}: {words}\n"),
                             self._told(path))

    def test_wrong_usage(self):
        for arguments in (), ("a", "b"), ("--foo",):
            self.assertEqual(
                (2, "synctap-send: it takes one file of settings\n"
                 "try: synctap-send --help\n"), self._told(*arguments))

    def test_an_authority_that_is_not_there(self):
        self._refused("ca = /no/ca.pem: No such file", ca="/no/ca.pem",
                      **self.hec())


if __name__ == "__main__":
    unittest.main()
