"""A snapshot that is not whole changes nothing, wherever it was cut."""

import json
import pathlib
import random
import unittest

from command import objects, synctap
from role_lists import (NOW, SYNC_ROLE, SYNC_TEMPLATE, RoleListTest, day,
                        graph_role, log_analytics, member)

SHARED = pathlib.Path(__file__).resolve().parents[3] / "shared" / "data"
GRAPH = "https://graph.microsoft.com/v1.0"
CONTEXT = f"{GRAPH}/$metadata#directoryRoles(members())"
ASSIGNMENTS = f"{GRAPH}/$metadata#roleManagement/directory/" \
    "roleAssignments(principal())"


def page(items, token=None, context=CONTEXT, **more):
    """Make a page of a collection, with a link to the next if there is one."""
    link = {} if token is None else {
        "@odata.nextLink": f"{GRAPH}/directoryRoles?$skiptoken={token}"}
    return {"@odata.context": context, **link, **more, "value": items}


def batch(*parts):
    """Make the answer to a batch out of (status, body) pairs."""
    return {"responses": [{"id": str(n), "status": status, "body": body}
                          for n, (status, body) in enumerate(parts, 1)]}


def assignment(upn):
    """Make the assignment of the sync role to an account."""
    return {"id": f"assignment of {upn}", "principalId": f"id of {upn}",
            "roleDefinitionId": SYNC_TEMPLATE, "directoryScopeId": "/",
            "principal": member(upn)}


class WholeTest(RoleListTest):
    """A list of three sync accounts, and a snapshot of it."""

    def setUp(self):
        super().setUp()
        self.load_well(graph_role("a@x", "b@x", "c@x"), now=day(1))
        self.before = self.accounts()

    def snapshot(self, *documents, options=(), now=NOW):
        """Import one file per document as a snapshot."""
        paths = [self.file(one) for one in documents]
        return self.load_file(*paths, options=["--snapshot", *options],
                              now=now)

    def check_refused(self, *documents, words, options=()):
        """See that nothing changed, and that it was said why."""
        done = self.snapshot(*documents, options=options)
        self.assertEqual(1, done.status, done.words)
        for one in words:
            self.assertIn(one, done.words)
        self.assertEqual(self.before, self.accounts())

    def check_taken(self, *documents, upns, options=()):
        """See that it is the role list now."""
        done = self.snapshot(*documents, options=options)
        self.assertEqual(0, done.status, done.words)
        self.assertEqual(set(upns), {
            row["AccountUPN"] for row in self.accounts()
            if row["SyncAccount"]})
        return done.words


class Gaps(WholeTest):
    """What shows that there is more, or that something failed."""

    def test_link_to_a_next_page(self):
        self.check_refused(page([graph_role("a@x", "b@x")], "more"), words=[
            "file2:1: not whole: 1 next page is missing: "
            "https://graph.microsoft.com/v1.0/directoryRoles?$skiptoken=more",
            "nothing was changed"])

    def test_link_in_a_part_of_a_batch(self):
        self.check_refused(batch(
            (200, page([graph_role("a@x", "b@x")])),
            (200, page([graph_role("c@x", name="n", template="t")], "more"))),
            words=["1 next page is missing"])

    def test_link_to_more_members_of_a_role(self):
        role = graph_role("a@x", "b@x")
        role["members@odata.nextLink"] = f"{GRAPH}/x?$skiptoken=1"
        self.check_refused(page([role]), words=["1 next page is missing"])

    def test_part_of_a_batch_that_failed(self):
        for status in (400, 403, 429, "429", 503, 302):
            with self.subTest(status=status):
                self.check_refused(batch(
                    (200, page([graph_role("a@x", "b@x")])),
                    (status, {"error": {"code": "C", "message": "m\x1b"}})),
                    words=[f'the batch\'s part "2" failed: status {status}, '
                           "C: m\\u001b"])

    def test_error_beside_the_rows_of_a_query(self):
        columns = log_analytics("a@x", AssignedRoles=[SYNC_ROLE])
        table = {"name": "PrimaryResult",
                 "columns": [{"name": name} for name in columns],
                 "rows": [list(columns.values())]}
        self.check_refused({"tables": [table], "error": {
            "code": "PartialError"}}, words=["PartialError"])
        self.check_refused({"results": [columns], "error": {
            "code": "x"}}, words=["an error in the place of rows: x"])

    def test_role_of_as_many_members_as_are_expanded(self):
        upns = [f"u{n}@x" for n in range(20)] + ["a@x", "b@x", "c@x"]
        self.check_refused(page([graph_role(*upns[-20:])]),
                           words=["exactly 20 members"])
        self.check_taken(page([graph_role(*upns[-19:])]), upns=upns[-19:])

    def test_delta(self):
        role = graph_role()
        del role["members"]
        role["members@delta"] = [{"id": "id of a@x"}]
        self.check_refused(page([role]), words=["only what has changed"])

    def test_file_that_cannot_be_read_or_holds_nothing(self):
        self.check_refused(b"", words=["no identity record in it"],
                           options=["--force"])
        self.check_refused({"value": []}, words=["no identity record in it"],
                           options=["--force"])
        self.check_refused(b'{"value":[', words=["not whole"])
        done = self.load_file("/nowhere", options=["--snapshot"])
        self.assertEqual(1, done.status)
        self.assertEqual(self.before, self.accounts())

    def test_fewer_items_than_were_counted(self):
        self.check_refused(page([assignment("a@x"), assignment("b@x")],
                                context=ASSIGNMENTS, **{"@odata.count": 3}),
                           words=["2 of 3 items are there"])

    def test_a_plain_import_says_it_and_adds_what_is_there(self):
        done = self.load(page([graph_role("d@x")], "more"))
        self.assertEqual(0, done.status)
        self.assertIn("1 next page is missing", done.words)
        done = self.load(batch((200, page([graph_role("e@x")])),
                               (429, {"error": {"code": "C"}})))
        self.assertEqual(1, done.status)
        self.assertIn("status 429", done.words)
        self.assertEqual({f"{letter}@x" for letter in "abcde"},
                         set(self.roles()))


class Pages(WholeTest):
    """Pages in one run whose links name each other are whole."""

    @staticmethod
    def _pages(sizes, **first):
        items = iter(assignment(f"{letter}@x") for letter in "abcdefghij")
        pages = [page([next(items) for _ in range(size)], token,
                      context=ASSIGNMENTS)
                 for token, size in enumerate(sizes)]
        del pages[-1]["@odata.nextLink"]
        pages[0].update(first)
        return pages

    def test_pages_of_a_chain_in_any_order_and_in_one_file(self):
        pages = self._pages([2, 2, 1])
        for documents in (pages, pages[::-1], [pages],
                          [b"\n".join(json.dumps(one).encode()
                                      for one in pages)]):
            with self.subTest(documents=documents):
                self.setUp()
                if documents == [pages]:
                    documents = [json.dumps(pages).encode()]
                self.check_taken(*documents, upns=[
                    f"{letter}@x" for letter in "abcde"])

    def test_parts_of_one_batch_do_not_answer_each_other(self):
        pages = self._pages([2, 1])
        self.check_refused(batch(*((200, one) for one in pages)),
                           words=["1 next page is missing"])

    def test_a_page_that_is_there_twice_answers_one_link(self):
        pages = self._pages([2, 2, 1])
        self.check_refused(pages[0], pages[0], pages[1], pages[1],
                           words=["1 next page is missing"])

    def test_pages_of_another_collection_answer_nothing(self):
        self.check_refused(page([graph_role("a@x", "b@x")], "more"),
                           page([assignment("a@x")], context=ASSIGNMENTS),
                           words=["1 next page is missing"])

    def test_each_request_needs_a_last_page_of_its_own(self):
        first, second, last = (page([assignment(f"{letter}@x")],
                                    context=ASSIGNMENTS) for letter in "abc")
        first["@odata.nextLink"] = f"{GRAPH}/r?$filter=1&$skiptoken=1"
        second["@odata.nextLink"] = f"{GRAPH}/r?$filter=2&$skiptoken=1"
        self.check_refused(first, second, last, words=["1 next page is"])

    def test_any_pages_missing_of_a_counted_collection(self):
        chance = random.Random(1)
        for _ in range(12):
            sizes = [chance.randint(1, 3) for _ in range(
                chance.randint(2, 3))]
            pages = self._pages(sizes, **{"@odata.count": sum(sizes)})
            for one in pages[:-1]:
                one["@odata.nextLink"] += "&$count=true"
            kept = chance.sample(pages, chance.randint(1, len(pages) - 1))
            if kept == pages[-1:]:
                continue  # a last page alone looks like a whole answer
            with self.subTest(sizes=sizes, kept=kept):
                self.check_refused(*kept, words=["not whole"])

    def test_any_page_missing_at_the_end(self):
        for length in range(2, 5):
            pages = self._pages([1] * length)
            for cut in range(1, length):
                with self.subTest(length=length, cut=cut):
                    self.check_refused(*pages[:cut], words=["is missing"])

    def test_any_part_of_a_batch_failed(self):
        parts = [(200, page([graph_role(f"{letter}@x", name=letter,
                                        template=letter)]))
                 for letter in "abcd"]
        for broken in range(len(parts)):
            for status in (401, 404, 429, 500):
                with self.subTest(broken=broken, status=status):
                    answers = list(parts)
                    answers[broken] = (status, {"error": {"code": "e"}})
                    self.check_refused(batch(*answers), words=[
                        f'part "{broken + 1}" failed'])

    def test_a_document_cut_at_any_byte(self):
        whole = json.dumps(page([graph_role("a@x", "b@x", "c@x")])).encode()
        for cut in range(0, len(whole), 17):
            with self.subTest(cut=cut):
                self.check_refused(whole[:cut], words=["synctap: "])


class Losses(WholeTest):
    """Nobody ceases to be a sync account without a word."""

    def test_who_is_lost_is_said(self):
        self.assertIn("1 account is no longer a sync account: c@x; 3 -> 2\n",
                      self.check_taken(graph_role("a@x", "b@x"),
                                       upns=["a@x", "b@x"]))

    def test_most_of_three_need_force(self):
        words = ["refused without --force",
                 "2 accounts are no longer sync accounts: b@x, c@x; 3 -> 1"]
        self.check_refused(graph_role("a@x"), words=words)
        self.assertIn(words[1], self.check_taken(
            graph_role("a@x"), upns=["a@x"], options=["--force"]))

    def test_one_of_two_needs_none(self):
        self.check_taken(graph_role("a@x", "b@x"), upns=["a@x", "b@x"])
        self.check_taken(graph_role("a@x"), upns=["a@x"])

    def test_the_last_one_needs_force(self):
        self.check_taken(graph_role("a@x"), upns=["a@x"], options=["--force"])
        self.before = self.accounts()
        self.check_refused(graph_role(), words=["a@x; 1 -> 0"])
        self.check_taken(graph_role(), upns=[], options=["--force"])

    def test_by_the_rules_own_lists(self):
        self.check_taken(graph_role("a@x", name="other", template="t"),
                         upns=[], options=["--roles", "nothing of the kind"])

    def test_removed_members_of_a_delta_are_said(self):
        role = graph_role()
        del role["members"]
        role["members@delta"] = [
            {"id": "id of b@x", "@removed": {"reason": "deleted"}}]
        self.assertIn("1 account is no longer a sync account: b@x; 3 -> 2",
                      self.load(page([role])).words)
        self.assertEqual([], self.account("b@x")["AssignedRoles"])

    def test_a_snapshot_wins_over_a_row_of_the_future(self):
        self.load_well(dict(log_analytics("a@x", AssignedRoles=[]),
                            TimeGenerated="9999-01-01T00:00:00Z"), now=day(2))
        self.assertEqual(day(2), self.account("a@x")["TimeGenerated"])
        self.assertFalse(self.account("a@x")["SyncAccount"])
        self.check_taken(
            dict(log_analytics("a@x", AssignedRoles=[SYNC_ROLE])),
            graph_role("b@x", "c@x"), upns=["a@x", "b@x", "c@x"])


@unittest.skipUnless(SHARED.is_dir(), "the shared data are not here")
class Shared(WholeTest):
    """The files that others have met."""

    def test_traps(self):
        for path in sorted((SHARED / "snapshot-traps").iterdir()):
            with self.subTest(path=path.name):
                done = self.load_file(path, options=["--snapshot"])
                self.assertEqual(1, done.status, done.words)
                self.assertEqual(self.before, self.accounts())

    def test_shapes(self):
        for path in sorted((SHARED / "identity-shapes").iterdir()):
            with self.subTest(path=path.name):
                self.database = self.directory / f"{path.name}.db"
                done = self.load_file(
                    path, now="2026-11-26T01:00:00Z", options=[
                        "--role", SYNC_ROLE] * (path.stem == "members"))
                rows = objects(synctap(
                    "identity", "list", "--database", self.database, "--now",
                    "2026-11-26T01:00:00Z").output)
                self.assertEqual(int(path.stem == "batch"), done.status)
                self.assertEqual(1, len(rows))
                self.assertTrue(rows[0]["SyncAccount"], done.words)


if __name__ == "__main__":
    unittest.main()
