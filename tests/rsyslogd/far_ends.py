# SPDX-License-Identifier: Apache-2.0
"""Ends that alerts are sent to, each of which can be away at first.

Their ports are bound from the beginning and refuse connections until
`come()`. What they have taken is in `taken`, in order.
"""

import contextlib
import gzip
import http.server
import json
import os
import socket
import threading
import time

import deadline


def bound_to(port):
    """Make a socket that has a port of the loopback; 0 for any."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind(("127.0.0.1", port))
    return made


class FarEnd:
    """What all of them share: a port, and a list that can be waited for."""

    def __init__(self):
        self.taken = []
        self._changed = threading.Condition()
        self._socket = bound_to(0)

    @property
    def port(self):
        """The port on the loopback."""
        return self._socket.getsockname()[1]

    def take(self, *things):
        """Note what was delivered."""
        with self._changed:
            self.taken += things
            self._changed.notify_all()

    def wait(self, condition):
        """Wait until the condition holds over what was taken."""
        with self._changed:
            if not self._changed.wait_for(lambda: condition(self.taken),
                                          deadline.SECONDS):
                raise AssertionError(f"not in time; taken: {self.taken}")
            return list(self.taken)

    def come(self):
        """Begin to answer."""
        self._socket.listen(16)
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self):
        """Go away for good."""
        self._socket.close()


class Lines(FarEnd):
    """Takes frames by TCP: with octet counts, or one a line."""

    def __init__(self):
        super().__init__()
        self._connections = []

    def leave(self):
        """Go away until the next `come()`, with all connections."""
        port, left = self.port, self._socket
        for one in (left, *self._connections):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        left.close()
        self._connections.clear()
        self._socket = bound_to(port)

    def _serve(self):
        listening = self._socket
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            self._connections.append(connection)
            threading.Thread(target=self._read, args=(connection,),
                             daemon=True).start()

    def _read(self, connection):
        with connection, connection.makefile("rb") as stream:
            while True:
                first = stream.read(1)
                if not first:
                    return
                if first.isdigit():
                    while not first.endswith(b" "):
                        first += stream.read(1)
                    self.take(stream.read(int(first)).decode())
                else:
                    self.take((first + stream.readline()).decode().rstrip(
                        "\n"))


class Web(FarEnd):
    """Answers like Splunk, the Logs Ingestion API and Elasticsearch."""

    def __init__(self):
        super().__init__()
        self.ids = set()  # of the documents that were created

    def _serve(self):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Request,
                                                 bind_and_activate=False)
        server.socket.close()
        server.socket, server.far_end = self._socket, self
        server.serve_forever()


class Polled:
    """An end that is asked again and again for all that it has taken.

    read gives that; come is called for the end to be there.
    """

    def __init__(self, read, come):
        self._read, self.come = read, come

    def wait(self, condition):
        """Wait until the condition holds over what was taken."""
        until = time.monotonic() + deadline.SECONDS
        taken = self._read()
        while not condition(taken):
            if time.monotonic() > until:
                raise AssertionError(f"not in time; taken: {taken}")
            os.sched_yield()
            taken = self._read()
        return taken


class _Request(http.server.BaseHTTPRequestHandler):
    """One request."""

    def log_message(self, *_):
        """Say nothing."""

    def do_GET(self):  # noqa: N802
        """Elasticsearch's module asks for a sign of life."""
        self._answer(200, {})

    do_HEAD = do_GET

    def do_POST(self):  # noqa: N802
        """Take what is posted."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        end = self.server.far_end
        if self.path.endswith("/token"):
            self._answer(200, {"access_token": "t", "expires_in": 3600})
        elif self.path.startswith("/_bulk"):
            self._answer(200, self._create(body, end))
        elif self.path.endswith("/event"):
            end.take(*map(json.loads, body.splitlines()))
            self._answer(200, {"text": "Success", "code": 0})
        else:
            end.take(*json.loads(body))
            self._answer(204, None)

    @staticmethod
    def _create(body, end):
        lines = list(map(json.loads, body.splitlines()))
        items = []
        for order, document in zip(lines[::2], lines[1::2]):
            known = order["create"]["_id"] in end.ids
            if not known:
                end.ids.add(order["create"]["_id"])
                end.take(document)
            items.append({"create": {"status": 409 if known else 201}})
        return {"took": 1, "errors": any(
            item["create"]["status"] == 409 for item in items),
                "items": items}

    def _answer(self, status, answer):
        text = b"" if answer is None else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
