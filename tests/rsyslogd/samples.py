# SPDX-License-Identifier: Apache-2.0
"""The sample configurations, put in a scenario's place.

What runs is contrib/rsyslog.d itself; only paths and ports become those of
the test, so that nothing is written outside of its directory and no port is
fixed. What must be changed and is not there fails the test: the sample has
changed then, and its test must follow.
"""

import pathlib
import re

from workplace import stage

CONTRIB = pathlib.Path(__file__).resolve().parents[2] / "contrib"
DIRECTORY = CONTRIB / "rsyslog.d"
RULEBASES = {"mmsynctap": "entra-audit", "omidentityinfo": "identity-info"}


def names():
    """Give the names of all samples."""
    return sorted(str(path.relative_to(DIRECTORY))
                  for path in DIRECTORY.rglob("*.conf"))


def placed(name):
    """Give a sample with the paths and ports of a test."""
    text = (DIRECTORY / name).read_text()
    for old in ("/var/spool/rsyslog", "/var/log/entra", "/var/log",
                "/var/lib/synctap", "/etc/ssl/synctap"):
        text = re.sub(rf"{old}(?=[/\"])", "@WORK@", text)
    for module, rulebase in RULEBASES.items():
        path = stage() / "share" / "synctap" / f"{rulebase}.rulebase"
        text = re.sub(rf'type="{module}"', rf'\g<0> rulebase="{path}"', text)
    return re.sub(r'input\(type="imtcp"[^)]*\)', _on_a_free_port, text)


def _on_a_free_port(found):
    """Let the kernel choose an input's port, and write it into a file."""
    ruleset = re.search(r'ruleset="([^"]*)"', found[0])[1]
    rest = re.sub(r' (address|port)="[^"]*"', "", found[0][:-1])
    return (f'{rest} port="0" address="127.0.0.1" '
            f'listenPortFileName="@WORK@/{ruleset}.port")')


def replace(text, pattern, by):
    """Replace what must be there, outside of comments."""
    lines, count = [], 0
    for part in re.split(r"(?m)(#.*$)", text):
        if not part.startswith("#"):
            part, found = re.subn(pattern, lambda match: by, part)
            count += found
        lines.append(part)
    if count == 0:
        raise AssertionError(f"the sample has no {pattern}")
    return "".join(lines)


def without_module(text, module):
    """Delete the line that loads a module, where it is loaded already."""
    return re.sub(rf'(?m)^module\(load="{module}".*\n', "", text)
