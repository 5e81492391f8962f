# SPDX-License-Identifier: Apache-2.0
"""A stub of Microsoft Graph and its login, on a port that the kernel chooses.

    with Stub() as stub:
        stub.answers("/v1.0/users", page([..], "/v1.0/users?page=2"))
        ... run a script with stub.environment() ...
        stub.asked   # [(method, path), ...] in order

Answers to one path are given one after the other; the last one stays. A path
that ends with * stands for all that begin so. One that is not known is 404.
"""

import collections
import http.server
import json
import threading
import time
import urllib.parse

TENANT, CLIENT = "nordwind.example", "12345678-1234-4321-8765-123456789abc"

Answer = collections.namedtuple("Answer", "status body headers cut",
                                defaults=("", {}, False))


def page(rows, next_link=None):
    """Make a page of a list."""
    body = {"@odata.context": "stub", "value": rows}
    if next_link is not None:
        body["@odata.nextLink"] = next_link
    return Answer(200, json.dumps(body))


def error(status, code, message, **headers):
    """Make an error as Graph tells it."""
    body = json.dumps({"error": {"code": code, "message": message}})
    return Answer(status, body, headers)


class Stub:
    """The server, and what it was asked."""

    def __init__(self):
        self.asked, self.times, self.bodies, self.tokens = [], [], [], []
        self._answers = {}
        self._server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.answers(f"/{TENANT}/oauth2/v2.0/token",
                     Answer(200, '{"access_token":"first"}'),
                     Answer(200, '{"access_token":"second"}'))

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, args=(0.01,),
                         daemon=True).start()
        return self

    def __exit__(self, kind, error_, trace):
        self._server.shutdown()
        self._server.server_close()

    def answers(self, path, *answers):
        """Say what a path (with its query, unquoted) is answered by."""
        self._answers[path] = list(answers)

    def environment(self, **more):
        """Give the environment of a script that is to ask the stub."""
        return {"GRAPH": self.url, "LOGIN": self.url, "TENANT": TENANT,
                "CLIENT_ID": CLIENT, "RETRIES": "2", **more}

    def take(self, method, path, body, token):
        """Note a request and give its answer."""
        path = urllib.parse.unquote(path)
        self.asked.append((method, path))
        self.times.append(time.monotonic())
        self.bodies.append(body)
        self.tokens.append(token)
        for known, left in self._answers.items():
            if path == known or (known.endswith("*")
                                 and path.startswith(known[:-1])):
                return left.pop(0) if len(left) > 1 else left[0]
        return error(404, "NotFound", path)


def _handler(stub):
    class Handler(http.server.BaseHTTPRequestHandler):
        """Answers by the stub's list."""

        def do_GET(self):
            self._answer("")

        def do_POST(self):
            length = int(self.headers.get("Content-Length", 0))
            self._answer(self.rfile.read(length).decode())

        def _answer(self, given):
            answer = stub.take(self.command, self.path, given,
                               self.headers.get("Authorization", ""))
            body = answer.body.encode()
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[:len(body) // 2] if answer.cut else body)
            self.close_connection = True

        def log_message(self, *arguments):
            """Say nothing."""

    return Handler
