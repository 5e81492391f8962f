"""A wrong value stops the configuration check with words that help.

`rsyslogd -N1` fails, and its message names the action, the parameter, the
value that stands there and what would be right. The same configurations with
a right value pass, so it is the value that was refused. A right configuration
is also checked without a trace: no database is needed to check one.
"""

import re
import unittest

from harness import Daemon, check_config
from records import BOTH_MODULES, MODULE, ROLE_KEEPER, mmsynctap

RULESETS = MODULE + """
ruleset(name="queueless") { stop }
"""
TIMESPAN = r"\b(1d|24h|90s|5m|1h|14d)\b"

# parameter, wrong value, right value, what the message must offer (regular
# expressions)
MMSYNCTAP = (
    ("formats", "CEF", "cef", ("securityalert, cef, leef, ecs, ocsf or hec",)),
    ("formats", "", "hec", ("ocsf",)),
    ("semantics", "loose", "wide", ("kql", "wide")),
    ("lookback", "soon", "2d", (TIMESPAN,)),
    ("lookback", "1 day", "36h", (TIMESPAN,)),
    ("lookback", "-1d", "90s", (TIMESPAN,)),
    ("identity.window", "14", "7d", (TIMESPAN,)),
    ("container", "synctap", "$!tap", (r"\$!",)),
    ("container", "$!a!", "$.tap", (r"\$!",)),
    ("container", "$!!", "$!a!b", (r"\$!",)),
    ("container", "$!a!!b", "$!a", (r"\$!",)),
    ("property", "nosuchproperty", "msg", ("rawmsg",)),
    ("ruleset", "nowhere", "alerts", ("ruleset",)),
    ("ruleset", "queueless", "alerts", ("queue",)),
    ("syslog.facility", "nobody", "local0", ("authpriv|local0",)),
    ("syslog.facility", "4x", "4", ("authpriv|local0",)),
    ("syslog.severity", "loud", "err", ("alert|err",)),
    ("syslog.severity", "1.5", "1", ("alert|err",)),
    ("rulebase", "@WORK@/absent.rulebase", None, ("rulebase",)),
    ("rulebase", "entra-audit.rulebase", None, ("whole path",)),
    ("rulebase", "@WORK@", None, ("directory",)),
    ("rulebase", "/etc/passwd", None, ("no rule in it",)),
    ("rule", "", None, ("whole path",)),
    ("rule", "rule.yaml", None, ("whole path",)),
    ("watchlist.none", "/x.csv", None, ("no watchlist",)),
    ("database", "/usr/synctap.db", "@WORK@/x.db", ("director|writ",)),
    ("database", "synctap.db", "@WORK@/x.db", ("whole path",)),
    ("database", "@WORK@", "@WORK@/x.db", ("directory",)),
    ("database", "/dev/null", "@WORK@/x.db", ("no regular file",)),
    ("database", "/dev/stdin", "@WORK@/x.db", ("symbolic link",)),
    ("database", "@WORK@/rsyslog.conf", "@WORK@/x.db", ("no database",)),
    ("syslog.tag", "two words", "two-words", ("one word",)),
)
LISTS = ("operations", "roles", "upn.startswith", "upn.contains", "upn.has",
         "displayname.has")


class WrongConfiguration(unittest.TestCase):
    """Each case is one action with one wrong value."""

    def _refused(self, words, *expected):
        for pattern in expected:
            self.assertRegex(words, re.compile(pattern, re.IGNORECASE))

    def test_mmsynctap_refuses_wrong_values(self):
        for parameter, wrong, right, offers in MMSYNCTAP:
            with self.subTest(parameter=parameter, value=wrong):
                status, words = self._check(parameter, wrong)
                self.assertNotEqual(0, status, words)
                value = re.escape(wrong.replace("@WORK@", ""))
                self._refused(words, r"\btap\b", re.escape(parameter), value,
                              *offers)
            if right is not None:
                with self.subTest(parameter=parameter, value=right):
                    status, words = self._check(parameter, right)
                    self.assertEqual(0, status, words)

    @staticmethod
    def _check(parameter, value):
        parameters = {"database": "@WORK@/synctap.db", "semantics": "kql",
                      parameter: value}
        action = " ".join(f'{name}="{text}"'
                          for name, text in parameters.items())
        return check_config(f'action(type="mmsynctap" name="tap" {action})',
                            RULESETS)

    def test_a_file_that_is_read_twice_is_refused_without_a_crash(self):
        """A ruleset that is refused takes its actions with it."""
        rules = f"""{BOTH_MODULES}
ruleset(name="roles" queue.type="LinkedList") {{ {ROLE_KEEPER} }}
ruleset(name="audit" queue.type="LinkedList") {{ {mmsynctap()} }}
"""
        status, words = check_config(before=rules + rules)
        self.assertEqual(2, status, words)
        self._refused(words, "ruleset 'audit' specified more than once",
                      "module 'mmsynctap' already in this config")

    def _check_list(self, parameter, value, *said):
        """A list of that value is refused with these words."""
        with self.subTest(parameter=parameter, value=value):
            status, words = check_config(
                f'action(type="mmsynctap" name="tap" {parameter}={value})',
                MODULE)
            self.assertNotEqual(0, status, words)
            self._refused(words, r"\btap\b", re.escape(parameter), *said)

    def test_an_empty_text_in_a_list_is_refused(self):
        for parameter in LISTS:
            for value in ('""', '["Create", ""]'):
                self._check_list(parameter, value,
                                 "an empty text matches everything", "off")
            with self.subTest(parameter=parameter, value="off"):
                status, words = check_config(
                    f'action(type="mmsynctap" name="tap" {parameter}="off")',
                    MODULE)
                self.assertEqual(0, status, words)

    def test_off_beside_texts_is_refused(self):
        for parameter in LISTS:
            for value in ('["off", "x"]', '["x", "OFF"]'):
                self._check_list(parameter, value,
                                 "off switches the list off, and is no text",
                                 "give texts, or off alone")

    def test_an_action_that_never_alerts_is_warned_of(self):
        status, words = check_config(
            'action(type="mmsynctap" name="tap" operations="off")', MODULE)
        self.assertEqual(0, status, words)
        self._refused(words, r"'tap': warning: it never alerts: operations")

    def test_what_two_actions_would_share_is_refused(self):
        def check(*actions):
            return check_config("\n".join(
                f'action(type="mmsynctap" name="{name}" '
                f'database="@WORK@/{database}")'
                for name, database in actions), MODULE)

        for first, second in ((("a", "x"), ("a", "y")),
                              (("b-c", "x"), ("c", "x-b"))):
            with self.subTest(first=first, second=second):
                status, words = check(first, second)
                self.assertNotEqual(0, status, words)
                self._refused(words, f"'{second[0]}'", "another")
        status, words = check(("a/b", "x"), ("a_b", "x"), ("a%2Fb", "x"))
        self.assertEqual(0, status, words)
        status, words = check(("n" * 240, "x"))
        self.assertNotEqual(0, status, words)
        self._refused(words, "shorter name")

    def test_omidentityinfo_refuses_wrong_values(self):
        for parameter, wrong in (("database", "/usr/synctap.db"),
                                 ("database", "synctap.db"),
                                 ("database", "/etc"),
                                 ("database", "/etc/passwd"),
                                 ("rulebase", "identity-info.rulebase"),
                                 ("property", "nosuchproperty"),
                                 ("rulebase", "/etc/passwd"),
                                 ("rulebase", "/absent.rulebase")):
            with self.subTest(parameter=parameter):
                status, words = check_config(
                    'action(type="omidentityinfo" name="roles" '
                    f'{parameter}="{wrong}")',
                    'module(load="omidentityinfo")')
                self.assertNotEqual(0, status, words)
                self._refused(words, r"\broles\b", re.escape(parameter),
                              re.escape(wrong))

    def test_an_unknown_parameter_is_named(self):
        status, words = check_config(
            'action(type="mmsynctap" name="tap" lokback="1d")', MODULE)
        self.assertNotEqual(0, status)
        self.assertIn("lokback", words)

    def test_names_of_parameters_have_no_case(self):
        status, words = check_config(
            'action(type="mmsynctap" Name="tap" Semantics="kql" '
            'LookBack="2d" UPN.StartsWith=["Sync_", "Adsync_"] '
            'operations=["Create temporary access pass"] '
            'roles=["Hybrid Identity Administrator"] upn.contains=["DirSync"] '
            'upn.has=["On-Premises"] displayname.has=["Service Account"])',
            MODULE)
        self.assertEqual(0, status, words)

    def test_every_default_is_right(self):
        status, words = check_config('action(type="mmsynctap")', MODULE)
        self.assertEqual(0, status, words)

    def test_the_refused_configuration_does_not_start(self):
        daemon = Daemon(mmsynctap('ruleset="queueless"'), RULESETS)
        with self.assertRaisesRegex(AssertionError, "has ended"):
            with daemon:
                pass
        self.assertRegex(daemon.work.words(), "queueless")
        daemon.work.remove()
