"""The pipelines that are compared: what stands between imfile and nothing."""

import dataclasses
import json
import typing

from data import CANDIDATE_IN, MATCH_IN
from workplace import stage

DEFAULT_BATCH = 1024  # rsyslog's own
SMALL_BATCH = 128


def expect_nothing(_):
    """Give no counter: there is none to be looked at."""
    return {}


@dataclasses.dataclass(frozen=True)
class Pipeline:
    """One pipeline: its configuration, and what must have come of it."""

    name: str
    batch: int
    rules: str
    before: str = ""
    files: dict = dataclasses.field(default_factory=dict)
    expect: typing.Callable = expect_nothing

    def with_before(self, more):
        """Give the same behind more configuration."""
        return dataclasses.replace(self, before=self.before + more)


def counts_of_mixed(count):
    """Give how many candidates and matches are in data.Records.mixed."""
    candidates = [number for number in range(count)
                  if number % CANDIDATE_IN == CANDIDATE_IN // 2]
    matches = [number for number in candidates
               if number // CANDIDATE_IN % MATCH_IN == MATCH_IN // 2]
    return len(candidates), len(matches)


def bare(batch):
    """Nothing at all is done with the messages."""
    return Pipeline(f"bare, batch {batch}", batch, "stop\n")


def mmjsonparse(batch):
    """Make a tree of every message."""
    return Pipeline(
        f"mmjsonparse, batch {batch}", batch,
        'action(type="mmjsonparse" cookie="")\nstop\n',
        before='module(load="mmjsonparse")')


RULE = """
if $!operationName == ["Admin registered security info",
    "Register security info", "Create temporary access pass",
    "Issue temporary access pass", "Admin Issued Temporary Access Pass",
    "User registered security info"] then {
  foreach ($.target in $!properties!targetResources) do {
    set $.upn = $.target!userPrincipalName;
    if $.upn startswith "Sync_" or $.upn contains "DirSync" or
        lookup("accounts", $.upn) == "1" then {
      set $!match = "1";
    }
  }
  if $!match == "1" then { call alerts }
}
"""
ACCOUNTS = json.dumps({
    "version": 1, "nomatch": "0", "type": "string",
    "table": [{"index": f"Sync_{number}@contoso.com", "value": "1"}
              for number in range(100)]})
SCRIPT_MODULES = """module(load="mmjsonparse")
lookup_table(name="accounts" file="@WORK@/accounts.json")
"""


def script(batch):
    """The rule in rsyslog's own language, on the tree of every message."""
    return Pipeline(
        f"RainerScript behind mmjsonparse, batch {batch}", batch,
        f'action(type="mmjsonparse" cookie="")\n{RULE}stop\n',
        before=SCRIPT_MODULES, files={"accounts.json": ACCOUNTS})


def script_behind_contains(batch):
    """The same, but only of messages with the words, in that very case."""
    words = ('$msg contains "security info" or '
             '$msg contains "temporary access pass"')
    return Pipeline(
        f"RainerScript behind contains, batch {batch}", batch,
        f'if {words} then {{\naction(type="mmjsonparse" cookie="")\n'
        f"{RULE}}}\nstop\n",
        before=SCRIPT_MODULES, files={"accounts.json": ACCOUNTS})


def mmsynctap(batch, parameters="", expect=expect_nothing):
    """The module, with the defaults and what the figure asks for."""
    rulebase = stage() / "share" / "synctap" / "entra-audit.rulebase"
    database = "" if "database=" in parameters \
        else 'database="@WORK@/synctap.db"'
    return Pipeline(
        f"mmsynctap, batch {batch}", batch,
        f'action(type="mmsynctap" name="tap" rulebase="{rulebase}"\n'
        f'  {database} {parameters})\nstop\n',
        before='module(load="mmsynctap")', expect=expect)


def expect_mixed(count):
    """Every candidate was seen, and every match."""
    candidates, matches = counts_of_mixed(count)
    return {"tap": {"messages": count, "candidates": candidates,
                    "matched": matches}}


def expect_candidates(count):
    """Every message was judged, and none matched."""
    return {"tap": {"messages": count, "candidates": count, "matched": 0,
                    "undecodable": 0, "stale": 0}}


def expect_remembered(count):
    """The same, and every one is remembered."""
    expected = expect_candidates(count)
    expected["tap"]["pending"] = count
    return expected
