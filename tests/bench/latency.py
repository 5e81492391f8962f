"""How long it takes from a record's sending to its alert in a file."""

import json
import os
import socket
import statistics
import threading
import time

from daemon import FROM_TCP, Failed, Rsyslogd

SLICE = 0.005  # seconds between two sendings
MOST_SECONDS = 60  # for the last alert, behind the last record


class Sender:
    """Sends records at a steady rate, and notes when each match went."""

    def __init__(self, port, rate, misses, matches):
        self._lane = socket.create_connection(("127.0.0.1", port))
        self._rate, self._misses, self._matches = rate, misses, matches
        self.sent = {}

    def send(self, seconds, one_match_in, between=None):
        """Send for so long.

        between: a message that is sent once a second beside the others.
        """
        begin, count = time.monotonic(), 0
        second = 0
        while (now := time.monotonic() - begin) < seconds:
            due = int(now * self._rate)
            self._send_slice(count, due, one_match_in)
            count = due
            if between is not None and now >= second:
                second += 1
                self._lane.sendall(between)
            time.sleep(SLICE)
        self._lane.close()
        return count

    def _send_slice(self, count, due, one_match_in):
        lines = []
        for number in range(count, due):
            if number % one_match_in == one_match_in // 2:
                record = next(self._matches)
                self._lane.sendall(b"".join(lines))
                lines = []
                self.sent[json.loads(record)["properties"]["id"]] = \
                    time.monotonic()
                self._lane.sendall(record)
            else:
                lines.append(next(self._misses))
        self._lane.sendall(b"".join(lines))


class Follower(threading.Thread):
    """Notes when each alert stands in the file."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self._path = path
        self.came = {}
        self.is_over = False

    def run(self):
        """Read the file's new lines until it is over."""
        while not self._path.exists() and not self.is_over:
            time.sleep(0.0005)
        rest = b""
        with open(self._path, "rb", buffering=0) as file:
            while not self.is_over:
                read = os.read(file.fileno(), 1 << 20)
                now = time.monotonic()
                *lines, rest = (rest + read).split(b"\n")
                for line in lines:
                    self._note(line, now)
                time.sleep(0 if read else 0.0005)

    def _note(self, line, now):
        begin = line.find(b"{")
        if begin >= 0:
            self.came.setdefault(json.loads(line[begin:])["record_id"], now)


def measure(pipeline, rate, seconds, one_match_in, records, between=None):
    """Give the milliseconds of each match at a rate of messages a second."""
    with Rsyslogd(pipeline, FROM_TCP) as daemon:
        sender = Sender(daemon.port(), rate, _endless(records),
                        records.matches(10 ** 9))
        follower = Follower(daemon.work.path / "alerts")
        follower.start()
        sender.send(seconds, one_match_in, between)
        deadline = time.monotonic() + MOST_SECONDS
        while len(follower.came) < len(sender.sent):
            if time.monotonic() > deadline:
                raise Failed(f"{len(follower.came)} alerts of "
                             f"{len(sender.sent)}: {daemon.work.words()}")
            time.sleep(0.01)
        follower.is_over = True
    return sorted(1000 * (follower.came[name] - when)
                  for name, when in sender.sent.items())


def _endless(records):
    """Give records that the gate stops, without an end."""
    while True:
        yield from records.misses(1000)


def percentile(sorted_values, part):
    """Give the value that so large a part of them does not exceed."""
    return sorted_values[min(len(sorted_values) - 1,
                             int(part * len(sorted_values)))]


def summary(values):
    """Give what a figure says of them."""
    return {"p50_ms": round(statistics.median(values), 2),
            "p99_ms": round(percentile(values, 0.99), 2),
            "worst_ms": round(values[-1], 2), "matches": len(values)}
