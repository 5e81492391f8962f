"""`synctap status`: green, and each way in which it is not.

The database is one that a daemon has left; what the daemon said of itself is
put there by the tests. A live daemon is a scenario of tests/rsyslogd.
"""

import json
import os
import pathlib
import re
import shutil
import sqlite3
import subprocess
import tempfile
import unittest

import command
import plain
import ticks
from command import synctap
from incidents import Incidents, alert, role_row
from plain import NOW
from ticks import DAY, HOUR, MINUTE, SECOND

TOP = pathlib.Path(__file__).resolve().parents[2]
VERSION = "8.2302.0"
BUILT_FOR = VERSION


class StatusTest(unittest.TestCase):
    """A test with a database in which all is well."""

    def setUp(self):
        made = tempfile.TemporaryDirectory(prefix="synctap-status-")
        self.addCleanup(made.cleanup)
        self.directory = pathlib.Path(made.name)
        self.database = self.directory / "state.db"
        self.incidents = Incidents(self.database)
        self.incidents.load(role_row("svc@x", 0, plain.ROLE))
        self.database.chmod(0o640)
        self.rsyslogd = self.directory / "rsyslogd"
        self.install(VERSION)
        self.action("tap")

    def install(self, version):
        """Put an rsyslogd there that says this version."""
        self.rsyslogd.write_text(
            "#!/bin/sh\n[ \"$*\" = -v ] || exit 1\n"
            f"echo 'rsyslogd  {version} (aka 2023.02) compiled with:'\n")
        self.rsyslogd.chmod(0o755)

    def action(self, name, heard=-30 * SECOND, last_message=-MINUTE,
               last_candidate=-HOUR, started=-DAY, stopped=None,
               process=1 << 30, longest=4 << 20, built_for=BUILT_FOR,
               version=None):
        """Write what an action last said; times are after NOW."""
        if version is None:
            version = synctap("--version").output.split()[1]

        def at(after):
            return None if after is None else NOW + after

        self.incidents.run("INSERT OR IGNORE INTO action (name, judged) "
                           "VALUES (?, 0)", name)
        self.incidents.run(
            "INSERT OR REPLACE INTO heartbeat SELECT id, ?, ?, ?, ?, ?, ?, ?,"
            " ?, ? FROM action WHERE name = ?", at(heard), at(started),
            at(stopped), process, at(last_message), at(last_candidate),
            longest, version, built_for, name)

    def trouble(self, name, newest, count=1, action=1):
        """Write how often something went wrong, and when last."""
        self.incidents.run("INSERT OR REPLACE INTO trouble VALUES (?, ?, ?, ?)",
                           action, name, count, NOW + newest)

    def feed(self, taken, rejected=None, rejections=0):
        """Write what omidentityinfo last took; times are after NOW."""
        self.incidents.run(
            "INSERT OR REPLACE INTO role_feed VALUES ('roles', ?, ?, ?, ?)",
            *(None if at is None else NOW + at for at in (taken, rejected)),
            rejections, "no row" if rejections else "")

    def status(self, *options):
        """Run it; the disk's own free room does not matter."""
        return synctap("status", "--database", self.database, "--rsyslogd",
                       self.rsyslogd, "--limit", "free=0,0", "--now",
                       ticks.render(NOW), *options)

    def checks(self, *options):
        """Give status, and state and words of each check by its name."""
        done = self.status("--format", "json", *options)
        self.assertEqual("", done.words)
        report = json.loads(done.output)
        self.assertEqual(
            ("ok", "warning", "broken").index(report["state"]), done.status)
        return done.status, {one["check"]: (one["state"], one["words"])
                             for one in report["checks"]}

    def assert_finding(self, status, check, *words, options=()):
        """One check is not well, and says why in these words."""
        found, checks = self.checks(*options)
        self.assertEqual(
            {check: ("ok", "warning", "broken")[status]},
            {name: state for name, (state, _) in checks.items()
             if state != "ok"})
        self.assertEqual(status, found)
        for word in words:
            self.assertIn(word, checks[check][1])
        done = self.status(*options)
        self.assertEqual(status, done.status)
        summary = done.output.splitlines()[0]
        self.assertTrue(summary.startswith(
            ("OK - ", "WARNING - ", "BROKEN - ")[status] + check), summary)


class Well(StatusTest):
    """All is well, and is told."""

    def test_green(self):
        status, checks = self.checks()
        self.assertEqual(0, status, checks)
        self.assertEqual(
            ["daemon", "database", "disk", "incidents", "journal",
             "maxMessageSize", "messages", "rights", "role list", "rsyslogd",
             "waiting"], sorted(checks))

    def test_a_line_sums_up_for_a_monitor(self):
        done = self.status()
        self.assertEqual((0, ""), (done.status, done.words))
        self.assertRegex(done.output.splitlines()[0], r"\AOK - \d+ checks\Z")

    def test_the_numbers_are_there_for_a_script(self):
        self.incidents.put(1, alert(1), action="tap")
        self.incidents.run(
            "INSERT INTO pending (action, row_id, received, expires, record)"
            " VALUES (1, 'a', 1, 2, '{}')")
        self.incidents.run("INSERT INTO seen VALUES (1, 'x', 1 << 60)")
        report = json.loads(self.status("--format", "json").output)
        one, = report["actions"]
        self.assertEqual(
            {"name": "tap", "pending": 1, "pending_bytes": 2, "seen": 1,
             "incidents": 1, "open_incidents": 1,
             "last_message_at": ticks.render(NOW - MINUTE),
             "last_candidate_at": ticks.render(NOW - HOUR),
             "stopped_at": None, "max_message_size": 4 << 20,
             "built_for": BUILT_FOR},
            {name: one[name] for name in (
                "name", "pending", "pending_bytes", "seen", "incidents",
                "open_incidents", "last_message_at", "last_candidate_at",
                "stopped_at", "max_message_size", "built_for")})
        self.assertEqual((1, 2, 0), (
            report["sync_accounts"], report["identity_rows"],
            report["identity_age_seconds"]))

    def test_reading_changes_nothing(self):
        before = self.database.read_bytes()
        self.status()
        self.assertEqual(before, self.database.read_bytes())


class Feed(StatusTest):
    """Messages come, or not."""

    def test_a_feed_that_is_silent_for_a_while_is_a_warning(self):
        self.action("tap", last_message=-2 * HOUR)
        self.assert_finding(1, "messages", "2 h", "is the feed dead?")

    def test_a_dead_feed(self):
        self.action("tap", last_message=-7 * HOUR)
        self.assert_finding(2, "messages", "7 h", "is the feed dead?")

    def test_a_feed_that_never_began(self):
        self.action("tap", last_message=None, last_candidate=None)
        self.assert_finding(2, "messages", "none since it started, 1 d ago")

    def test_a_start_has_time_to_get_its_first(self):
        self.action("tap", started=-MINUTE, last_message=None,
                    last_candidate=None)
        self.assertEqual(0, self.checks()[0])

    def test_limits_are_the_users(self):
        self.action("tap", last_message=-2 * HOUR)
        for limit, state in (("3h,4h", 0), ("1h,3h", 1), ("10m,1h", 2)):
            self.assertEqual(state, self.status(
                "--limit", f"messages={limit}").status)

    def test_of_two_limits_for_one_name_the_last_counts(self):
        self.action("tap", last_message=-2 * HOUR)
        for first, last, state in (("3h,4h", "10m,1h", 2),
                                   ("10m,1h", "3h,4h", 0)):
            self.assertEqual(state, self.status(
                "--limit", f"messages={first}", "--limit", "feed=1h,2h",
                "--limit", f"messages={last}").status)


class RoleList(StatusTest):
    """The role list is there, and young."""

    def _age(self, age):
        self.incidents.run("UPDATE identity SET time = ?", NOW - age)
        self.incidents.run("UPDATE role_list SET newest = ?", NOW - age)

    def test_an_old_list_is_a_warning(self):
        self._age(2 * DAY)
        self.assert_finding(1, "role list", "2 d old",
                            "does the export still run?")

    def test_a_list_that_is_too_old_to_count(self):
        self._age(15 * DAY)
        self.assert_finding(2, "role list", "none of its 2 accounts",
                            "15 d old")

    def test_an_empty_list(self):
        self.incidents.run("DELETE FROM identity")
        self.incidents.run("UPDATE role_list SET rows = 0, newest = NULL")
        self.assert_finding(2, "role list", "it is empty",
                            "synctap identity import")

    def test_a_list_without_a_sync_account(self):
        self.incidents.run("UPDATE identity SET roles = '[]'")
        self.assert_finding(2, "role list", "none of its 2 accounts")


class RoleFeed(StatusTest):
    """The role list's messages come, where omidentityinfo takes them."""

    def _last(self, taken):
        """Let the last message be so old, and the rows that it brought."""
        self.feed(taken)
        self.incidents.run("UPDATE identity SET time = ?", NOW + taken)
        self.incidents.run("UPDATE role_list SET newest = ?", NOW + taken)

    def test_a_feed_that_lives(self):
        self.feed(taken=-MINUTE)
        status, checks = self.checks()
        self.assertEqual(0, status)
        self.assertEqual(
            ("ok", 'action "roles" took the last message 1 min ago'),
            checks["role feed"])

    def test_a_feed_that_is_silent_for_a_while_is_a_warning(self):
        self._last(-7 * HOUR)
        self.assert_finding(1, "role feed", "took the last message 7 h ago",
                            "is it dead?", "synctap action drop roles")

    def test_a_dead_feed(self):
        self._last(-3 * DAY)
        self.assert_finding(2, "role feed", "took the last message 3 d ago",
                            options=("--limit", "list=4d,5d"))

    def test_a_list_that_comes_by_another_way_misses_no_feed(self):
        self.feed(taken=-3 * DAY)
        status, checks = self.checks()
        self.assertEqual(0, status)
        self.assertEqual(
            ("ok", 'action "roles" took the last message 3 d ago; the list '
             "has come by another way since"), checks["role feed"])

    def test_a_feed_of_something_else(self):
        self.feed(taken=-HOUR, rejected=-MINUTE, rejections=3)
        found, checks = self.checks()
        self.assertEqual(1, found, checks)
        done = self.status().output
        self.assertIn('WARNING - role feed: action "roles" got 3 messages '
                      "without a role list, the newest 1 min ago: no row; "
                      "the last one with it 1 h ago\n", done)
        self.feed(taken=None, rejected=-MINUTE, rejections=1)
        self.assert_finding(2, "role feed", "got 1 message without",
                            "has not come yet")

    def test_limits_are_the_users(self):
        self._last(-7 * HOUR)
        for limit, state in (("8h,9h", 0), ("7h,9h", 0), ("1h,9h", 1),
                             ("1h,2h", 2)):
            self.assertEqual(state, self.status(
                "--limit", f"feed={limit}").status)

    def test_one_that_is_gone_is_forgotten(self):
        self.feed(taken=-3 * DAY)
        done = synctap("action", "drop", "roles", "--database", self.database)
        self.assertEqual((0, "roles is forgotten\n", ""), done)
        self.assertEqual(0, self.status().status)
        self.assertEqual(1, synctap("action", "drop", "roles", "--database",
                                    self.database).status)

    def test_the_numbers_are_there_for_a_script(self):
        self.feed(taken=-HOUR, rejected=-MINUTE, rejections=3)
        self.assertEqual(
            [{"name": "roles", "last_message_at": ticks.render(NOW - HOUR),
              "last_rejected_at": ticks.render(NOW - MINUTE),
              "rejected_since": 3, "reason": "no row"}],
            json.loads(self.status("--format", "json").output)["feeds"])


class Files(StatusTest):
    """The database, its rights, the journal, the disk."""

    def test_a_full_disk(self):
        self.assert_finding(2, "disk", "MB are free", options=(
            "--limit", "free=2000t,1000t"))

    def test_a_disk_that_fills_up(self):
        self.assert_finding(1, "disk", "MB are free", options=(
            "--limit", "free=1000t,0"))

    def test_a_damaged_database(self):
        with open(self.database, "r+b") as file:
            for page in range(2, self.database.stat().st_size // 4096):
                file.seek(page * 4096)
                file.write(b"\xff" * 64)
        status, checks = self.checks()
        self.assertEqual((2, "broken"), (status, checks["database"][0]))
        self.assertIn(str(self.database), checks["database"][1])

    def test_one_that_was_damaged_before(self):
        shutil.copy(self.database, f"{self.database}.damaged-20260601")
        self.assert_finding(1, "damaged", ".damaged-20260601")

    def test_another_programs_database(self):
        self.database.unlink()
        connection = sqlite3.connect(self.database)
        connection.execute("CREATE TABLE theirs (x)")
        connection.close()
        self._assert_no_database("another program's database")

    def test_a_newer_synctaps_database(self):
        self.incidents.run("PRAGMA user_version = 1000")
        self._assert_no_database("newer synctap")

    def test_no_database(self):
        self.database.unlink()
        self._assert_no_database(str(self.database))
        self.assertFalse(self.database.exists())

    def _assert_no_database(self, words):
        status, checks = self.checks()
        self.assertEqual((2, "broken"), (status, checks["database"][0]))
        self.assertIn(words, checks["database"][1])
        self.assertNotIn("daemon", checks)
        self.assertEqual(("ok", "nothing waits outside the database"),
                         checks["journal"])

    def test_a_directory_in_its_place(self):
        self.database.unlink()
        self.database.mkdir(mode=0o755)
        self._assert_no_database("directory")
        self.assertEqual("ok", self.checks()[1]["rights"][0])

    def test_a_database_that_everybody_may_write(self):
        self.database.chmod(0o666)
        status, checks = self.checks()
        self.assertEqual((2, "broken"), (status, checks["rights"][0]))
        self.assertIn("everybody may write it: chmod 0640",
                      checks["rights"][1])

    def test_a_database_that_everybody_may_read(self):
        self.database.chmod(0o644)
        self.assert_finding(1, "rights", "everybody may read it")

    def test_a_directory_in_which_anybody_may_replace_it(self):
        self.directory.chmod(0o777)
        self.assert_finding(2, "rights", "another file in the database's")

    def test_a_database_that_the_directorys_owner_may_not_write(self):
        """Most likely he is rsyslogd's user; root (uid 0) may write all."""
        if os.geteuid() == 0:
            os.chown(self.directory, 1, -1)
        self.database.chmod(0o440)
        state, words = self.checks()[1]["rights"]
        self.assertEqual("warning", state)
        self.assertIn("mode 0440: the owner of its directory,", words)
        self.assertIn("cannot write it: if rsyslogd runs as that, chown it",
                      words)

    def _mount_read_only(self):
        """As the kernel does it after an error of the disk."""
        for options in (("--bind", self.directory),
                        ("-o", "remount,bind,ro")):
            done = subprocess.run(["mount", *options, self.directory],
                                  capture_output=True, check=False)
            if done.returncode != 0:
                self.skipTest("no right to mount")
            self.addCleanup(subprocess.run, [
                "umount", "-l", self.directory], capture_output=True)

    def test_a_file_system_that_nobody_can_write(self):
        self._mount_read_only()
        self._assert_no_database("unable to open database file: Read-only "
                                 "file system: mount the file system for")

    def test_it_became_so_while_rsyslogd_has_the_database_open(self):
        connection = sqlite3.connect(self.database)
        self.addCleanup(connection.close)
        connection.execute("BEGIN IMMEDIATE")
        self._mount_read_only()
        self.assertEqual(
            ("broken", f"{self.database} is sound, but nothing can be "
             "written: Read-only file system: mount the file system for "
             "writing, or give another path"), self.checks()[1]["database"])

    def _segment(self, age, size=5000):
        path = self.directory / "state.db-tap.stream.7"
        path.write_bytes(b"x" * size)
        written = (NOW - age - ticks.parse("1970-01-01T00:00:00Z")) // SECOND
        os.utime(path, (written, written))

    def test_a_journal_that_is_not_drained(self):
        self._segment(HOUR)
        self.assert_finding(2, "journal", "1 file, 5 KB", "for 1 h",
                            "is it locked, or the disk full?")

    def test_a_journal_that_is_slow(self):
        self._segment(2 * MINUTE)
        self.assert_finding(1, "journal", "for 2 min")

    def test_a_journal_that_is_under_way(self):
        self._segment(SECOND)
        self.assertEqual(0, self.checks()[0])
        self._segment(HOUR, size=16)  # nothing is in it
        self.assertEqual(0, self.checks()[0])


class Daemon(StatusTest):
    """Whether rsyslogd runs, with a module that fits."""

    def test_a_daemon_that_was_not_heard_for_a_while(self):
        self.action("tap", heard=-4 * MINUTE)
        self.assert_finding(1, "daemon", "4 min ago", "rsyslogd is down")

    def test_a_daemon_that_is_gone(self):
        self.action("tap", heard=-HOUR)
        self.assert_finding(2, "daemon", "1 h ago", "rsyslogd is down")

    def test_a_daemon_that_was_stopped(self):
        self.action("tap", heard=-MINUTE, stopped=-MINUTE)
        self.assert_finding(2, "daemon", "was stopped 1 min ago")

    def test_a_database_that_no_action_uses(self):
        self.incidents.run("DELETE FROM heartbeat")
        status, checks = self.checks()
        self.assertEqual((2, "broken"), (status, checks["daemon"][0]))
        self.assertIn("was ever heard", checks["daemon"][1])

    def test_a_misfitting_module(self):
        self.install("8.2504.0")
        self.assert_finding(2, "rsyslogd", "8.2504.0 is installed",
                            "built for 8.2302.0", "Build it again")

    def test_a_packages_version_is_that_of_its_source(self):
        self.install("8.2302.0-1.el9")
        self.action("tap", built_for="8.2302.0-1.el9")
        self.assertEqual(0, self.checks()[0])

    def test_no_rsyslogd_to_ask(self):
        self.assert_finding(1, "rsyslogd", "says no version", options=(
            "--rsyslogd", self.directory / "none"))

    def test_small_messages_are_a_warning(self):
        self.action("tap", longest=8096)
        self.assert_finding(1, "maxMessageSize", "8096 bytes",
                            'global(maxMessageSize="4m")')

    def test_a_module_of_another_version(self):
        self.action("tap", version="0.0.1")
        self.assert_finding(1, "version", "rsyslogd runs mmsynctap 0.0.1,",
                            "was it not restarted after an upgrade?")


    def test_one_that_was_heard_in_the_future_may_be_dead_since(self):
        self.action("tap", heard=DAY)
        self.assert_finding(2, "daemon", "was heard 1 d in the future",
                            "was a clock set back?")

    def test_a_clock_that_is_a_moment_behind_is_nothing(self):
        self.action("tap", heard=MINUTE)
        self.assertEqual(0, self.checks()[0])


class Troubles(StatusTest):
    """What went wrong lately, and what it means."""

    def test_records_that_come_too_late_do_not_alert(self):
        self.trouble("stale", -MINUTE, 3)
        self.assert_finding(
            2, "too late", 'action "tap": 3 records of the rule\'s operations '
            "came after the lookback, last 1 min ago: what comes so "
            "late does not alert. Is this host's clock right?",
            "synctap query --lookback 0")

    def test_each_is_a_warning_for_a_day(self):
        for name, check in (("stale", "too late"),
                            ("undecodable", "unreadable"),
                            ("state_errors", "state errors"),
                            ("pending_dropped", "given up")):
            with self.subTest(name):
                self.trouble(name, -HOUR)
                self.assert_finding(1, check, "last 1 h ago")
                self.trouble(name, -DAY - MINUTE)
                self.assertEqual(0, self.checks()[0])

    def test_what_goes_on_is_as_bad_as_it_is(self):
        for name, state in (("stale", 2), ("undecodable", 1),
                            ("state_errors", 1), ("pending_dropped", 2),
                            ("held_back", 1)):
            with self.subTest(name):
                self.trouble(name, -MINUTE)
                self.assertEqual(state, self.status().status)
                self.incidents.run("DELETE FROM trouble")

    def test_an_action_that_knows_nobody_is_broken_while_it_is_so(self):
        self.trouble("no_sync_accounts", -MINUTE, 2)
        self.assert_finding(2, "sync accounts", "2 rows of the role list make "
                            "no sync account", "identity.window, roles")
        self.trouble("no_sync_accounts", -HOUR, 2)
        self.assertEqual(0, self.checks()[0])

    def test_alerts_that_waited_have_gone_out_since(self):
        self.trouble("held_back", -HOUR)
        self.assertEqual(0, self.checks()[0])

    def test_limits_are_the_users(self):
        self.trouble("stale", -HOUR)
        for limit, state in (("50m,15m", 0), ("1d,2h", 2)):
            self.assertEqual(state, self.status(
                "--limit", f"trouble={limit}").status)
        self.assertEqual(2, self.status("--limit", "trouble=1h,2h").status)

    def test_the_numbers_are_there_for_a_script(self):
        self.trouble("stale", -HOUR, 3)
        one, = json.loads(self.status("--format", "json").output)["actions"]
        nothing = {"count": 0, "newest_at": None}
        self.assertEqual(
            {"stale": {"count": 3, "newest_at": ticks.render(NOW - HOUR)},
             "undecodable": nothing, "held_back": nothing,
             "state_errors": nothing, "pending_dropped": nothing,
             "no_sync_accounts": nothing},
            one["troubles"])


class Actions(StatusTest):
    """What an action remembers, and whether it is used."""

    def test_a_renamed_action(self):
        self.action("before", heard=-DAY, started=-2 * DAY)
        self.incidents.put(1, alert(1), action="before")
        self.assert_finding(1, "actions", '"before" is in no configuration',
                            "1 incidents")

    def test_one_that_was_renamed_a_moment_ago(self):
        self.action("before", heard=-MINUTE, stopped=-MINUTE)
        self.action("tap", started=-50 * SECOND)
        self.assert_finding(1, "actions", '"before" is in no configuration')

    def test_one_of_an_older_synctap(self):
        self.incidents.run("INSERT INTO action (name, judged) "
                           "VALUES ('old', 0)")
        self.assert_finding(1, "actions", '"old" is in no configuration')

    def test_two_actions_of_a_stopped_daemon_are_both_stopped(self):
        for name, when in (("tap", -3 * MINUTE), ("two", -3 * MINUTE + 1)):
            self.action(name, heard=when, stopped=when)
        done = self.status()
        self.assertEqual(2, done.status)
        self.assertEqual(2, done.output.splitlines()[0].count("was stopped"))

    def test_many_records_that_wait(self):
        self.incidents.run("INSERT INTO pending_total VALUES (1, 600000, 9)")
        self.assert_finding(1, "waiting", "600000 records")
        self.incidents.run("UPDATE pending_total SET records = 1000001")
        self.assert_finding(2, "waiting", "1000001 records")


class Documented(StatusTest):
    """What doc/operations.md says of each state is what the program says."""

    def setUp(self):
        super().setUp()
        self.action("synctap", process=4711)
        self.incidents.run("DELETE FROM heartbeat WHERE action = 1")
        self.incidents.run("DELETE FROM action WHERE id = 1")

    def _segment(self):
        path = self.directory / "state.db-synctap.stream.7"
        path.write_bytes(b"x" * 5000)
        written = (NOW - HOUR - ticks.parse("1970-01-01T00:00:00Z")) // SECOND
        os.utime(path, (written, written))

    def _damage(self):
        with open(self.database, "r+b") as file:
            for page in range(2, self.database.stat().st_size // 4096):
                file.seek(page * 4096)
                file.write(b"\xff" * 64)

    def _age_of_list(self, age):
        self.incidents.run("UPDATE identity SET time = ?", NOW - age)
        self.incidents.run("UPDATE role_list SET newest = ?", NOW - age)

    def _dead_feed(self):
        self.feed(-3 * DAY)
        self._age_of_list(3 * DAY)

    def _empty_list(self):
        self.incidents.run("DELETE FROM identity")
        self.incidents.run("UPDATE role_list SET rows = 0, newest = NULL")

    def _states(self):
        """Give what makes each state; what it gives are options."""
        def act(**how):
            return lambda: self.action("synctap", **({"process": 4711} | how))
        return {
            "no records come": act(last_message=-7 * HOUR,
                                   last_candidate=-8 * HOUR),
            "no role list comes by rsyslog": self._dead_feed,
            "something else comes in its place": lambda: self.feed(
                None, -MINUTE, 12),
            "the role list is two days old": lambda: self._age_of_list(
                2 * DAY),
            "it is so old that it does not count":
                lambda: self._age_of_list(15 * DAY),
            "it is empty": self._empty_list,
            "rsyslogd was stopped": act(heard=-MINUTE, stopped=-MINUTE),
            "rsyslogd is dead": act(heard=-HOUR),
            "rsyslog was upgraded, the module was not":
                lambda: self.install("8.2504.0"),
            "rsyslogd was not restarted after an upgrade of synctap":
                act(version="0.0.9"),
            "the disk is full": lambda: ("--limit", "free=2000t,1000t"),
            "the journal stays outside": self._segment,
            "the database is damaged": self._damage,
            "it is another program's": lambda: self.incidents.run(
                "PRAGMA application_id = 7"),
            "synctap was downgraded": lambda: self.incidents.run(
                "PRAGMA user_version = 1000"),
            "it is not there": self.database.unlink,
            "everybody may write it": lambda: self.database.chmod(0o666),
            "records are cut": act(longest=8096),
            "records come too late": lambda: self.trouble(
                "stale", -MINUTE, 3, action=2),
            "records cannot be read": lambda: self.trouble(
                "undecodable", -HOUR, 2, action=2),
            "alerts do not get through": lambda: self.trouble(
                "held_back", -MINUTE, 7, action=2),
            "the database had trouble": lambda: self.trouble(
                "state_errors", -HOUR, action=2),
            "records that waited were given up": lambda: self.trouble(
                "pending_dropped", -MINUTE, 500, action=2),
            "an action's own parameters find nobody": lambda: self.trouble(
                "no_sync_accounts", -MINUTE, 2, action=2),
            "the clock was set back": act(heard=DAY),
            "an action was renamed": lambda: self.action(
                "old", heard=-DAY, started=-2 * DAY),
        }

    def _plain(self, words):
        """Put the document's path, owner and numbers in."""
        for this, that in (
                (re.escape(str(self.database)),
                 "/var/spool/rsyslog/synctap.db"),
                (r"belongs to \S+,", "belongs to syslog,"),
                (r"\d+ MB are free", "12 MB are free"),
                (r"this synctap is [0-9.]+", "this synctap is 0.1.0"),
                (r"is damaged: .*\. A", "is damaged: *WHERE*. A")):
            words = re.sub(this, that, words)
        return words

    def _rows(self):
        """Give the table's rows: state, exit status, check, words."""
        text = (TOP / "doc" / "operations.md").read_text()
        return re.findall(
            r"^\| ([^|]*) \| ([012]) \| `([^:`|]*): ([^`|]*)` \|", text,
            re.MULTILINE)

    def test_each_state_is_told_in_these_words(self):
        rows, states = self._rows(), self._states()
        self.assertEqual(list(states), [row[0] for row in rows])
        self.assertLessEqual(10, sum(row[1] == "2" for row in rows))
        for state, status, check, words in rows:
            self.setUp()
            options = self._states()[state]() or ()
            with self.subTest(state=state):
                found, checks = self.checks(*options)
                self.assertEqual(int(status), found)
                self.assertEqual(words, self._plain(checks[check][1]))


class Terminal(StatusTest):
    """Lines fit, and colours are for a terminal alone."""

    def _on_terminal(self, columns=60, **environment):
        """Give what a terminal of that width gets."""
        return "\n".join(command.on_terminal(
            columns, "status", "--database", self.database, "--rsyslogd",
            self.rsyslogd, "--now", ticks.render(NOW), **environment))

    def test_a_terminal_gets_colours(self):
        self.assertIn("\x1b[32mok\x1b[0m", self._on_terminal(TERM="xterm"))

    def test_never_under_no_color(self):
        self.assertNotIn("\x1b", self._on_terminal(TERM="xterm", NO_COLOR="1"))
        self.assertNotIn("\x1b", self._on_terminal(TERM="dumb"))

    def test_a_pipe_gets_none(self):
        self.assertNotIn("\x1b", self.status().output)

    def test_lines_fit_the_terminal(self):
        for columns in (60, 100):
            lines = self._on_terminal(columns, TERM="dumb").splitlines()[1:]
            self.assertLessEqual(max(map(len, lines)), columns)

    def test_what_a_name_holds_is_not_obeyed(self):
        self.action("\x1b[2Jtap\n", heard=-HOUR)
        self.action("tap", heard=-HOUR)
        output = self.status().output
        self.assertNotIn("\x1b", output)
        self.assertIn("\\u001b[2Jtap\\u000a", output)


class Usage(unittest.TestCase):
    """Wrong usage is told, with exit status 2."""

    def test_wrong_words(self):
        for words in (("now",), ("--format", "jsonl"), ("--limit", "x=1,2"),
                      ("--limit", "messages"), ("--limit", "messages=1h"),
                      ("--limit", "messages=6h,1h"), ("--limit", "free=1,2"),
                      ("--limit", "free=1x,0"), ("--limit", "waiting=-1,2"),
                      ("--rsyslogd", ""), ("--all",)):
            with self.subTest(words=words):
                done = synctap("status", *words)
                self.assertEqual((2, ""), (done.status, done.output))
                self.assertNotEqual("", done.words)

    def test_help(self):
        done = synctap("status", "--help")
        self.assertEqual((0, ""), (done.status, done.words))
        for word in ("--database", "--limit", "--rsyslogd", "Exit status"):
            self.assertIn(word, done.output)
