"""The rule of Sentinel's that makes incidents of CEF alerts.

Each column of CommonSecurityLog that its query asks must come from a key that
synctap's CEF has. Which column a key becomes is Microsoft's table ("CEF and
CommonSecurityLog field mapping"), as far as the rule goes.
"""

import pathlib
import re
import unittest

TOP = pathlib.Path(__file__).resolve().parents[2]
RULE = TOP / "contrib" / "rsyslog.d" / "out" / "sentinel-nrt-rule.yaml"
COLUMNS = {"externalId": "ExtID", "act": "DeviceAction",
           "suser": "SourceUserName", "suid": "SourceUserID",
           "src": "SourceIP", "shost": "SourceHostName",
           "duser": "DestinationUserName", "duid": "DestinationUserID",
           "cs1": "DeviceCustomString1", "cs3": "DeviceCustomString3",
           "cs4": "DeviceCustomString4", "cs5": "DeviceCustomString5",
           "msg": "Message"}
OF_HEADER = {"DeviceVendor", "DeviceProduct", "DeviceEventClassID", "Activity",
             "LogSeverity", "TimeGenerated"}
WORDS = {"where", "and", "extend", "iff", "isempty", "summarize", "arg_min",
         "by", "case", "toint", "project", "CommonSecurityLog", "union"}


def query():
    """Give the query's text, without its literals."""
    text = RULE.read_text().split("query: |\n", 1)[1]
    text = text.split("eventGroupingSettings", 1)[0]
    return re.sub(r'"[^"]*"', "", text)


class NrtRule(unittest.TestCase):
    """Its words against the keys of cef.c."""

    def test_each_column_is_one_of_a_key_that_is_written(self):
        made = set(re.findall(r"(\w+) =(?!=)", query()))
        asked = set(re.findall(r"\b[A-Za-z]\w*", query())) - WORDS - made
        written = set(re.findall(
            r'^    \{"(\w+)", ', (TOP / "plugin/dialect/cef.c").read_text(),
            re.M))
        self.assertLessEqual(set(COLUMNS), written)
        self.assertEqual(asked - OF_HEADER, set(COLUMNS.values()))

    def test_what_the_rule_maps_is_what_its_query_gives(self):
        text = RULE.read_text()
        project = query().split("| project", 1)[1]
        given = {part.split("=")[0].strip() for part in project.split(",")}
        named = set(re.findall(r"columnName: (\w+)|\{\{(\w+)\}\}|"
                               r"alertSeverityColumnName: (\w+)", text))
        self.assertLessEqual({name for one in named for name in one if name},
                             given)


if __name__ == "__main__":
    unittest.main()
