"""Runs a real rsyslogd for one scenario and shows what it does.

    daemon = Daemon('action(type="mmsynctap" ruleset="alerts")',
                    before='module(load="mmsynctap")')
    with daemon:
        daemon.send([record])
        original, = daemon.originals(1)
        alert, = daemon.alerts(1)

Messages come in by TCP and go through the scenario's rules. Then the daemon
forwards each to the test: the original with its tree, and, from the ruleset
"alerts", each alert message. Its own words and its statistics come by the
same way. Leaving the block stops the daemon, and fails if there was another
message for which the scenario had not asked, or if the daemon did not end as
it should.

A scenario may also kill the daemon, and start another on the same directory;
what the lives send adds up.

In the configuration texts @WORK@ stands for the daemon's directory, which is
also its workDirectory, and @ORIGINALS@ and @ALERTS@ for the actions that
forward a message to the test.
"""

import collections
import ctypes
import datetime
import functools
import json
import os
import signal
import socket
import subprocess
import time

import deadline
from collector import Collector, template
from workplace import RSYSLOGD, Workplace, module_path, stage

CHANNELS = ("originals", "alerts", "internal", "statistics")
PR_SET_CHILD_SUBREAPER = 36
IMPSTATS = ('module(load="impstats" interval="1" format="json" '
            'ruleset="statistics")')

Leftover = collections.namedtuple("Leftover", "originals alerts internal")
Ending = collections.namedtuple("Ending", "seconds work")


def configuration(port, rules="", before="", roles=None, queue="",
                  max_message_size="4m", keep_control_characters=False,
                  own=None, impstats=IMPSTATS):
    """Write a configuration around the rules of a scenario.

    port: gives the port of a channel. rules: what happens to each message
    before it is forwarded. before: loads modules and defines rulesets.
    roles: the rules of a second input, for the role list. queue: parameters
    of a queue between the input and the rules. own: global parameters, inputs
    and rulesets of the scenario's own, in the place of those that the
    parameters before describe; impstats is loaded. impstats: loads it, unless
    the scenario's own text does.
    """
    if own is None:
        own = f"""{settings(max_message_size, keep_control_characters)}
{before}
{inputs(rules, roles, queue)}"""
    own = own.replace("@ORIGINALS@", forward(port("originals"), "received"))
    own = own.replace("@ALERTS@", forward(port("alerts")))
    return f"""global(processInternalMessages="on"
  internalMsg.rateLimit.burst="1000000")
{impstats}
{template("received", "rawmsg")}
{template("said", "msg")}
{own}
ruleset(name="statistics" queue.type="LinkedList") {{ {forward(port("statistics"))} }}
if $inputname == "rsyslogd" then {{ {forward(port("internal"))} }}
"""


def settings(max_message_size="4m", keep_control_characters=False):
    """Write the usual global parameters, and load imtcp."""
    control = "off" if keep_control_characters else "on"
    return f"""global(workDirectory="@WORK@" abortOnUncleanConfig="on"
  maxMessageSize="{max_message_size}"
  parser.escapeControlCharactersOnReceive="{control}")
module(load="imtcp" maxFrameSize="200000000")"""


def inputs(rules, roles=None, queue=""):
    """Write the usual inputs and rulesets around a scenario's rules."""
    text = f"""
ruleset(name="alerts" queue.type="LinkedList") {{
  @ALERTS@
}}
ruleset(name="incoming" {queue}) {{
{rules}
  @ORIGINALS@
}}
{listen("incoming")}
"""
    if roles is not None:
        text += f"""
ruleset(name="role rows" queue.type="LinkedList") {{
{roles}
}}
{listen("roles", "role rows")}
"""
    return text


def forward(port, template_name="said"):
    """Write the action that sends a message to the test."""
    return f"""action(type="omfwd" target="127.0.0.1" port="{port}"
    protocol="tcp" TCP_Framing="octet-counted" template="{template_name}"
    action.resumeRetryCount="-1")"""


def listen(name, ruleset=None):
    """Write an input, on a port that the kernel chooses.

    ruleset: where its messages go, if that has another name.
    """
    return f"""input(type="imtcp" address="127.0.0.1" port="0"
  listenPortFileName="@WORK@/{name}.port" ruleset="{ruleset or name}")"""


def check_config(rules="", before="", **more):
    """Run rsyslogd's configuration check; give its status and its words.

    Takes the same pieces as Daemon. Nothing is left behind.
    """
    work = Workplace()
    try:
        text = configuration(lambda channel: 9, rules, before, **more)
        path = work.write("rsyslog.conf",
                          text.replace("@WORK@", str(work.path)))
        status, output, words = work.run(RSYSLOGD, "-N1", "-f", path,
                                         "-M", module_path())
        return status, output + words
    finally:
        work.remove()


@functools.lru_cache(maxsize=None)
def adopt_orphans():
    """Become the parent of daemons that fork away, to see how they end."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


class Daemon:
    """One rsyslogd, from its start to its end, or several in a row."""

    def __init__(self, rules="", before="", forked=False, environment=None,
                 **more):
        self.work = Workplace()
        self._environment = {
            name: value.replace("@WORK@", str(self.work.path))
            for name, value in (environment or {}).items()}
        self.forked = forked
        self.collector = Collector(CHANNELS)
        self._configuration = configuration(self.collector.port, rules,
                                            before, **more)
        self._taken = collections.Counter()
        self._counted = 0  # statistics of the lives before this one
        self._lanes = {}
        self._process = self._pid = self._pidfd = None
        self._worked = 0.0  # seconds of the processors, of the last life

    # Before the start.

    def write(self, name, data):
        """Write a file into the daemon's directory; give its path."""
        return self.work.write(name, data)

    def reconfigure(self, old, new):
        """Put other words into the configuration, for the next start."""
        self._configuration = self._configuration.replace(old, new)

    def synctap(self, *arguments, statuses=(0,)):
        """Run the command line as the daemon's user; give its output."""
        status, output, words = self.work.run(
            stage() / "bin" / "synctap", *arguments)
        if status not in statuses:
            raise AssertionError(
                f"synctap {' '.join(map(str, arguments))}: status {status}: "
                f"{words}")
        return output

    @property
    def pid(self):
        """The daemon's process, while it runs."""
        return self._pid

    # Start and end.

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self._give_up()
            raise
        return self

    def __exit__(self, kind, error, trace):
        if kind is not None:
            self._give_up()
            print(f"what the daemon left is in {self.work.path}")
        elif not self.collector.closed:
            left = self.stop()
            if left.originals or left.alerts:
                raise AssertionError(f"not expected: {left.originals} "
                                     f"{left.alerts}")

    def start(self):
        """Start the daemon, or another one in the directory of an ended one.

        Returns when it says that it has started.
        """
        before = len(self.said("start"))
        self._counted = len(self.collector.messages["statistics"])
        self.launch()
        self.wait_until(lambda: len(self.said("start")) > before,
                         "the daemon to say that it has started")

    def launch(self):
        """Start the daemon, and do not wait for it to be ready."""
        config = self.write("rsyslog.conf", self._configuration.replace(
            "@WORK@", str(self.work.path)))
        pidfile = self.work.path / "rsyslogd.pid"
        for left in (pidfile, *self.work.path.glob("*.port")):
            left.unlink(missing_ok=True)
        command = [RSYSLOGD, "-f", config, "-i", pidfile, "-M", module_path()]
        if self.forked:
            adopt_orphans()
            self._fork(command, pidfile)
        else:
            # Kept, or Python would take the status of an ended one for itself.
            self._process = self.work.start(*command, "-n",
                                            environment=self._environment)
            self._pid = self._process.pid
        self._pidfd = self._open_pidfd()
        self.collector.follow(self._pidfd)

    def _open_pidfd(self):
        """Get hold of the daemon's process, so that none can be mistaken."""
        try:
            return os.pidfd_open(self._pid)
        except ProcessLookupError:
            raise AssertionError("rsyslogd has ended at once: "
                                 f"{self.work.words()}") from None

    def _fork(self, command, pidfile):
        """Start a daemon that leaves its parent, and find it again."""
        parent = self.work.start(*command, environment=self._environment)
        try:
            status = parent.wait(timeout=deadline.SECONDS)
        except subprocess.TimeoutExpired:
            parent.kill()
            raise
        if status != 0:
            raise AssertionError(f"rsyslogd did not start: status {status}: "
                                 f"{self.work.words()}")
        self._pid = int(pidfile.read_text())
        with open(f"/proc/{self._pid}/cmdline", "rb") as cmdline:
            if str(pidfile).encode() not in cmdline.read():
                raise AssertionError(f"{self._pid} is another process")

    def stop(self):
        """Stop the daemon for good; give the messages nobody had asked for."""
        if self._pidfd is not None:
            self.end()
        self.collector.close()
        self.work.remove()
        return Leftover(*map(self._take_all, Leftover._fields))

    def end(self, statuses=(0,)):
        """Stop the daemon, but keep its directory: another may start there.

        The connections to it stay open until it has gone: imtcp can crash on
        connections that close while it shuts down. What it sends on a channel
        that is paused may be cut off. Gives how long it took: seconds of the
        clock, and of the processors, which other programs do not make longer.
        """
        begin, worked = time.monotonic(), cpu_seconds(self._pid)
        self.terminate()
        if not self.collector.wait(lambda: self.collector.ended):
            raise AssertionError("rsyslogd did not end at SIGTERM within "
                                 f"{deadline.SECONDS} s: {self._situation()}")
        seconds = time.monotonic() - begin
        self.collector.resume_after_end()
        self.wait_until(lambda: self.collector.drained, "all it has sent")
        self._close_lanes()
        status = self._reap()
        if status not in statuses:
            raise AssertionError(f"rsyslogd ended with {status} (negative: a "
                                 f"signal), not {statuses}: "
                                 f"{self._situation()}")
        return Ending(seconds, self._worked - worked)

    def terminate(self):
        """Send SIGTERM, and do not wait for the end."""
        self._signal(signal.SIGTERM)

    def kill(self):
        """Kill the daemon, wherever it is; another may start after it.

        Gives its exit status: it may have ended by itself just before.
        """
        self.collector.expect_kill()
        self._signal(signal.SIGKILL)
        self._close_lanes()
        self.wait_until(lambda: self.collector.drained, "its end")
        return self._reap()

    def restart(self):
        """Kill the daemon and start another in its directory."""
        self.kill()
        self.start()

    def _give_up(self):
        """End the daemon of a scenario that has failed already."""
        self._close_lanes()
        if self._pidfd is not None:
            self.collector.expect_kill()
            self._signal(signal.SIGKILL)
            self.collector.wait(lambda: self.collector.drained)
            self._reap()
        self.collector.close()

    def _signal(self, number):
        """Signal the very process that was started, if it still lives."""
        if not self.collector.ended:
            signal.pidfd_send_signal(self._pidfd, number)

    def _reap(self):
        """Give the exit status; negative is the signal that ended it."""
        _, status, usage = os.wait4(self._pid, 0)
        self._worked = usage.ru_utime + usage.ru_stime
        os.close(self._pidfd)
        self._pidfd = None
        status = os.waitstatus_to_exitcode(status)
        if self._process is not None:
            self._process.returncode = status
        return status

    @property
    def pid(self):
        """Give the process that runs."""
        return self._pid

    def hup(self):
        """Send HUP and wait until the daemon says that it came.

        It says so before its modules see it: their part is to be waited for
        by its effects.
        """
        before = len(self.said("HUPed"))
        self._signal(signal.SIGHUP)
        self.wait_hup(before)

    def wait_hup(self, before):
        """Wait until the daemon has said once more that a HUP came.

        Before 8.2206 its own thread keeps what it says at HUP until the next
        signal: SIGTTOU is the one by which others wake it for a message.
        """
        until = time.monotonic() + deadline.SECONDS
        while not self.collector.wait(
                lambda: len(self.said("HUPed")) > before, 0.1):
            if self.collector.ended or time.monotonic() > until:
                raise AssertionError("the daemon took no notice of HUP; "
                                     f"{self._situation()}")
            self._signal(signal.SIGTTOU)

    # In.

    def send(self, records, framing="lines", lane=0, to="incoming"):
        """Send records by TCP, each as one message.

        Records of one lane go through one connection and keep their order.
        """
        data = b"".join(framed(record, framing) for record in records)
        if (to, lane) not in self._lanes:
            self._lanes[to, lane] = self._connect(to)
        self._lanes[to, lane].sendall(data)

    def _connect(self, to):
        port = int((self.work.path / f"{to}.port").read_text())
        return socket.create_connection(("127.0.0.1", port),
                                        deadline.SECONDS)

    def _close_lanes(self):
        for lane in self._lanes.values():
            lane.close()
        self._lanes.clear()

    # Out.

    def originals(self, count):
        """Wait for the next `count` messages that went through the rules."""
        return self._take("originals", count)

    def alerts(self, count):
        """Wait for the next `count` alert messages."""
        return self._take("alerts", count)

    def wait_alert(self, record_id):
        """Wait until an alert of that record has come, without taking it."""
        words = f'"record_id":{json.dumps(record_id)}'
        self.wait_until(
            lambda: any(words in alert.text for alert in
                        reversed(self.collector.messages["alerts"])),
            f"an alert of the record {record_id!r}")

    def _take(self, channel, count):
        came, taken = self.collector.messages[channel], self._taken[channel]
        self.wait_until(
            lambda: len(came) >= taken + count,
            lambda: f"{count} {channel}, got {len(came) - taken}: "
                    f"{came[taken:]}")
        self._taken[channel] += count
        return came[taken:taken + count]

    def _take_all(self, channel):
        return self.collector.messages[channel][self._taken[channel]:]

    def internal(self, *words):
        """Wait for a message of the daemon's own that has all the words."""
        self.wait_until(lambda: self.said(*words),
                         f"the daemon to say {words}")
        return self.said(*words)[0]

    def said(self, *words):
        """Give the daemon's own messages so far that have all the words."""
        return [message for message in self.collector.messages["internal"]
                if all(word in message.text for word in words)]

    def statistics(self, name):
        """Give the newest counters of an object of impstats; {} if none."""
        return (self._all_statistics(name) or [{}])[-1]

    def _all_statistics(self, name, since=""):
        """Give all counters of an object, of a time and after it.

        rsyslogd counts each action under its name too; those are not meant.
        """
        counted = self.collector.messages["statistics"][self._counted:]
        found = [message.json() for message in counted
                 if message.generated >= since]
        return [counters for counters in found if counters["name"] == name
                and counters["origin"] != "core.action"]

    def wait_statistics(self, name, **values):
        """Wait until counters of an object have the values given."""
        def reached():
            counters = self.statistics(name)
            return all(counters.get(counter) == value
                       for counter, value in values.items())

        self.wait_until(reached, lambda: f"{name} to count {values}, got "
                                          f"{self.statistics(name)}")

    def counters(self, name):
        """Wait for counters of an object that know of all that went before.

        rsyslogd counts once a second; what it wrote before now may have been
        counted in the middle of something.
        """
        now = datetime.datetime.now().astimezone().isoformat(
            timespec="microseconds")
        self.wait_until(lambda: self._all_statistics(name, now),
                         f"the counters of {name} after {now}")
        return self._all_statistics(name, now)[0]

    def until_tagged(self, records, grace, container="synctap"):
        """Send records one by one until one comes back tagged; give it.

        Fails at a record that came back without a tag though it was sent more
        than `grace` seconds after the call.
        """
        started = time.monotonic()
        for record in records:
            sent = time.monotonic() - started
            self.send([record])
            original, = self.originals(1)
            if container in original.tree:
                return original
            if sent > grace:
                raise AssertionError(
                    f"not tagged, though sent after {sent:.3f} s: {original}")
        raise AssertionError("no record was tagged")

    def wait_until(self, condition, what):
        """Wait for the condition; fail with what was waited for."""
        if not self.collector.wait(condition):
            what = what if isinstance(what, str) else what()
            raise AssertionError(f"waited for {what}; {self._situation()}")

    def _situation(self):
        """Describe the daemon for a failure's message."""
        said = [message.text for message in
                self.collector.messages["internal"][-20:]]
        return (f"rsyslogd {'has ended' if self.collector.ended else 'runs'}"
                f", directory {self.work.path}, its log {said}, "
                f"its words {self.work.words()[-4000:]!r}")


def cpu_seconds(pid):
    """Give the seconds of the processors that a process has had so far."""
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def framed(record, framing):
    """Frame one message for TCP."""
    data = record.encode() if isinstance(record, str) else record
    if framing == "octet":
        return b"%d %s" % (len(data), data)
    if b"\n" in data or data[:1].isdigit():
        raise ValueError("this message needs octet framing")
    return data + b"\n"


def as_text(value):
    """Write a record as JSON on one line."""
    return json.dumps(value, ensure_ascii=False)
