"""Shows alerts as a table, and compares them with those that were expected.

    python3 report.py ALERTS EXPECTED   table and verdict; status 0: all is well
    python3 report.py -                 a line for each alert on standard input
    python3 report.py --others EXPLAINED    why the other records did not alert
"""

import collections
import json
import pathlib
import re
import shutil
import sys
import textwrap

COLUMNS = ("detected", "operation", "actor", "target", "matched by")
GAP = "  "


def harmless(text):
    """Take out what a terminal would obey: a record can hold anything."""
    return re.sub(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]", "?",
                  text)


def cells(alert):
    """Give an alert's cells; a target without a name is shown by its id."""
    return [harmless(text) for text in (
        alert["detected_at"][11:19], alert["operation_name"], alert["actor"],
        alert["target_upn"] or alert["target_id"],
        ", ".join(alert["matched_by"]))]


def folded(row):
    """Break a row's cells into lines, for a narrow terminal."""
    detected, operation, actor, target, matched_by = row
    name, at, domain = target.partition("@")
    return [[detected], textwrap.wrap(operation, 18), [actor],
            [name, at + domain] if at else textwrap.wrap(target, 24),
            matched_by.split(", ")]


def print_lines(lines, widths):
    """Print lines of cells, in columns."""
    for line in lines:
        print(GAP.join(cell.ljust(width)
                       for cell, width in zip(line, widths)).rstrip())


def print_table(rows):
    """Print one line for each row, or several if the terminal is narrow."""
    lines = [COLUMNS] + rows
    widths = [max(map(len, column)) for column in zip(*lines)]
    total = sum(widths) + len(GAP) * (len(widths) - 1)
    if sys.stdout.isatty() and total > shutil.get_terminal_size().columns:
        lines = [COLUMNS]
        for row in rows:
            parts = folded(row)
            height = max(map(len, parts))
            lines += zip(*(part + [""] * (height - len(part))
                           for part in parts))
            lines.append([""] * len(COLUMNS))
        widths = [max(map(len, column)) for column in zip(*lines)]
    print_lines(lines, widths)


def key(alert):
    """Give what an expected and a real alert are compared by."""
    return (alert["record_id"], alert["target_upn"],
            tuple(alert["matched_by"]))


def compare(alerts, expected):
    """Say what is missing and what is too much; true if nothing is."""
    came = collections.Counter(map(key, alerts))
    wanted = collections.Counter(map(key, expected))
    for what, which in (("missing", wanted - came),
                        ("not expected", came - wanted)):
        for record in which.elements():
            print(f"{what}: {record}", file=sys.stderr)
    return came == wanted


def follow(lines):
    """Print each alert as it comes."""
    try:
        for line in lines:
            print(GAP.join(cells(json.loads(line))), flush=True)
    except KeyboardInterrupt:
        pass


def why_not(explained):
    """Name what kept a record from alerting; "" if nothing did.

    The record is an object of `synctap explain --format jsonl`.
    """
    if explained["wide"]:
        return ""
    if not explained["operation"]["wide"]:
        return "of an operation that the rule does not name"
    if not explained["time"]["is_within_lookback"]:
        return "from before the lookback"
    return "about an account that is no sync account"


def tell_others(lines):
    """Say in one line why the other records did not alert."""
    records = [one for one in map(json.loads, lines) if "wide" in one]
    others = collections.Counter(filter(None, map(why_not, records)))
    count = sum(others.values())
    print(f"the other {count} records did not alert: " + ", ".join(
        f"{count} are {reason}" for reason, count in others.most_common()))


def read_alerts(path):
    """Read the alerts; none if there is no file, and no unfinished line."""
    if not path.exists():
        return []
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.endswith("\n")]


def main():
    """Run one of the two ways."""
    if sys.argv[1] == "-":
        follow(sys.stdin)
        return 0
    if sys.argv[1] == "--others":
        with open(sys.argv[2], encoding="utf-8") as file:
            tell_others(file)
        return 0
    alerts = read_alerts(pathlib.Path(sys.argv[1]))
    with open(sys.argv[2], encoding="utf-8") as file:
        expected = json.load(file)
    alerts.sort(key=lambda alert: alert["time_generated"])
    print_table(list(map(cells, alerts)))
    return 0 if compare(alerts, expected) else 1


if __name__ == "__main__":
    sys.exit(main())
