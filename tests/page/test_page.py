"""The page of an incident as a browser shows it."""

import json
import os
import pathlib
import re
import tempfile
import unicodedata
import unittest

import browser
import hostile
import plain
import ticks
from incidents import (HOUR, MINUTE, NOW, PASS_ID, TARGET_ID, Incidents,
                       alert, role_row)

PICTURES = pathlib.Path(os.environ["SYNCTAP"]).parent / "logs"
# What the page is made of, without any text: elements with their attributes.
STRUCTURE = """[...document.querySelectorAll('*')].map(e => e.tagName + ' ' +
    [...e.attributes].map(a => a.name).join(' '))"""


def shown(text):
    """Write what acts or hides as base/shown.h says it is shown."""
    def one(char):
        if unicodedata.category(char) in ("Cc", "Cf", "Zl", "Zp"):
            code = ord(char)
            return f"\\U{code:08x}" if code > 0xFFFF else f"\\u{code:04x}"
        return char
    return "".join(map(one, text))


def squeezed(text):
    """Leave no blank in it: a browser breaks lines where it likes."""
    return re.sub(r"\s", "", text)


def sync_account(number):
    """Give the UPN of a sync account."""
    return f"Sync_CONTOSO-DC{number:02}_{number * 0x9e3779b97f4a % 16**12:012x}" \
           "@nordwind.example"


def many(count):
    """Make so many alerts of nine hours; of 12 and more 2 late, 1 degraded.
    """
    made = []
    for number in range(count):
        at = -9 * HOUR + number * 9 * HOUR // count
        target = number * 7 % (4 if count < 50 else 20)
        made.append(alert(
            number + 1, at=at, target_upn=sync_account(target),
            target_id=f"0d0d0d0d-abcd-4222-8333-{target:012x}",
            actor=("admin@nordwind.example", "helpdesk.lead@nordwind.example",
                   "Provisioning App", "eve@nordwind.example")[number * 3 % 4],
            source_ip=("203.0.113.9", "198.51.100.23",
                       "2001:db8::17")[number % 3]))
    if count >= 12:
        for late in (made[3], made[8]):
            late.update(late=True, matched_by=["identity_upn"],
                        detected_at=ticks.render(ticks.parse(
                            late["time_generated"]) + 2 * HOUR))
        made[5].update(confidence="degraded", method="", actor="", actor_id="",
                       source_ip="", tap=dict.fromkeys(
                           ("id", "start", "end", "usage"), ""))
    return made


class PageTest(unittest.TestCase):
    """A test with a browser, which all tests of a class share."""

    @classmethod
    def setUpClass(cls):
        cls.browser = cls.enterClassContext(browser.Browser())

    def setUp(self):
        made = tempfile.TemporaryDirectory(prefix="synctap-page-")
        self.addCleanup(made.cleanup)
        self.directory = pathlib.Path(made.name)

    def page(self, *alerts, repeats=None, roles=(), action="synctap"):
        """Make a database with one incident; give its page."""
        incidents = Incidents(self.directory / "state.db")
        if roles:
            incidents.load(*roles)
        whole = incidents.put(1, *alerts, repeats=repeats, action=action)
        return self.page_of(incidents, whole)

    def page_of(self, incidents, whole):
        """Give the page of an incident."""
        done = incidents.synctap("show", whole, "--format", "html")
        self.assertEqual((0, ""), (done.status, done.words))
        path = self.directory / "incident.html"
        path.write_text(done.output, encoding="utf-8")
        return path

    def count(self, selector):
        """Count the elements of the open page that a selector names."""
        return self.browser.evaluate(
            f"document.querySelectorAll({json.dumps(selector)}).length")

    def text(self, selector="body"):
        """Give what is to be read in the first such element."""
        return self.browser.evaluate(
            f"document.querySelector({json.dumps(selector)}).innerText")

    def assert_quiet(self, path):
        """Nothing was asked for but the page, nothing ran or was blocked."""
        self.assertEqual([path.as_uri()], self.browser.requests())
        for event in ("Page.javascriptDialogOpening", "Log.entryAdded",
                      "Runtime.consoleAPICalled",
                      "Runtime.exceptionThrown"):
            self.assertEqual([], self.browser.happened(event))

    def assert_in_its_place(self):
        """Nothing stands out of the page or of the drawing."""
        self.assertLessEqual(self.browser.evaluate(
            "document.documentElement.scrollWidth - innerWidth"), 0)
        self.assertEqual([], self.browser.evaluate(
            "(() => {const all = document.querySelector('.timeline');"
            "const box = all.getBoundingClientRect();"
            "return [...all.querySelectorAll('text, .event, .seen')]"
            ".filter(e => {const b = e.getBoundingClientRect();"
            "return b.left < box.left - 1 || b.right > box.right + 1 ||"
            "b.top < box.top - 1 || b.bottom > box.bottom + 1})"
            ".map(e => e.outerHTML)})()"))


class Pictures(PageTest):
    """Incidents of three sizes, as they are looked at."""

    def _look(self, count, **how):
        roles = [role_row(sync_account(n), 2, plain.ROLE, object_id=
                          f"0d0d0d0d-abcd-4222-8333-{n:012x}")
                 for n in range(20)]
        path = self.page(*many(count), roles=roles, **how)
        for dark in (False, True):
            self.browser.open(path, dark=dark)
            self.browser.screenshot(
                PICTURES / f"page-{count}{'-dark' if dark else ''}.png")
            self.assert_quiet(path)
        self.browser.open(path)
        self.assert_in_its_place()
        self.assertEqual((count, count, count), (
            self.count(".timeline .mark"), self.count(".alerts tbody tr"),
            self.count("details pre")))

    def test_one_alert(self):
        self._look(1)
        self.assertEqual(
            f"admin@nordwind.example: {plain.OPERATION} on {sync_account(0)}",
            self.text("h1"))
        self.assertEqual("Temporary Access Pass, valid until "
                         "2026-06-01 04:00:00 UTC, once", self.text(".lead"))
        self.assertEqual((0, 0, 0), tuple(map(self.count, (
            ".timeline .late", ".timeline .degraded",
            ".timeline .repeated"))))

    def test_twelve_alerts_two_late_one_degraded(self):
        self._look(12, repeats={2: 3, 7: 1})
        self.assertEqual((2, 1, 2), tuple(map(self.count, (
            ".timeline .late", ".timeline .degraded",
            ".timeline .repeated"))))
        self.assertEqual("High open 12 alerts 2 late 1 degraded 4 repeats",
                         " ".join(self.text(".badges").split()))
        self.assertIn("came 3 more times", self.text(".alerts"))
        self.assertEqual(4, self.count(".timeline .lane"))

    def test_a_hundred_and_fifty_alerts(self):
        self._look(150)
        self.assertEqual(12, self.count(".timeline .lane"))
        self.assertIn("and 9 more accounts", self.browser.evaluate(
            "document.querySelector('.timeline').textContent"))
        self.assertEqual(20, self.count(".matrix tbody tr"))
        self.assertEqual(150, self.browser.evaluate(
            "[...document.querySelectorAll('.matrix td:last-child')]"
            ".reduce((sum, cell) => sum + Number(cell.innerText), 0)"))

    def test_a_narrow_window(self):
        self.browser.open(self.page(*many(12)), width=560)
        self.assertEqual(12, self.count(".timeline .mark"))


class Marks(PageTest):
    """Where the marks are is when it was."""

    def _x(self, selector):
        return self.browser.evaluate(
            f"[...document.querySelectorAll('{selector}')].map(e => "
            "e.getBoundingClientRect()).map(b => (b.left + b.right) / 2)"
            ".sort((a, b) => a - b)")

    def test_places_are_in_proportion_to_the_times(self):
        self.browser.open(self.page(
            alert(1, at=0, after=0), alert(2, at=HOUR, after=0),
            alert(3, at=3 * HOUR, after=HOUR, late=True)))
        first, second, third = self._x(".timeline .event")
        seen = self._x(".timeline .seen")
        self.assertAlmostEqual(2, (third - second) / (second - first), 1)
        self.assertAlmostEqual(first, seen[0], 0)
        self.assertAlmostEqual(second - first, seen[2] - third, 0)

    def test_each_mark_tells_of_itself(self):
        self.browser.open(self.page(
            alert(1, actor="eve@x", late=True, after=HOUR)))
        self.assertEqual(
            f"2026-06-01 12:00:00 UTC: {plain.OPERATION} by eve@x, detected "
            "after 1 h; late",
            self.browser.evaluate(
                "document.querySelector('.mark title').textContent"))


class Sections(PageTest):
    """What is on the page, in words."""

    def _open(self, *alerts, **how):
        self.browser.open(self.page(*alerts, **how))
        return self.text()

    def test_why_it_matched_is_said_in_words(self):
        text = self._open(alert(1, matched_by=["identity_upn", "id_case"]))
        for words in ("The role list has this user principal name",
                      "the query compares ids letter by letter"):
            self.assertIn(words, text)

    def test_the_steps_name_account_pass_and_time(self):
        text = self._open(alert(1))
        for words in (
                "Remove-MgUserAuthenticationTemporaryAccessPassMethod -UserId "
                f"'{TARGET_ID}' -TemporaryAccessPassAuthenticationMethodId "
                f"'{PASS_ID}'",
                f"Revoke-MgUserSignInSession -UserId '{TARGET_ID}'",
                f'let accounts = dynamic(["{plain.SYNC_UPN}"]);',
                f'let actors = dynamic(["{plain.ACTOR}"]);',
                f'let addresses = dynamic(["{plain.SOURCE_IP}"]);',
                "| where TimeGenerated >= datetime("
                "2026-06-01T12:00:00.0000000Z)",
                "synctap incident close 00000001-0000"):
            self.assertIn(squeezed(words), squeezed(text))

    def test_roles_then_and_now_stand_side_by_side(self):
        text = self._open(alert(1), roles=[role_row(
            plain.SYNC_UPN, 2, plain.ROLE, object_id=TARGET_ID,
            display="Sync of DC1")])
        self.assertEqual(2, text.count(f"{plain.ROLE} (a sync account)"))
        self.assertIn("Sync of DC1", text)

    def test_source_addresses_are_listed(self):
        text = self._open(alert(1, source_ip="192.0.2.1"),
                          alert(2, at=1, source_ip="2001:db8::1"))
        self.assertIn("192.0.2.1", text)
        self.assertIn("2001:db8::1", text)

    def test_the_alert_is_folded_and_whole(self):
        self._open(alert(1))
        self.assertEqual(0, self.count("details[open]"))
        self.assertEqual(alert(1), json.loads(self.browser.evaluate(
            "document.querySelector('details pre').textContent")))

    def test_a_closed_one_says_so_and_has_no_step_to_close_it(self):
        incidents = Incidents(self.directory / "state.db")
        whole = incidents.put(1, alert(1))
        incidents.synctap("close", whole, "--by", "bob", "--reason", "a test")
        self.browser.open(self.page_of(incidents, whole))
        text = self.text()
        for words in ("closed", "bob", "a test", "2026-06-01 12:10:00 UTC"):
            self.assertIn(words, text)
        self.assertNotIn("synctap incident close", text)


class Looks(PageTest):
    """Light, dark and on paper."""

    CONTRAST = """(() => {
        const part = text => text.match(/[\\d.]+/g).slice(0, 3).map(Number);
        const light = rgb => rgb.map(c => c / 255).map(c => c <= 0.03928 ?
            c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
            .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
        const paper = light(part(getComputedStyle(document.body)
            .backgroundColor));
        return Math.min(...['h1', '.lead', 'th', 'td', 'dt', '.legend',
            'footer', 'td .late', 'td .degraded'].map(name => {
            const ink = light(part(getComputedStyle(
                document.querySelector(name)).color));
            return (Math.max(ink, paper) + 0.05) /
                (Math.min(ink, paper) + 0.05)}));})()"""

    def test_it_can_be_read_in_light_and_dark(self):
        path = self.page(*many(12))
        papers = set()
        for dark in (False, True):
            self.browser.open(path, dark=dark)
            self.assertGreaterEqual(self.browser.evaluate(self.CONTRAST), 4.5)
            papers.add(self.browser.evaluate(
                "getComputedStyle(document.body).backgroundColor"))
        self.assertEqual(2, len(papers))

    def test_paper_is_white_even_for_who_likes_it_dark(self):
        self.browser.open(self.page(*many(12)), dark=True, media="print")
        self.assertEqual("rgb(255, 255, 255)", self.browser.evaluate(
            "getComputedStyle(document.body).backgroundColor"))
        self.assertGreaterEqual(self.browser.evaluate(self.CONTRAST), 4.5)
        self.assertTrue(self.browser.print_to_pdf().startswith(b"%PDF"))


class Alone(PageTest):
    """No script, and nothing from elsewhere."""

    def test_the_page_has_neither_and_forbids_both(self):
        path = self.page(*many(12))
        self.browser.open(path)
        self.assert_quiet(path)
        self.assertEqual(0, self.count(
            "script, link, iframe, object, embed, img, base, a, form"))
        self.assertEqual(0, self.count("[src], [href], [style], [onload]"))
        self.assertEqual(
            "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; "
            "form-action 'none'", self.browser.evaluate(
                "document.querySelector('meta[http-equiv]').content"))

    def test_these_tests_see_what_leaves_a_page_and_what_runs_in_it(self):
        path = self.directory / "other.html"
        path.write_text("<img src=http://127.0.0.1:9/x><script>"
                        "console.log(1)</script>", encoding="utf-8")
        self.browser.open(path)
        self.assertIn("http://127.0.0.1:9/x", self.browser.requests())
        self.assertTrue(self.browser.happened("Runtime.consoleAPICalled"))

    def test_the_policy_holds_what_would_get_in(self):
        path = self.page(alert(1))
        text = path.read_text(encoding="utf-8").replace(
            "<h1>", "<img src=http://127.0.0.1:9/x><script>alert(1)</script>"
            "<h1>")
        path.write_text(text, encoding="utf-8")
        self.browser.open(path)
        self.assertEqual([], self.browser.happened(
            "Page.javascriptDialogOpening"))
        self.assertGreaterEqual(len(self.browser.happened("Log.entryAdded")),
                                2)


class Hostile(PageTest):
    """A name stays a name, whatever is in it and wherever it stands."""

    seen = {}  # each page is opened once, for all of these tests

    def _hostile_page(self, value):
        pass_of = dict.fromkeys(("id", "start", "end", "usage"), value)
        names = {name: value for name in (
            "operation_name", "actor", "actor_id", "target_upn", "target_id",
            "source_ip", "result", "result_reason", "method", "tenant_id",
            "record_id", "correlation_id", "display_name", "description",
            "collector", "logged_by_service", "caller_ip", "rule_name",
            "rule_version", "severity")}
        incidents = Incidents(self.directory / f"{len(self.seen)}.db")
        incidents.load(role_row(value or "x", 2, value, display=value))
        whole = incidents.put(1, alert(1, tap=pass_of, late=True, matched_by=[
            value, "identity_upn"], **names),
                              action=value.replace("\0", "") or "x")
        incidents.run("UPDATE incident SET closed = ?, closed_by = ?,"
                      " closed_reason = ?, key = ?", NOW + MINUTE, value,
                      value, json.dumps([value]))
        return self.page_of(incidents, whole)

    def _look(self, value):
        """Give structure, text and KQL of a page with that value."""
        if value not in self.seen:
            path = self._hostile_page(value)
            self.browser.open(path)
            self.assert_quiet(path)
            self.seen[value] = tuple(map(self.browser.evaluate, (
                STRUCTURE, "document.body.textContent",
                "[...document.querySelectorAll('pre.kql')].map("
                "e => e.textContent).join('')")))
        return self.seen[value]

    def test_no_value_adds_an_element_or_an_attribute(self):
        harmless, _, _ = self._look("harmless")
        for name, value in hostile.values().items():
            with self.subTest(name=name):
                self.assertEqual(harmless, self._look(value)[0])

    def test_each_value_is_shown_as_itself(self):
        for name, value in hostile.values().items():
            with self.subTest(name=name):
                # head line, address, closing and more
                self.assertGreaterEqual(squeezed(self._look(value)[1]).count(
                    squeezed(shown(value))), 8)

    def test_no_value_ends_a_literal_of_kql(self):
        for name, value in hostile.values().items():
            lists = re.findall(r"(?m)^let \w+ = dynamic\((.*)\);$",
                               self._look(value)[2])
            with self.subTest(name=name):
                self.assertEqual([[value]] * 5, list(map(json.loads, lists)))


if __name__ == "__main__":
    unittest.main()
