"""`synctap replay` fires what the law of the stream says, over random days.

Thirty hours of several tenants' records and role list rows go through one
command, in all the ways in which a file can hold them. The alerts must be
those of the model in tests/oracle, each with its instant, its lateness and its
incident, in the order in which they fire. SYNCTAP_TIMELINES raises the number
of timelines; SYNCTAP_SEED starts at another one.
"""

import collections
import os
import pathlib
import random
import shutil
import subprocess
import tempfile
import unittest

import rendering
import rows
import stream
import ticks
import timeline
import wrappings
from command import replay
from ticks import DAY, HOUR

TIMELINES = int(os.environ.get("SYNCTAP_TIMELINES", "40"))
ENOUGH = 5  # differing timelines, after which no more are tried
FIRST_SEED = int(os.environ.get("SYNCTAP_SEED", "0"))
SPANS = {DAY: "1d", 12 * HOUR: "12h", HOUR: "60m", 0: "0"}


class RandomTimelines(unittest.TestCase):
    """One timeline a seed; the files of those that differ are kept."""

    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(
            prefix="synctap-replay-"))

    def test_kql_fires_what_a_run_of_the_query_returns(self):
        self._check_all("kql", FIRST_SEED)

    def test_wide_fires_what_the_query_misses_too(self):
        self._check_all("wide", FIRST_SEED + 1)

    def _check_all(self, semantics, first):
        """Try every second timeline; fail with what was wrong with some."""
        failures = []
        for seed in range(first, FIRST_SEED + TIMELINES, 2):
            failures += self._check_one(seed, semantics)
            if len(failures) == ENOUGH:
                failures.append(f"not tried further than seed {seed}")
                break
        if failures:
            self.fail("\n\n".join(failures))
        self.directory.rmdir()

    def _check_one(self, seed, semantics):
        """Try one timeline; give what was wrong, as a list of one or none."""
        directory = self.directory / f"seed-{seed}"
        directory.mkdir()
        case = _Case(seed, semantics, directory)
        try:
            case.check()
        except (AssertionError, ValueError, subprocess.TimeoutExpired) as why:
            return [f"seed {seed}, {semantics}, {case.made.clock}: "
                    f"{' '.join(map(str, case.arguments))}\n{why}"]
        shutil.rmtree(directory)
        return []


class _Case:
    """One timeline, and the settings under which it is replayed."""

    def __init__(self, seed, semantics, directory):
        self.rng = random.Random(f"replay {seed}")
        self.directory = directory
        self.made = timeline.random_timeline(seed, semantics, size=0.7)
        self.settings = _settings(self.rng, semantics)
        self.is_shuffled = self.made.clock != "unknown" \
            and self.rng.random() < 0.25
        if self.is_shuffled:
            self.rng.shuffle(self.made.deliveries)
        self.arguments = []

    def check(self):
        """Replay the timeline and compare."""
        self.arguments = [*self._options(), *self._initial(), *self._files()]
        expected = stream.alerts(self._events(), self.settings,
                                 self.made.initial)
        wrong = difference(expected, replay(
            *self.arguments, semantics=self.settings.semantics,
            statuses=self._statuses()))
        if wrong:
            raise AssertionError(wrong)

    def _events(self):
        """Give what arrives; of a file in disorder, in order of arrival."""
        events = self.made.events()
        return sorted(events, key=lambda event: event.clock) \
            if self.is_shuffled else events

    def _statuses(self):
        """A row of the role list without a time is none; that may be said."""
        return (0, 1) if any(
            event.identity and event.identity["TimeGenerated"] is None
            for event in self.made.events()) or any(
            row["TimeGenerated"] is None for row in self.made.initial) \
            else (0,)

    def _options(self):
        """Say the settings, and those of the defaults sometimes too."""
        settings = self.settings
        options = ["--latejoin", "on" if settings.latejoin else "off",
                   "--incident-window", SPANS[settings.incident_window],
                   "--incident-matching", settings.incident_matching,
                   "--incident-maxalerts", settings.incident_maxalerts,
                   "--lookback", SPANS[settings.lookback]]
        if settings == _settings(None, settings.semantics):
            options = options[:self.rng.choice((0, len(options)))]
        if self.made.clock != "unknown":  # RFC 3164 leaves the year to it
            options += ["--now", ticks.render(self.made.events()[0].clock)]
        return options + ["--order", "time"] * self.is_shuffled

    def _initial(self):
        """Write the role list at the beginning, if there is one."""
        if not self.made.initial:
            return []
        records = [rendering.identity_row(row, self.rng)
                   for row in self.made.initial]
        return [word for path in rendering.write_files(
            self.directory, "ids", records, self.rng)
                for word in ("--identity", path)]

    def _files(self):
        """Write one to three files, some of them compressed."""
        size = -(-len(self.made.deliveries) // self.rng.randint(1, 3))
        paths = []
        for at in range(0, len(self.made.deliveries), size):
            data = self._file(self.made.deliveries[at:at + size])
            name = f"timeline{len(paths)}"
            if self.rng.random() < 0.2:
                kind = self.rng.choice(wrappings.compressions())
                data, name = wrappings.compress(data, kind), f"{name}.{kind}"
            paths.append(self.directory / name)
            paths[-1].write_bytes(data)
        return paths

    def _file(self, deliveries):
        """Write a file of lines, or of whole documents where none has a
        header."""
        if any(one.stamp is not None for one in deliveries) \
                or self.rng.random() < 0.6:
            return "".join(timeline.line(one, self.rng) + "\n"
                           for one in deliveries).encode()
        return rendering.file_bytes(
            [part.record for one in deliveries for part in one.parts],
            self.rng)


def _settings(rng, semantics):
    """Give the settings of a timeline: the defaults in two of three."""
    settings = stream.Settings(semantics)
    if rng is None or rng.random() < 0.6:
        return settings
    return settings._replace(
        latejoin=rng.random() < 0.8,
        lookback=rng.choice((DAY, 12 * HOUR)),
        incident_window=rng.choice((DAY, 12 * HOUR, HOUR, 0)),
        incident_matching=rng.choice(("AnyAlert", "AllEntities",
                                      "Selected")),
        incident_maxalerts=rng.choice((1, 3, 150)))


KEYS = (*stream.COLUMNS, "alert_id", "late", "confidence", "tenant_id",
        "detected_at", "incident")


def difference(expected, got):
    """Say what is different between the model's alerts and others; "" if
    nothing is."""
    wanted, came = _by_id(expected), _by_id(got)
    wrong = [f"missing: {_brief(wanted[one])}" for one in wanted
             if one not in came]
    wrong += [f"not expected: {_brief(came[one])}" for one in came
              if one not in wanted]
    if not wrong and list(wanted) != list(came):
        wrong = ["the order, expected:", *map(_brief, expected),
                 "got:", *map(_brief, got)]
    wrong = wrong or [line for one in wanted
                      for line in _changed(wanted[one], came[one])]
    return "\n".join(wrong)


def _by_id(alerts):
    """Give alerts by their id, and by how often it has come before."""
    found, times = {}, collections.Counter()
    for alert in alerts:
        found[alert["alert_id"], times[alert["alert_id"]]] = alert
        times[alert["alert_id"]] += 1
    return found


def _changed(expected, got):
    """Name the columns that differ in an alert that came."""
    return [f"{name} {rows.canonical(got[name])} instead of "
            f"{rows.canonical(expected[name])}: {_brief(got)}"
            for name in KEYS
            if rows.canonical(got[name]) != rows.canonical(expected[name])
            and not (name == "matched_by" and _reasons_agree(expected, got))]


def _reasons_agree(expected, got):
    """Let wide name reasons of its own beside those of the query."""
    known, named = expected["matched_by"], got["matched_by"]
    if expected["kql"]:
        return set(known) <= set(named)
    return known == [name for name in named
                     if name.startswith(("identity_", "upn_"))]


def _brief(alert):
    return " ".join(str(alert[name]) for name in (
        "detected_at", "alert_id", "late", "kql", "record_id", "target_upn",
        "target_id", "matched_by"))


if __name__ == "__main__":
    unittest.main()
