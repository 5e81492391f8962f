"""An outage of what takes the alerts: how long until it has them all."""

import re
import selectors
import socket
import time

import pipelines
from daemon import FROM_FILE, Failed, Rsyslogd, rss_kb, statistics

MOST_SECONDS = 1800
MOST_QUIET = 60  # seconds without an alert
READ_AT_ONCE = 1 << 20
# To parse them all would take from the processors what is measured.
ALERT_ID = re.compile(rb'"alert_id":"([^"]+)"')

# The queue of contrib/rsyslog.d/synctap.conf, with the space that an hour takes.
FAR_END = """template(name="alert" type="list") { property(name="msg") }
ruleset(name="far" queue.type="LinkedList" queue.size="1000" queue.filename="far"
    queue.maxDiskSpace="4g" queue.saveOnShutdown="on"
    queue.dequeueBatchSize="1") {
  action(type="omfwd" target="127.0.0.1" port="%d" protocol="tcp"
    template="alert" action.resumeInterval="1" action.resumeRetryCount="-1")
}
"""


class Outage:
    """One rsyslogd whose alerts nobody takes, until somebody does."""

    def __init__(self, path, count):
        self._path, self._count = path, count
        self.queue_bytes = self.rss_kb = 0

    def measure(self):
        """Give the seconds from the far end's return to its last alert."""
        with socket.socket() as far_end:
            far_end.bind(("127.0.0.1", 0))  # a port that refuses so far
            pipeline = pipelines.mmsynctap(
                pipelines.DEFAULT_BATCH, 'ruleset="far"')
            pipeline = pipeline.with_before(
                FAR_END % far_end.getsockname()[1])
            with Rsyslogd(pipeline, FROM_FILE) as daemon:
                daemon.begin(self._path)
                self._wait_for_all(daemon)
                self._note_queue(daemon)
                far_end.listen()
                return self._take(far_end)

    def _wait_for_all(self, daemon):
        daemon.wait_until(
            lambda: statistics(daemon.work).get("tap", {}).get("matched", 0)
            >= self._count, f"match number {self._count}", MOST_SECONDS)

    def _note_queue(self, daemon):
        self.rss_kb = rss_kb(daemon.pid())
        self.queue_bytes = sum(
            file.stat().st_size for file in daemon.work.path.glob("far.*"))

    def _take(self, far_end):
        """Take alerts from as many connections as rsyslogd makes."""
        begin = time.monotonic()
        came = Taken()
        with selectors.DefaultSelector() as ready:
            ready.register(far_end, selectors.EVENT_READ)
            while len(came.ids) < self._count:
                events = ready.select(MOST_QUIET)
                if not events:
                    raise Failed(f"{len(came.ids)} alerts of {self._count}")
                for key, _ in events:
                    if key.fileobj is far_end:
                        lane, _ = far_end.accept()
                        ready.register(lane, selectors.EVENT_READ)
                    elif not came.read(key.fileobj):
                        ready.unregister(key.fileobj)
                        key.fileobj.close()
        return time.monotonic() - begin


class Taken:
    """The alerts that have come, by their ids."""

    def __init__(self):
        self.ids, self._rest = set(), {}

    def read(self, lane):
        """Read what there is; False at the connection's end."""
        read = lane.recv(READ_AT_ONCE)
        *lines, rest = (self._rest.pop(lane, b"") + read).split(b"\n")
        self._rest[lane] = rest
        self.ids.update(ALERT_ID.search(line).group(1) for line in lines)
        return bool(read)
