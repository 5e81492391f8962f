# SPDX-License-Identifier: Apache-2.0
"""Takes what a reader would type or copy out of the documents.

In Markdown every block of code is fenced, and says what it is:

    sh            commands: run, one block after the other, in one directory
    sh root       commands that need root: their syntax is checked
    sh network    commands that need something of the world: the same
    sh build      commands that tests/run or contrib/demo run themselves
    rsyslog       rsyslogd's configuration, behind synctap.conf: checked by -N1
    rsyslog-part  the same, behind PART alone
    rsyslog-alone the same, alone but for the workDirectory
    json          one document: read
    kql, text     for people

In a manual page commands are the lines of .Dl; one that ends with a backslash
or a pipe goes on. Those that talk to a collector or another host need one,
and those that change what a certain action remembers.
"""

import collections
import pathlib
import re

TOP = pathlib.Path(__file__).resolve().parents[2]
KINDS = ("sh", "sh root", "sh network", "sh build", "rsyslog",
         "rsyslog-part", "rsyslog-alone", "json", "kql", "text")
NEEDS_THE_WORLD = (r"--send|--wait|\blogger\b|synctap status|/dev/tcp"
                   r"|systemctl|synctap action (adopt|forget)")
PART = """global(maxMessageSize="2m")
module(load="mmsynctap")
ruleset(name="alerts" queue.type="LinkedList") { stop }
"""
Block = collections.namedtuple("Block", "file line kind text")


def markdown_files():
    """Give the documents for people, wherever they lie."""
    return sorted([*TOP.glob("*.md"), *TOP.glob("doc/*.md"),
                   *TOP.glob("contrib/**/*.md")])


def manual_pages():
    """Give the manual pages' sources."""
    return sorted(TOP.glob("doc/*.[1-8]"))


def blocks(path):
    """Give the fenced blocks of a document."""
    found, start, fence, kind, text = [], 0, "", "", []
    for number, line in enumerate(path.read_text().split("\n"), 1):
        mark = re.match(r"( *)```(.*)$", line)
        if mark and not fence:
            fence, kind, start, text = mark[0], mark[2], number, []
            indent = len(mark[1])
        elif mark:
            found.append(Block(path.name, start, kind,
                               "\n".join(text) + "\n"))
            fence = ""
        elif fence:
            text.append(line[indent:])
    if fence:
        raise AssertionError(f"{path.name}:{start}: a block does not end")
    return found


def unfenced(path):
    """Give the lines of code that stand in no fence: indented by four."""
    lines, inside, before = [], False, ""
    for number, line in enumerate(path.read_text().split("\n"), 1):
        if re.match(r" *```", line):
            inside = not inside
        elif (not inside and re.match(r" {4}\S", line) and before == ""):
            lines.append(f"{path.name}:{number}: {line}")
        before = line.strip()
    return lines


def commands(path):
    """Give the commands of a manual page."""
    found, text, start = [], "", 0
    for number, line in enumerate(path.read_text().split("\n"), 1):
        mark = re.match(r"\.Dl (.*)$", line)
        if not mark:
            continue
        start = start if text else number
        text += _plain(mark[1])
        if not text.endswith(("\\", "|")):
            kind = "sh network" if re.search(NEEDS_THE_WORLD, text) else "sh"
            found.append(Block(path.name, start, kind, text + "\n"))
            text = ""
        else:
            text += "\n"
    return found


def _plain(text):
    """Read troff's escapes."""
    if text.startswith('"') and text.endswith('"'):
        text = text[1:-1]
    for escape, plain in (("\\(dq", '"'), ("\\(aq", "'"), ("\\ ", " "),
                          ("\\-", "-"), ("\\e", "\\"), ("\\&", "")):
        text = text.replace(escape, plain)
    return text
