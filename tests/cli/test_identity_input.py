"""An import reads all of its input before it asks for the database."""

import json
import os
import subprocess

from command import objects, synctap
from role_lists import NOW, SYNC_ROLE, RoleListTest, log_analytics


class Input(RoleListTest):
    """What is slow, large or broken keeps nobody else waiting."""

    def test_an_import_that_waits_for_its_input_locks_nothing(self):
        command = [os.environ["SYNCTAP"], "identity", "import", "--database",
                   self.database, "--now", NOW]
        with subprocess.Popen(command, stdin=subprocess.PIPE,
                              stderr=subprocess.PIPE) as waiting:
            row = log_analytics("b@x", AssignedRoles=[SYNC_ROLE])
            waiting.stdin.write(json.dumps(row).encode() + b"\n")
            waiting.stdin.flush()
            self.load_well(log_analytics("a@x", AssignedRoles=[SYNC_ROLE]))
            self.assertEqual(["a@x"], list(self.roles()))
            _, words = waiting.communicate()
        self.assertEqual(0, waiting.returncode, words)
        self.assertEqual({"a@x", "b@x"}, set(self.roles()))

    def test_many_broken_stretches_in_one_message(self):
        done = self.load(b'{"a" ' * 70000 + b"\n")
        self.assertEqual(1, done.status)

    def test_the_lines_of_broken_stretches(self):
        done = self.load(b'{"a":[\n{"AccountUPN": x},\n{"AccountUPN": x},\n'
                         b'{"AccountUPN": y}\n]}\n')
        self.assertEqual(1, done.status)
        self.assertIn("file1:1: ", done.words)


class Written(RoleListTest):
    """Whatever the roles are, each account is one line of JSON."""

    def test_roles_over_several_lines(self):
        for roles in (json.dumps([SYNC_ROLE], indent=2), "[\n", "{\r\n}",
                      "[1] [2]", "[\x9b\u202e]", "a\nb"):
            with self.subTest(roles=roles):
                self.database = self.directory / f"{len(roles)}{self.files}"
                self.load(log_analytics(AssignedRoles=roles))
                done = synctap("identity", "list", "--database",
                               self.database, "--format", "jsonl")
                row, = objects(done.output)
                self.assertEqual(1, done.output.count("\n"))
                self.assertIn(row["AssignedRoles"],
                              (roles, [SYNC_ROLE], {}))

    def test_a_window_of_0_takes_rows_of_any_age(self):
        self.load_well(log_analytics("Sync_a@x", AssignedRoles=[]))
        done = synctap("identity", "list", "--database", self.database,
                       "--sync-accounts", "--identity-window", "0", "--now",
                       "2030-01-01T00:00:00Z", "--format", "jsonl")
        self.assertEqual(["Sync_a@x"], [row["AccountUPN"] for row in
                                        objects(done.output)])

    def test_no_row_is_said(self):
        self.load_well(log_analytics())
        done = synctap("identity", "list", "--database", self.database,
                       "--sync-accounts", "--now", NOW)
        self.assertEqual((0, ""), done[:2])
        self.assertIn("no row", done.words)
