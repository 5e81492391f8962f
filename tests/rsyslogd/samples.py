# SPDX-License-Identifier: Apache-2.0
"""The sample configurations, put in a scenario's place.

What runs is contrib/rsyslog.d itself; only paths and ports become those of
the test, so that nothing is written outside of its directory and no port is
fixed. What must be changed and is not there fails the test: the sample has
changed then, and its test must follow.
"""

import pathlib
import re

from harness import Daemon
from workplace import rsyslog_version, stage

CONTRIB = pathlib.Path(__file__).resolve().parents[2] / "contrib"
DIRECTORY = CONTRIB / "rsyslog.d"
HOST = """global(workDirectory="@WORK@" abortOnUncleanConfig="on"
  maxMessageSize="2m" inputs.timeout.shutdown="10000")
"""
RULEBASES = {"mmsynctap": "entra-audit", "omidentityinfo": "identity-info"}


def names():
    """Give the names of all samples that are for this rsyslogd."""
    return sorted(str(path.relative_to(DIRECTORY))
                  for path in DIRECTORY.rglob("*.conf")
                  if inputs_take_tls() or path.name != "relay-tls.conf")


def inputs_take_tls():
    """Tell whether each input of imtcp has TLS of its own."""
    return rsyslog_version() >= (8, 2112)


def placed(name):
    """Give a sample with the paths and ports of a test."""
    return placed_text((DIRECTORY / name).read_text())


def placed_text(text):
    """Give any configuration with the paths and ports of a test."""
    for old in ("/var/spool/rsyslog", "/var/log/entra", "/var/log",
                "/var/lib/synctap", "/etc/ssl/synctap"):
        text = re.sub(rf"{old}(?=[/\"])", "@WORK@", text)
    text = text.replace("/usr/share/synctap", f"{stage()}/share/synctap")
    for module in RULEBASES:
        text = re.sub(rf'type="{module}"',
                      rf'\g<0> rulebase="{rulebase(module)}"', text)
    return re.sub(r'input\(type="imtcp"[^)]*\)', _on_a_free_port, text)


def rulebase(module="mmsynctap"):
    """Give the path of the rulebase under test."""
    return stage() / "share" / "synctap" / f"{RULEBASES[module]}.rulebase"


def _on_a_free_port(found):
    """Let the kernel choose an input's port, and write it into a file."""
    ruleset = re.search(r'ruleset="([^"]*)"|$', found[0])[1] or "none"
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


def collector(name, *changes):
    """Make a daemon of synctap.conf and one of its inputs.

    changes: pairs of a pattern in the input's file and what takes its place.
    """
    text = placed(name)
    for pattern, by in changes:
        text = replace(text, pattern, by)
    return Daemon(own=HOST + with_test_alerts(placed("synctap.conf")) + text)


def with_test_alerts(text):
    """Let the alerts go to the test instead of into a file."""
    return replace(text, r'action\(type="omfile"[^)]*synctap-alerts[^)]*\)',
                   "@ALERTS@")


def commented(name):
    """Give the configuration that a sample shows in its comments."""
    lines = re.findall(r"(?m)^#((?:module|template|action)\(.*| {7}.*)$",
                       (DIRECTORY / name).read_text())
    return "\n".join(lines).replace("/etc/ssl/synctap", "@WORK@") + "\n"


def without_module(text, module):
    """Delete the line that loads a module, where it is loaded already."""
    return re.sub(rf'(?m)^module\(load="{module}".*\n', "", text)
