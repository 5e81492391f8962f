"""`synctap incident`: what it says where there are no incidents.

What it shows of a running collector's is a scenario of tests/rsyslogd.
"""

from command import synctap
from role_lists import RoleListTest, log_analytics

ID = "00000000-0000-5000-8000-000000000000"


class NoIncidents(RoleListTest):
    """A database that has never seen an alert."""

    def setUp(self):
        super().setUp()
        self.load_well(log_analytics())

    def _incident(self, *arguments):
        return synctap("incident", *arguments, "--database", self.database)

    def test_the_list_is_empty(self):
        for options in ((), ("--all",), ("--format", "jsonl")):
            with self.subTest(options=options):
                self.assertEqual((0, "", ""), self._incident(
                    "list", *options))

    def test_an_unknown_id_cannot_be_shown_or_closed(self):
        for what in ("show", "close"):
            for one in (ID, "no id", ""):
                with self.subTest(what=what, one=one):
                    done = self._incident(what, one)
                    self.assertEqual((1, ""), (done.status, done.output))
                    self.assertIn(one, done.words)
                    self.assertNotEqual("", done.words)

    def test_reading_changes_nothing(self):
        before = self.database.read_bytes()
        self._incident("list", "--all")
        self._incident("show", ID)
        self.assertEqual(before, self.database.read_bytes())


class NoDatabase(RoleListTest):
    """A database that is none."""

    def test_one_that_is_not_there_is_an_error_and_not_made(self):
        for words in (("list",), ("show", ID), ("close", ID)):
            with self.subTest(words=words):
                done = synctap("incident", *words, "--database",
                               self.database)
                self.assertEqual((1, ""), (done.status, done.output))
                self.assertIn(str(self.database), done.words)
                self.assertFalse(self.database.exists())

    def test_another_file_is_an_error_and_stays_as_it_was(self):
        self.database.write_bytes(b"this is no database, it is a text\n" * 99)
        before = self.database.read_bytes()
        for words in (("list",), ("show", ID), ("close", ID)):
            with self.subTest(words=words):
                done = synctap("incident", *words, "--database",
                               self.database)
                self.assertEqual((1, ""), (done.status, done.output))
                self.assertIn(str(self.database), done.words)
                self.assertEqual(before, self.database.read_bytes())


class Usage(RoleListTest):
    """Wrong usage is told, with exit status 2."""

    def test_wrong_words(self):
        for words in ((), ("open",), ("show",), ("close",),
                      ("show", ID, ID), ("list", ID),
                      ("list", "--format", "xml"), ("list", "--unknown"),
                      ("list", "--now", "soon")):
            with self.subTest(words=words):
                done = synctap("incident", *words)
                self.assertEqual((2, ""), (done.status, done.output))
                self.assertNotEqual("", done.words)

    def test_help(self):
        for words in (("--help",), ("list", "--help")):
            with self.subTest(words=words):
                done = synctap("incident", *words)
                self.assertEqual((0, ""), (done.status, done.words))
                for word in ("list", "show", "close"):
                    self.assertIn(word, done.output)
