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

Those that need root or a network are typed by tests/newcomer/run on a system
of its own, under the headings that stand there; but for EXEMPT.

What stands in a sentence, in backquotes, and in a sample's comment, is not run:
it often has a placeholder, or is a command's name alone. Of a program of ours
it must have a command, options, parts and targets that there are. The others
are programs of the system, and words for which PROGRAMS says so.
"""

import collections
import pathlib
import re

TOP = pathlib.Path(__file__).resolve().parents[2]
KINDS = ("sh", "sh root", "sh network", "sh build", "rsyslog",
         "rsyslog-part", "rsyslog-alone", "json", "kql", "text")
NEEDS_THE_WORLD = (r"--send|--wait|\blogger\b|synctap status|/dev/tcp"
                   r"|systemctl|synctap action (adopt|drop)")
PART = """global(maxMessageSize="2m")
module(load="mmsynctap")
ruleset(name="alerts" queue.type="LinkedList") { stop }
"""
Block = collections.namedtuple("Block", "file line kind text")
# What nothing types, by what it begins with, and why.
EXEMPT = {
    "#!/bin/bash": "it asks Azure",
    "apt-get install rsyslog-kafka": "tests/newcomer installs it while it has"
                                     " a network; the rest is typed before",
    "synctap identity list --format jsonl |":
        "it writes into a topic: tests/kafka has a broker",
    "install -D -m 0644 contrib/apparmor": "no AppArmor in a container",
    "semanage port": "SELinux is RHEL's",
}
# Of the system: what they are called with, only they know.
PROGRAMS = frozenset(
    "rsyslogd systemctl apt apt-get ausearch fuser grep jq kcat logger make "
    "openssl restorecon rpmbuild semanage sqlite3 sudo".split())
OURS = {"synctap": "synctap", "synctap-roles": "contrib/role-list/synctap-roles",
        "synctap-send": "contrib/senders/synctap-send",
        "synctap-graph-poll": "contrib/rsyslog.d/in/graph-poll",
        "synctap-trim-queue": "contrib/trim-queue"}


def markdown_files():
    """Give the documents for people, wherever they lie."""
    return sorted([*TOP.glob("*.md"), *TOP.glob("doc/**/*.md"),
                   *TOP.glob("contrib/**/*.md"), *TOP.glob("tests/**/*.md")])


def sample_files():
    """Give what is put into place by hand, with comments that tell how."""
    return sorted(path for folder in ("rsyslog.d", "role-list", "prometheus",
                                      "apparmor", "logrotate.d", "debian")
                  for path in (TOP / "contrib" / folder).rglob("*")
                  if path.is_file())


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


def mentions(path):
    """Give the commands within a document's sentences, or in comments."""
    text = path.read_text()
    if path.suffix == ".md":
        text = re.sub(r"(?ms)^ *```.*?^ *```", _blank, text)
        found = re.finditer(r"`([^`]+)`", text)
    else:
        found = re.finditer(r"\b((?:rsyslogd|systemctl) [a-zN1-]+|synctap"
                            r"(?:-[a-z]+)+ --[a-z-]+|(?<![\w-])synctap (?:"
                            r"action|explain|identity|incident|query|replay|"
                            r"rule|selftest|status)\b(?: [a-z]+)?"
                            r"(?: --[a-z-]+)*)", text)
    return [Block(path.name, text.count("\n", 0, one.start()) + 1, "",
                  " ".join(one[1].split()))
            for one in found if _is_a_command(one[1])]


def _blank(found):
    """Keep the lines' numbers."""
    return "\n" * found[0].count("\n")


def _is_a_command(text):
    """Is it more than a word, and does it begin as a command does?"""
    first = text.split()[0] if text.split() else ""
    return " " in text.strip() and (
        first in PROGRAMS or first in OURS or
        re.match(r"(contrib|tests|doc)/[a-z/-]+$|\./configure$", first)
        is not None)


def heading_of(path, line):
    """Give the heading that a line stands under."""
    found = [one for one in path.read_text().split("\n")[:line]
             if re.match(r"##+ ", one)]
    return found[-1].lstrip("# ") if found else ""


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
