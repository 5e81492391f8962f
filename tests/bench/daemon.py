"""Runs a pipeline over a file, and says what it cost in each thread.

The daemon has no privileges and no network: rsyslogd reads the file by imfile.
The worker is held back until all messages are in its queue: else it waits for
imfile, and fights with it over malloc's locks, more or less as chance will
have it. Its first message belongs to a ruleset of its own, whose action opens
a FIFO, and that takes until somebody opens its other end.
"""

import collections
import json
import os
import pathlib
import signal
import socket
import time

from workplace import RSYSLOGD, Workplace, module_path

SECONDS_AT_MOST = 900
QUIET_SECONDS = 0.25
A_LITTLE = 300_000  # nanoseconds: a thread that only looks around
WORKER, INPUT = "rs:main Q", "in:imfile"

Cost = collections.namedtuple("Cost", "worker_ns threads seconds rss_kb")


class Failed(Exception):
    """The pipeline did not do what it should have done."""


def configuration(pipeline, source):
    """Write rsyslogd's configuration around a pipeline."""
    return f"""global(workDirectory="@WORK@" abortOnUncleanConfig="on"
  maxMessageSize="16m")
main_queue(queue.workerThreads="1" queue.size="2000000"
  queue.dequeueBatchSize="{pipeline.batch}"
  queue.timeoutWorkerThreadShutdown="-1" queue.timeoutShutdown="60000")
module(load="impstats" interval="1" format="json" log.syslog="off"
  log.file="@WORK@/statistics")
{pipeline.before}
ruleset(name="alerts" queue.type="LinkedList") {{
  action(type="omfile" file="@WORK@/alerts")
}}
{source}
{pipeline.rules}
"""


FROM_FILE = """module(load="imfile" mode="inotify")
input(type="imfile" file="@WORK@/input" tag="bench:")
"""
HOLD = """ruleset(name="hold") {
  action(type="omfile" file="@WORK@/gate" template="RSYSLOG_FileFormat")
}
input(type="imfile" file="@WORK@/first" tag="bench:" ruleset="hold")
"""
FROM_TCP = """module(load="imtcp")
input(type="imtcp" address="127.0.0.1" port="0"
  listenPortFileName="@WORK@/port")
"""


def threads_of(pid):
    """Give what each thread has used so far: {id: (name, nanoseconds)}."""
    threads = {}
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        try:
            name = (task / "comm").read_text().strip()
            used = int((task / "schedstat").read_text().split()[0])
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended
        threads[int(task.name)] = name, used
    return threads


def rss_kb(pid):
    """Give how much of the process is in memory."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise Failed("no VmRSS")


class Meter:
    """Watches a process until it has nothing more to do."""

    def __init__(self, process, is_done, watched=(INPUT, WORKER)):
        """watched: how the names of the threads begin that do the work."""
        self._process, self._is_done = process, is_done
        self._watched = watched
        self._used, self._threads = 0, {}
        self._first = self._last = None

    def _look(self):
        now = time.monotonic()
        self._threads = threads_of(self._process.pid)
        used = sum(used for name, used in self._threads.values()
                   if name.startswith(self._watched))
        if used > self._used + A_LITTLE:
            self._first = self._first or now
            self._last = now
            self._used = used
        return now - (self._last or now)

    def wait(self):
        """Wait until all is done and the threads are quiet; give the cost."""
        deadline = time.monotonic() + SECONDS_AT_MOST
        while not (self._look() > QUIET_SECONDS and self._is_done()):
            if self._process.poll() is not None:
                raise Failed(f"ended with {self._process.returncode}")
            if time.monotonic() > deadline:
                raise Failed("did not come to an end")
            time.sleep(0.01)
        by_name = collections.Counter()
        for name, used in self._threads.values():
            by_name[name] += used
        worker = sum(used for name, used in by_name.items()
                     if name.startswith(WORKER))
        if self._first is None:
            raise Failed("has done nothing")
        return Cost(worker, dict(by_name), self._last - self._first,
                    rss_kb(self._process.pid))


def statistics(work):
    """Give the newest counters of every object that impstats has written."""
    newest = {}
    path = work.path / "statistics"
    if not path.exists():
        return newest
    for line in path.read_text(errors="replace").splitlines():
        try:
            counters = json.loads(line[line.index("{"):])
        except ValueError:
            continue  # half a line
        if counters.get("origin") != "core.action":
            newest[counters["name"]] = counters
    return newest


def queue_is_empty(work, count):
    """Have so many messages come, and gone?"""
    queue = statistics(work).get("main Q", {})
    return queue.get("enqueued", 0) >= count and queue.get("size") == 0


class Rsyslogd:
    """One rsyslogd that runs a pipeline."""

    def __init__(self, pipeline, source, under=()):
        """under: a command that runs the command behind it."""
        self.work = Workplace()
        self._pipeline, self._under = pipeline, under
        for name, content in pipeline.files.items():
            self.work.write(name, content)
        text = configuration(pipeline, source)
        self._config = self.work.write(
            "rsyslog.conf", text.replace("@WORK@", str(self.work.path)))
        self._process = None

    def __enter__(self):
        self._process = self.work.start(
            *self._under, RSYSLOGD, "-n", "-f", self._config,
            "-i", self.work.path / "rsyslogd.pid", "-M", module_path(),
            environment={})
        return self

    def stop(self):
        """End it, so that what it writes at its end can be read."""
        stop(self._process)

    def __exit__(self, *_):
        self.stop()
        self.work.remove()

    def wait_until(self, holds, what, seconds=SECONDS_AT_MOST, pause=0.01):
        """Wait for the daemon to do something; pause between two looks."""
        deadline = time.monotonic() + seconds
        while not holds():
            if self._process.poll() is not None \
                    or time.monotonic() > deadline:
                raise Failed(f"{self._pipeline.name}: no {what}: "
                             f"{self.work.words()}")
            time.sleep(pause)

    def read(self, path, count):
        """Let it read a file of so many messages; give the cost.

        It is given the file when it has started: how long a pipeline takes
        to be set up is not what is asked.
        """
        self.begin(path)
        return self.cost_of(count)

    def begin(self, path):
        """Give it the file, and wait for nothing."""
        self.wait_until(lambda: self._used(INPUT), "input")
        os.symlink(path, self.work.path / "input")

    def pid(self):
        """Give its process id."""
        return self._process.pid

    def hold_and_read(self, path, count):
        """Let it queue the file's messages first, and only then work."""
        gate = self.work.path / "gate"
        os.mkfifo(gate)
        os.chmod(gate, 0o666)
        self.work.write("first", "hold\n")
        self.wait_until(lambda: self._used(WORKER), "worker")
        before = self._used(INPUT)
        os.symlink(path, self.work.path / "input")
        self.wait_until(lambda: self._used(INPUT) > before + A_LITTLE,
                         "input")
        self.wait_until(self._is_quiet(INPUT), "end of the input")
        with open(gate, "rb"):
            return self.cost_of(count, 1)

    def _used(self, name):
        """Give the nanoseconds of the threads of a name; 0 without any."""
        return sum(used for thread, used in
                   threads_of(self._process.pid).values()
                   if thread.startswith(name))

    def _is_quiet(self, name):
        """Make a question: has such a thread done nothing for a while?"""
        used, since = self._used(name), time.monotonic()

        def ask():
            nonlocal used, since
            now = self._used(name)
            if now > used + A_LITTLE:
                used, since = now, time.monotonic()
            return time.monotonic() - since > QUIET_SECONDS
        return ask

    def port(self):
        """Wait for the TCP input; give its port."""
        port = self.work.path / "port"
        self.wait_until(lambda: port.exists() and port.read_text(), "port")
        return int(port.read_text())

    def send(self, path, times):
        """Send the lines of a file by TCP, all of it so many times."""
        address = "127.0.0.1", self.port()
        with socket.create_connection(address) as lane:
            for _ in range(times):
                with open(path, "rb") as file:
                    lane.sendfile(file)

    def cost_of(self, count, others=0):
        """Wait until so many messages have gone through, and the others."""
        try:
            cost = Meter(
                self._process,
                lambda: queue_is_empty(self.work, count + others)).wait()
        except Failed as failure:
            raise Failed(f"{self._pipeline.name}: rsyslogd {failure}: "
                         f"{self.work.words()}") from None
        self._check(count)
        return cost

    def _check(self, count):
        """A pipeline that is cheap because it does nothing must not pass.

        The counters are written object by object, and what is remembered is
        brought into the database by and by.
        """
        expected = self._pipeline.expect(count)
        deadline = time.monotonic() + 300
        while not self._has_counted(expected):
            if time.monotonic() > deadline:
                found = statistics(self.work)
                raise Failed(
                    f"{self._pipeline.name}: {expected} expected, got "
                    f"{[found.get(name) for name in expected]} "
                    f"{self.work.words()}")
            time.sleep(0.1)

    def _has_counted(self, expected):
        found = statistics(self.work)
        return all(found.get(name, {}).get(counter) == value
                   for name, counters in expected.items()
                   for counter, value in counters.items())


def stop(process):
    """End a process that was started here, by its id."""
    if process is None or process.poll() is not None:
        return
    os.kill(process.pid, signal.SIGTERM)
    try:
        process.wait(timeout=60)
    except Exception:
        process.kill()
        process.wait()
        raise
