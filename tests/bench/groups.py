"""The figures, in groups that share their turns.

A group runs all of its pipelines once, then all of them again, and so on, so
that whatever else the machine does meets all of them alike.
"""

import collections
import dataclasses
import json
import os
import pathlib
import shutil
import sqlite3
import statistics as middle
import subprocess
import time
import typing

import consumer_group
import counted
import data
import flood
import latency
import outage
import pipelines
import syslog_ng
from daemon import (FROM_FILE, FROM_TCP, HOLD, SECONDS_AT_MOST, Failed,
                    Rsyslogd)
from figures import Bound, cannot, figure, show
from pipelines import DEFAULT_BATCH, SMALL_BATCH
from workplace import Workplace, stage

SEED = 20260601


class CannotRun(Exception):
    """What a figure needs is not here."""


@dataclasses.dataclass
class Setting:
    """What all groups are told."""

    top: pathlib.Path
    room: pathlib.Path
    quick: bool
    turns: int
    words: typing.Callable

    def size(self, full, quick):
        """Choose a size."""
        return quick if self.quick else full

    def file(self, name, make):
        """Give the path of a data file, which is made once."""
        path = self.room / name
        if not path.exists():
            self.words(f"writing {name}")
            data.write(path, make())
        return path

    def interleave(self, measures):
        """Take every measure once a turn; give {name: [measured, ...]}."""
        measured = collections.defaultdict(list)
        for turn in range(self.turns):
            for name, measure in measures.items():
                self.words(f"turn {turn + 1} of {self.turns}: "
                           + (name if isinstance(name, str) else
                              "{}, batch {}".format(*name)))
                measured[name].append(measure())
        return measured


@dataclasses.dataclass(frozen=True)
class Group:
    """Some figures, and what gives them."""

    names: tuple
    run: typing.Callable


GROUPS = []


def group(*names):
    """Note a function as what gives the figures of these names."""
    def note(run):
        GROUPS.append(Group(names, run))
        return run
    return note


def names():
    """Give the names of all figures."""
    return [name for each in GROUPS for name in each.names]


def run(setting, wanted, made_so_far):
    """Run the groups that have one of the figures; all if none is named.

    made_so_far: a list that takes each figure, beside standard output.
    """
    def take(made):
        show(made)
        made_so_far.append(made)
    status = 0
    for each in GROUPS:
        asked = [name for name in each.names if not wanted or name in wanted]
        if not asked:
            continue
        try:
            for made in each.run(setting):
                if made["figure"] in asked:
                    take(made)
        except CannotRun as reason:
            for name in asked:
                take(cannot(name, str(reason)))
        except Failed as failure:
            setting.words(f"{', '.join(asked)}: {failure}")
            status = 1
    return status


# What is there.

def module_has(word):
    """Say whether the module knows a parameter."""
    module = stage() / "lib" / "rsyslog" / "mmsynctap.so"
    return word.encode() + b"\0" in module.read_bytes()


def require_latejoin():
    """Give up a group that needs the parameter where it is not there."""
    if not module_has("latejoin"):
        raise CannotRun("this mmsynctap has no parameter latejoin")


def without_latejoin():
    """Give the parameters that keep the module from remembering."""
    return 'latejoin="off"' if module_has("latejoin") else ""


def synctap(*arguments):
    """Run the command line; fail unless it ends well."""
    command = [stage() / "bin" / "synctap", *map(str, arguments)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def per_message(pipeline, path, count):
    """Make a measure: nanoseconds of the worker for each message."""
    def measure():
        with Rsyslogd(pipeline, FROM_FILE + HOLD) as daemon:
            cost = daemon.hold_and_read(path, count)
            return cost._replace(worker_ns=cost.worker_ns / count)
    return measure


def per_second(pipeline, path, count):
    """Make a measure: messages a second, while they come in."""
    def measure():
        with Rsyslogd(pipeline, FROM_FILE) as daemon:
            return count / daemon.read(path, count).seconds
    return measure


def worker_ns(costs):
    """Give the workers' nanoseconds of some costs."""
    return [cost.worker_ns for cost in costs]


# One candidate in a thousand.

def mixed_file(setting):
    """Give the file, and how many messages are in it."""
    count = setting.size(300_000, 100_000)
    return setting.file(f"mixed-{count}",
                        lambda: data.Records(SEED).mixed(count)), count


def ours_on_mixed(batch):
    """Give the module's pipeline, which must find what is there."""
    return pipelines.mmsynctap(batch, 'ruleset="alerts"',
                               expect=pipelines.expect_mixed)


@group("adds_against_contains", "adds_against_script",
       "adds_against_mmjsonparse")
def adds(setting):
    """What a pipeline adds to one that does nothing."""
    path, count = mixed_file(setting)
    batches = setting.size((SMALL_BATCH, DEFAULT_BATCH), (DEFAULT_BATCH,))
    made = {"bare": pipelines.bare, "mmsynctap": ours_on_mixed,
            "contains": pipelines.script_behind_contains,
            "script": pipelines.script, "mmjsonparse": pipelines.mmjsonparse}
    came = setting.interleave({
        (kind, batch): per_message(make(batch), path, count)
        for kind, make in made.items() for batch in batches})
    yield from _added(came, batches, count)


def require_valgrind():
    """Say what is missing where instructions cannot be counted."""
    if shutil.which("valgrind") is None:
        raise CannotRun("valgrind is not installed")


def few_and_many(setting, kind):
    """Give two files of messages of a kind, and how many are in each."""
    return [(setting.file(f"{kind}-{count}", lambda n=count: getattr(
        data.Records(SEED), kind)(n)), count) for count in (500, 2500)]


def counts(setting, made, kind):
    """Count what each pipeline takes for a message, twice."""
    files = few_and_many(setting, kind)
    came = collections.defaultdict(list)
    for turn in (1, 2):
        for name, pipeline in made.items():
            setting.words(f"turn {turn} of 2: instructions of {name}")
            came[name].append(counted.count_of(pipeline, *files))
    return came


@group("instructions_against_contains", "instructions_against_mmjsonparse")
def added_instructions(setting):
    """What a pipeline adds to a bare one, in the worker of a real rsyslogd."""
    require_valgrind()
    came = counts(setting, {
        "bare": pipelines.bare(SMALL_BATCH),
        "mmsynctap": pipelines.mmsynctap(SMALL_BATCH, 'ruleset="alerts"'),
        "contains": pipelines.script_behind_contains(SMALL_BATCH),
        "mmjsonparse": pipelines.mmjsonparse(SMALL_BATCH)}, "misses")
    ours = above(came["mmsynctap"], came["bare"])
    for peer, bound in (("contains", Bound(at_least=25)),
                        ("mmjsonparse", Bound(at_least=400))):
        yield figure(f"instructions_against_{peer}", ours,
                     above(came[peer], came["bare"]),
                     "instructions/message above bare", bound, inverse=True,
                     bare=round(middle.median(came["bare"])))


@group("candidate_against_libfastjson")
def candidate_instructions(setting):
    """What a candidate costs, against reading its JSON and no more."""
    require_valgrind()
    files = few_and_many(setting, "candidates")
    program = setting.top / "build/tests/bench/feed_messages"
    rulebase = setting.top / "rulebase/entra-audit.rulebase"
    came = collections.defaultdict(list)
    for _ in range(2):
        for name, what in (("detector", rulebase), ("libfastjson", "-")):
            few, many = (counted.count_program(
                [program, what, path, count, "2026-06-01T13:00:00Z"])
                for path, count in files)
            came[name].append((many - few) / (files[1][1] - files[0][1]))
    yield figure("candidate_against_libfastjson", came["detector"],
                 came["libfastjson"], "instructions/message",
                 Bound(at_most=1.25))


@group("throughput")
def throughput(setting):
    """Messages a second, where imfile is what holds them up."""
    path, count = mixed_file(setting)
    came = setting.interleave({
        "mmsynctap": per_second(ours_on_mixed(DEFAULT_BATCH), path, count),
        "bare": per_second(pipelines.bare(DEFAULT_BATCH), path, count)})
    yield figure("throughput", came["mmsynctap"], came["bare"], "messages/s",
                 Bound(at_least=0.97), messages=count)


@group("flood_to_database", "flood_thousand_alerts", "flood_late_alerts")
def flooded(setting):
    """So many candidates that match nothing, then some of their accounts.

    Ten records wait for each: 100 accounts make 1,000 alerts.
    """
    count = setting.size(1_000_000, 50_000)
    made = flood.Flood(
        pipelines.mmsynctap(DEFAULT_BATCH, 'ruleset="alerts" latejoin="on"'),
        fresh_candidates(setting, count), count)
    kept, (few, many) = made.measure(people(range(100)),
                                     people(range(100, 1100)))
    facts = {"messages": count, "most_rss_mb": made.most_rss_kb // 1024,
             "most_journal_mb": made.most_journal >> 20}
    yield figure("flood_to_database", [kept], [1], "s", Bound(at_most=20),
                 **facts)
    for name, (seconds, alerts) in (("flood_thousand_alerts", few),
                                    ("flood_late_alerts", many)):
        yield figure(name, [seconds], [1], "s", Bound(at_most=2),
                     alerts=alerts)


def people(numbers):
    """Give accounts of data.Records."""
    return [f"user{number}@contoso.com" for number in numbers]


@group("collectors_worker", "collectors_against_model", "collectors_share",
       "collectors_waiting", "collectors_role_rows")
def collectors(setting):
    """Hold the model of doc/scale.md against one and four collectors."""
    missing = consumer_group.missing(setting.top)
    if missing:
        raise CannotRun(missing)
    os.environ["KAFKA_JARS"] = str(setting.top / "build/kafka")
    count, rows = setting.size(80_000, 20_000), setting.size(20_000, 2_000)
    with consumer_group.behind_a_broker(count, rows) as behind:
        took = setting.interleave({
            "one collector": lambda: behind.measure(1),
            "four collectors": lambda: behind.measure(4)})
    one = [turn[0] for turn in took["one collector"]]
    four = took["four collectors"]
    yield figure(
        "collectors_worker", [mean_of(turn, "worker_us") for turn in four],
        [alone.worker_us for alone in one], "worker us per message",
        Bound(0.8, 1.25), threads=threads_of(one),
        threads_of_four=threads_of(sum(four, [])))
    yield figure(
        "collectors_against_model",
        [mean_of(turn, "worker_us") for turn in four],
        [consumer_group.predicted_us()] * len(four), "worker us per message",
        Bound(at_most=1.5))
    for name, what, part in (("share", "messages", count / 4),
                             ("waiting", "pending",
                              count / consumer_group.CANDIDATE_IN / 4),
                             ("role_rows", "rows", rows)):
        yield figure(
            f"collectors_{name}",
            [max(getattr(each, what) for each in turn) for turn in four],
            [part] * len(four), f"{what} of a collector", Bound(1, 1),
            of_all=[sum(getattr(each, what) for each in turn)
                    for turn in four],
            **({"bytes_of_a_row": mean_of(sum(four, []), "bytes_of_a_row")}
               if what == "rows" else {}))


def mean_of(collectors_, what):
    """Give the mean of what collectors did."""
    return middle.fmean(getattr(each, what) for each in collectors_)


def threads_of(collectors_):
    """Give the microseconds a message of the threads that take some."""
    names_ = {name for each in collectors_ for name in each.threads_us}
    means = {name: middle.fmean(each.threads_us.get(name, 0)
                                for each in collectors_) for name in names_}
    return {name: round(mean, 2) for name, mean in sorted(
        means.items(), key=lambda pair: -pair[1]) if mean >= 0.05}


@group("outage_catch_up")
def outage_ended(setting):
    """An hour's alerts, 50 a second, that wait for the far end's return."""
    count = setting.size(180_000, 9_000)
    path = setting.file(f"matches-{count}",
                        lambda: data.Records(SEED).matches(count))
    made = outage.Outage(path, count)
    seconds = made.measure()
    yield figure("outage_catch_up", [seconds], [1], "s", Bound(at_most=60),
                 alerts=count, queue_mb=made.queue_bytes >> 20,
                 rss_mb=made.rss_kb // 1024)


LONG_MESSAGE = 8 << 20


@group("latency_1000", "latency_20000", "latency_long_messages")
def latencies(setting):
    """From a record's sending to its alert in the file, in milliseconds."""
    seconds = setting.size(60, 10)
    records = data.Records(SEED)
    long = b'{"time":"' + b"x" * LONG_MESSAGE + b'"}\n'
    for name, rate, one_in, between in (
            ("latency_1000", 1000, 100, None),
            ("latency_20000", 20000, 1000, None),
            ("latency_long_messages", 1000, 100, long)):
        setting.words(f"{name}: {seconds} s")
        values = latency.measure(
            pipelines.mmsynctap(DEFAULT_BATCH, 'ruleset="alerts"'),
            rate, seconds, one_in, records, between)
        yield {"figure": name, "unit": "ms", **latency.summary(values)}


def above(all_of, bare):
    """Give what each turn added to the bare one; never quite nothing."""
    return [max(a - b, 1) for a, b in zip(all_of, bare)]


def _added(came, batches, count):
    """Give the figures of what is added, each at the peer's better batch."""
    def added(kind, batch):
        return above(worker_ns(came[kind, batch]),
                     worker_ns(came["bare", batch]))
    for kind, bound in (("contains", Bound(at_least=12)), ("script", Bound()),
                        ("mmjsonparse", Bound())):
        batch = min(batches, key=lambda b: middle.median(added(kind, b)))
        yield figure(
            f"adds_against_{kind}", added("mmsynctap", batch),
            added(kind, batch), "worker ns/message above bare", bound,
            inverse=True, batch=batch, messages=count,
            bare=round(middle.median(worker_ns(came["bare", batch]))))


@group("adds_against_syslog_ng")
def beside_syslog_ng(setting):
    """The same against syslog-ng, which counts all of its threads."""
    path, count = mixed_file(setting)
    try:
        program = syslog_ng.SyslogNg(setting.room)
    except Failed as reason:
        raise CannotRun(str(reason)) from None
    came = setting.interleave({
        "mmsynctap": per_message(ours_on_mixed(DEFAULT_BATCH), path, count),
        "bare": per_message(pipelines.bare(DEFAULT_BATCH), path, count),
        "syslog-ng": program.measure(path, count, syslog_ng.RULE),
        "syslog-ng bare": program.measure(path, count, syslog_ng.BARE)})
    ours, theirs = (above(worker_ns(came["mmsynctap"]),
                          worker_ns(came["bare"])),
                    above(came["syslog-ng"], came["syslog-ng bare"]))
    yield figure("adds_against_syslog_ng", ours, theirs,
                 "ns/message above bare", inverse=True, messages=count)


# The gate alone.

@group("gate_against_memchr", "gate_against_memchr_cached",
       "gate_against_memmem", "narrow_gate_against_memmem")
def gate(setting):
    """A call per message, without rsyslog."""
    path = setting.file("gate", lambda: data.Records(SEED).mixed(40_000))
    out = subprocess.run(
        [setting.top / "build/tests/bench/gate_speed", path,
         str(setting.turns)], check=True, capture_output=True).stdout
    turns = [json.loads(line) for line in out.splitlines()]

    def made(name, ours, theirs, bound=Bound()):
        return figure(name, *([turn[who] for turn in turns]
                              for who in (ours, theirs)), "ns/message", bound)
    yield made("gate_against_memchr", "gate", "memchr", Bound(at_most=1.6))
    yield made("gate_against_memchr_cached", "gate cached", "memchr cached")
    yield made("gate_against_memmem", "gate", "memmem", Bound(at_most=1))
    yield made("narrow_gate_against_memmem", "narrow", "memmem",
               Bound(at_most=1))


@group("gate_of_forty_against_memchr")
def gate_of_forty(setting):
    """The same for a rule file that names forty operations."""
    path = setting.file("gate", lambda: data.Records(SEED).mixed(40_000))
    literals = setting.file("forty", lambda: (
        literal.encode() + b"\n" for literal in data.FORTY_LITERALS))
    out = subprocess.run(
        [setting.top / "build/tests/bench/gate_speed", path,
         str(setting.turns), literals], check=True,
        capture_output=True).stdout
    turns = [json.loads(line) for line in out.splitlines()]
    yield figure("gate_of_forty_against_memchr",
                 *([turn[who] for turn in turns]
                   for who in ("gate", "memchr")), "ns/message",
                 Bound(at_most=1.6))


# Every message a candidate.

def fresh_candidates(setting, count, seed=SEED):
    """Give a file of candidates with ids of their own."""
    return setting.file(f"candidates-{seed}-{count}",
                        lambda: data.Records(seed).candidates(count))


@group("candidates_latejoin_off", "candidates_latejoin_on")
def candidates(setting):
    """The hit path, with nothing that matches."""
    count = setting.size(100_000, 20_000)
    path = fresh_candidates(setting, count)
    measures = {
        "off": pipelines.mmsynctap(
            SMALL_BATCH, f'ruleset="alerts" {without_latejoin()}',
            expect=pipelines.expect_candidates),
        "on": pipelines.mmsynctap(
            SMALL_BATCH, 'ruleset="alerts" latejoin="on"',
            expect=pipelines.expect_remembered),
        "mmjsonparse": pipelines.mmjsonparse(SMALL_BATCH)}
    if not module_has("latejoin"):
        del measures["on"]
    came = setting.interleave({
        kind: per_message(pipeline, path, count)
        for kind, pipeline in measures.items()})
    theirs = came["mmjsonparse"]
    for kind, most in (("off", 1.2), ("on", 3)):
        name = f"candidates_latejoin_{kind}"
        if kind not in came:
            yield cannot(name, "this mmsynctap has no parameter latejoin")
            continue
        yield figure(name, worker_ns(came[kind]), worker_ns(theirs),
                     "worker ns/message", Bound(at_most=most),
                     messages=count,
                     all_threads=all_threads(came[kind], count))


def all_threads(costs, count):
    """Give what all threads of a process used, for each message."""
    return round(middle.median(
        sum(cost.threads.values()) for cost in costs) / count)


def seconds_of(command, **more):
    """Make a measure: how long a command takes, by the clock."""
    def measure():
        begin = time.monotonic()
        done = subprocess.run(command, stdout=subprocess.DEVNULL,
                              timeout=SECONDS_AT_MOST, **more)
        if done.returncode != 0:
            raise Failed(f"{command}: status {done.returncode}")
        return time.monotonic() - begin
    return measure


# The role list, and what is remembered.

class State:
    """A directory of the daemon's user, with a database that lasts."""

    def __init__(self):
        self._work = Workplace()
        self.database = self._work.path / "synctap.db"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._work.remove()

    def import_rows(self, setting, count):
        """Load so many rows of a role list."""
        rows = role_file(setting, count)
        status, _, words = self._work.run(
            stage() / "bin" / "synctap", "identity", "import", "--database",
            self.database, rows)
        if status != 0:
            raise Failed(f"identity import: {words}")


def role_file(setting, count):
    """Give a CSV of role-list rows."""
    return setting.file(f"roles-{count}.csv", lambda: data.role_rows(count))


@group("cost_with_role_rows", "memory_with_role_rows")
def role_rows(setting):
    """A hundred rows against a million."""
    few, many = 100, setting.size(1_000_000, 50_000)
    count, idle = setting.size(100_000, 20_000), 1_000
    path = fresh_candidates(setting, count)
    calm = fresh_candidates(setting, idle)

    def measure(state, rows, path, count):
        parameters = (f'database="{state.database}" ruleset="alerts" '
                      f"{without_latejoin()}")
        return per_message(
            pipelines.mmsynctap(SMALL_BATCH, parameters,
                                expect=expect_rows(rows)), path, count)
    with State() as small, State() as large:
        small.import_rows(setting, few)
        large.import_rows(setting, many)
        came = setting.interleave({
            "few": measure(small, few, path, count),
            "many": measure(large, many, path, count),
            "few, calm": measure(small, few, calm, idle),
            "many, calm": measure(large, many, calm, idle)})
    yield figure("cost_with_role_rows", worker_ns(came["many"]),
                 worker_ns(came["few"]), "worker ns/message",
                 Bound(at_least=0.9, at_most=1.1), rows=many, messages=count)
    ours = megabytes(came["many, calm"])
    yield figure("memory_with_role_rows", ours, megabytes(came["few, calm"]),
                 "MB", rows=many, at_most_MB=60, MB=max(ours),
                 holds=max(ours) <= 60)


def expect_rows(rows):
    """Every message was judged, with all of the role list known."""
    def expect(count):
        expected = pipelines.expect_candidates(count)
        expected["tap"]["identity_rows"] = rows
        return expected
    return expect


def megabytes(costs):
    """Give what was in memory at the end of each."""
    return [round(cost.rss_kb / 1000, 1) for cost in costs]


@group("cost_with_pending_rows")
def pending_rows(setting):
    """Nothing remembered against a million records."""
    require_latejoin()
    many, count = setting.size(1_000_000, 20_000), setting.size(50_000, 10_000)
    parameters = 'ruleset="alerts" latejoin="on"'
    seeds = iter(range(SEED + 1, SEED + 1000))

    def measure(state):
        place = f'database="{state.database}"' if state else ""
        path = fresh_candidates(setting, count, next(seeds))
        made = per_message(pipelines.mmsynctap(
            SMALL_BATCH, f"{place} {parameters}",
            expect=pipelines.expect_candidates), path, count)()
        path.unlink()
        return made
    with State() as full:
        path = fresh_candidates(setting, many, SEED + 1000)
        setting.words(f"remembering {many} records")
        per_message(pipelines.mmsynctap(
            DEFAULT_BATCH, f'database="{full.database}" {parameters}',
            expect=pipelines.expect_remembered), path, many)()
        path.unlink()
        came = setting.interleave({"none": lambda: measure(None),
                                   "many": lambda: measure(full)})
    yield figure("cost_with_pending_rows", worker_ns(came["many"]),
                 worker_ns(came["none"]), "worker ns/message",
                 Bound(at_least=0.9, at_most=1.1), rows=many, messages=count)


@group("import_against_sqlite")
def import_rows(setting):
    """The role list against sqlite3's own import of the same table."""
    if shutil.which("sqlite3") is None:
        raise CannotRun("sqlite3 is not installed")
    count = setting.size(1_000_000, 50_000)
    rows = role_file(setting, count)
    with State() as state:
        state.import_rows(setting, count)
        table, schema = dump(state.database, setting.room / "identity.csv")
    place = setting.room / "import.db"

    def ours():
        remove_database(place)
        return seconds_of([str(stage() / "bin" / "synctap"), "identity",
                           "import", "--database", str(place), str(rows)])()

    def theirs():
        remove_database(place)
        script = (f"{schema}\n.mode csv\n.import {table} identity\n")
        return seconds_of(["sqlite3", str(place)], text=True,
                          input=script)()
    came = setting.interleave({"synctap": ours, "sqlite3": theirs})
    remove_database(place)
    yield figure("import_against_sqlite", came["synctap"], came["sqlite3"],
                 "s", Bound(at_most=3), rows=count)


def dump(database, path):
    """Write the table as CSV for sqlite3's import; give it and its schema."""
    connection = sqlite3.connect(database)
    schema = ";\n".join(row[0] for row in connection.execute(
        "SELECT sql FROM sqlite_master WHERE tbl_name = 'identity' "
        "AND sql IS NOT NULL")) + ";"
    connection.close()
    with open(path, "wb") as out:
        subprocess.run(["sqlite3", "-csv", str(database),
                        "SELECT * FROM identity"], check=True, stdout=out)
    return path, schema


def remove_database(path):
    """Remove a database with what belongs to it."""
    for file in path.parent.glob(path.name + "*"):
        file.unlink()


# Memory, for as long as one has patience.

FLAT_MB = 2  # beyond what a bare rsyslogd grows by in the same time


@group("memory_after_many_messages")
def memory_after(setting):
    """A daemon with the module over one without, halfway and at the end."""
    count = setting.size(10_000_000, 300_000)
    block = setting.size(500_000, 30_000)
    rounds = count // block
    path = setting.file(f"mixed-{block}",
                        lambda: data.Records(SEED).mixed(block))
    ours = pipelines.mmsynctap(DEFAULT_BATCH, 'ruleset="alerts"')
    readings = {}
    for name, pipeline in (("mmsynctap", ours),
                           ("bare", pipelines.bare(DEFAULT_BATCH))):
        setting.words(f"{count} messages through {name}")
        readings[name] = readings_of(pipeline, path, block, rounds)
    ours, theirs = (megabytes(readings[name])
                    for name in ("mmsynctap", "bare"))
    more = max(a - b for a, b in zip(ours, theirs))
    grown = (ours[1] - ours[0]) - (theirs[1] - theirs[0])
    yield figure("memory_after_many_messages", ours, theirs, "MB",
                 messages=count, at_most_MB_more=20, MB_more=round(more, 1),
                 halfway_MB=ours[0], end_MB=ours[1],
                 grown_MB=round(grown, 1),
                 holds=more <= 20 and grown <= FLAT_MB)


def readings_of(pipeline, path, block, rounds):
    """Send the file by TCP again and again; give the costs of both halves."""
    with Rsyslogd(pipeline, FROM_TCP) as daemon:
        readings = []
        for half in (rounds // 2, rounds - rounds // 2):
            daemon.send(path, half)
            readings.append(daemon.cost_of(
                block * (half if not readings else rounds)))
        return readings
