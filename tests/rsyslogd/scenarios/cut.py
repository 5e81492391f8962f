"""A message as long as maxMessageSize whose JSON does not end was cut.

It is tagged undecodable, counted as cut and told, whether or not it shows a
phrase of the rule: what was cut off may have been the record. Another long
message is left alone, and so is one of the same length that ends. What the
sender should change is in the line. The gauges say how long ago the last
message and the last candidate were.
"""

import unittest

from harness import Daemon, check_config
from records import MODULE, mmsynctap

LONGEST = 20_000
NAMES = ("records", "operationName", "OperationName", "activityDisplayName",
         "TimeGenerated")


def as_long(begin, filler="x", end=""):
    """Make a text of the longest length."""
    return begin + filler * (LONGEST - len(begin) - len(end)) + end


# What is as long as may be is too long to be forwarded with its tree.
STATUS = """
template(name="status" type="string" string="%$!synctap!status%\\n")
"""
WRITE = """
action(type="omfile" file="@WORK@/statuses" template="status")
stop
"""


class Cut(unittest.TestCase):
    """Messages at the bound."""

    def test_what_was_cut_is_told(self):
        cut = [as_long(f'{{"{name}":"') for name in NAMES]
        cut.append(as_long('<134>Jun  1 12:00:00 edge7 app[7]: '
                           '{"records":[{"properties":{"a":"'))
        whole = [as_long('{"records":"', end='"}'), as_long("plain "),
                 as_long('{"other":"'), '{"records":[']
        with Daemon(mmsynctap() + WRITE, MODULE + STATUS,
                    max_message_size=str(LONGEST)) as daemon:
            daemon.wait_statistics("tap", last_message_seconds=-1,
                                   last_candidate_seconds=-1)
            daemon.send(cut + whole, framing="octet")
            daemon.wait_statistics("tap", messages=len(cut) + len(whole))
            said = daemon.internal("mmsynctap", "undecodable")
            counters = daemon.counters("tap")
            daemon.end()
            statuses = (daemon.work.path / "statuses").read_text()
        self.assertEqual("undecodable\n" * len(cut) + "\n" * len(whole),
                         statuses)
        self.assertEqual((len(cut), len(cut), 0, -1),
                         tuple(counters[name] for name in (
                             "cut", "undecodable", "candidates",
                             "last_candidate_seconds")))
        self.assertGreaterEqual(counters["last_message_seconds"], 0)
        for words in ("maxMessageSize", f"{LONGEST} bytes", "sender"):
            self.assertIn(words, said.text)

    def test_the_check_warns_of_a_small_bound(self):
        for size, warns in (("8k", True), ("4m", False)):
            status, words = check_config(mmsynctap(), MODULE,
                                         max_message_size=size)
            self.assertEqual(0, status, words)
            self.assertEqual(warns, "imkafka" in words, words)


if __name__ == "__main__":
    unittest.main()
