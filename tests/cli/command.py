"""Runs the command line and reads what it writes."""

import fcntl
import json
import os
import pty
import struct
import subprocess
import termios
from collections import namedtuple

import rule
import tenant
import ticks

Done = namedtuple("Done", "status output words")

# The commands that take messages apart.
RULEBASE_READERS = ("query", "explain", "replay")


def synctap(*arguments, given=None):
    """Run synctap to its end; `given` is its standard input, if any."""
    command = arguments_of(arguments)
    source = {"stdin": subprocess.DEVNULL} if given is None \
        else {"input": given}
    done = subprocess.run(command, capture_output=True, timeout=60, **source)
    return Done(done.returncode, done.stdout.decode(),
                done.stderr.decode(errors="replace"))


def on_terminal(columns, *arguments, **environment):
    """Give the lines that a terminal of that width gets from synctap."""
    here, there = pty.openpty()
    fcntl.ioctl(there, termios.TIOCSWINSZ,
                struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen(arguments_of(arguments), stdout=there,
                               env=dict(os.environ, **environment))
    os.close(there)
    data = b""
    while piece := _read(here):
        data += piece
    os.close(here)
    process.wait(timeout=60)
    return data.decode().splitlines()


def _read(terminal):
    """Give what comes next; nothing once the other end is closed."""
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""


def arguments_of(arguments):
    """Give the command line of synctap with these arguments."""
    command = [os.environ["SYNCTAP"], *map(str, arguments)]
    return command + _rulebase_of_this_tree(command)


def _rulebase_of_this_tree(command):
    """Name the rulebase: the program looks where it will be installed."""
    directory = os.environ.get("SYNCTAP_RULEBASE_DIR")
    if directory is None or len(command) < 2 \
            or command[1] not in RULEBASE_READERS or "--rulebase" in command:
        return []
    return ["--rulebase", os.path.join(directory, "entra-audit.rulebase")]


def objects(text):
    """Read JSON lines, the keys of each object in the order of the text."""
    return [json.loads(line, object_pairs_hook=_object)
            for line in text.split("\n") if line]


def _object(pairs):
    """Make a dict, refusing a key that stands twice: a dict would hide it."""
    if len(dict(pairs)) != len(pairs):
        raise ValueError(f"a key stands twice in {pairs}")
    return dict(pairs)


def query(now, identities, audits, semantics="kql", statuses=(0,)):
    """Run the query over files and give its rows."""
    roles = [word for path in identities for word in ("--identity", path)]
    done = synctap("query", "--semantics", semantics, "--now",
                   ticks.render(now), "--format", "jsonl", *roles, *audits)
    if done.status not in statuses:
        raise AssertionError(f"exit status {done.status}: {done.words}")
    return objects(done.output)


def written(row):
    """Give an oracle's row as the command line writes it."""
    return dict(row, TimeGenerated=ticks.render(row["TimeGenerated"]))


def allowed_statuses(made):
    """Give the statuses with which the query of a tenant may end.

    An identity row without a readable time is no row; to complain of it
    (status 1) is allowed. So it is of a record's time that is there and not
    understood, and of a target that is there and none.
    """
    odd = any(row["TimeGenerated"] is None for row in made.identities) or any(
        rule.has_unread_time(row) or tenant.hides_targets(row["TargetResources"])
        for row in made.audits)
    return (0, 1) if odd else (0,)


def replay(*arguments, semantics="kql", statuses=(0,), given=None):
    """Replay files and give the alerts in the order in which they fired."""
    done = synctap("replay", "--semantics", semantics, "--format", "jsonl",
                   *arguments, given=given)
    if done.status not in statuses:
        raise AssertionError(f"exit status {done.status}: {done.words}")
    return objects(done.output)
