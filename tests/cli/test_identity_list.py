"""`synctap identity list` and `show`: rows in order, however many."""

import os
import resource
import subprocess
import unittest

from command import synctap
from role_lists import NOW, RoleListTest, is_sanitized, log_analytics

MANY = 20000


class Listing(RoleListTest):
    """What is written, and in which order."""

    def _table(self, *arguments):
        done = synctap("identity", *arguments, "--database", self.database,
                       "--now", NOW, "--format", "table")
        self.assertEqual((0, ""), (done.status, done.words))
        return done.output.splitlines()

    def test_rows_come_in_the_order_of_their_upns(self):
        self.load_well(*(log_analytics(upn) for upn in ("c", "a", "B", "b")))
        self.assertEqual(["B", "a", "b", "c"], list(self.roles()))

    def test_table_has_a_head_and_a_row_for_each_account(self):
        self.load_well(log_analytics(AssignedRoles=["r", "s"]))
        self.assertEqual(
            ["AccountUPN  AccountObjectId  AccountDisplayName  AssignedRoles"
             "  TimeGenerated                 SyncAccount",
             "a@x         id of a@x        name of a@x         r, s         "
             "  2026-06-01T00:00:00.0000000Z  false"], self._table("list"))

    def test_table_of_many_rows_has_them_all(self):
        self.load_well(*(log_analytics(f"{number:06}@x")
                         for number in range(3000)))
        lines = self._table("list")
        self.assertEqual([f"{number:06}@x" for number in range(3000)],
                         [line.split()[0] for line in lines[1:]])
        self.assertEqual(1, len({len(line) for line in lines[1:]}))

    def test_show_takes_upns_and_ids_in_any_case(self):
        self.load_well(log_analytics("a@x"), log_analytics("b@x"),
                       log_analytics("c@x"))
        lines = self._table("show", "A@X", "ID of b@x")
        self.assertEqual(["a@x", "b@x"],
                         [line.split()[0] for line in lines[1:]])

    def test_output_that_cannot_be_written_is_told(self):
        self.load_well(log_analytics())
        with open("/dev/full", "wb") as full:
            done = subprocess.run(
                [os.environ["SYNCTAP"], "identity", "list", "--database",
                 self.database], stdout=full, stderr=subprocess.PIPE,
                timeout=60, check=False)
        self.assertEqual(1, done.returncode)
        self.assertIn(b"standard output", done.stderr)

    @unittest.skipIf(is_sanitized(), "memory cannot be limited")
    def test_many_rows_take_no_more_memory_than_few(self):
        name = "n" * 4000
        self.load_well(*(log_analytics(f"{number:06}@x", on=1,
                                       AccountDisplayName=name)
                         for number in range(MANY)))
        for form in ("table", "jsonl"):
            with self.subTest(form=form):
                self._check_memory(form)

    def _check_memory(self, form):
        """The rows hold 80 MB; the process may have less than that."""
        done = subprocess.run(
            [os.environ["SYNCTAP"], "identity", "list", "--database",
             self.database, "--format", form], capture_output=True,
            timeout=60, check=False,
            preexec_fn=lambda: resource.setrlimit(
                resource.RLIMIT_DATA, (40 << 20, 40 << 20)))
        self.assertEqual((0, b""), (done.returncode, done.stderr))
        self.assertEqual(MANY + (form == "table"),
                         done.stdout.count(b"\n"))
