"""Counts a worker's instructions inside rsyslogd, which no neighbour changes.

rsyslogd runs under valgrind's callgrind with the totals of each thread apart.
Two runs, over few and over many messages, differ by what the messages cost.
"""

import re
import subprocess

from daemon import FROM_FILE, HOLD, Failed, Rsyslogd

MOST_SECONDS = 300
# Threads that have these are no workers of the main queue.
OTHERS = ("imfile.so", "impstats.so")
CALLGRIND = ("valgrind", "--tool=callgrind", "--separate-threads=yes",
             "--callgrind-out-file=counts")


def count_of(pipeline, few, many):
    """Count the instructions that a message takes in the worker.

    few and many: the paths of files and how many messages are in each.
    """
    return (_worker(pipeline, *many) - _worker(pipeline, *few)) \
        / (many[1] - few[1])


def _worker(pipeline, path, count):
    """Count all instructions of the worker of one run."""
    daemon = Rsyslogd(pipeline, FROM_FILE + HOLD, under=CALLGRIND)
    with daemon:
        daemon.hold_and_read(path, count)
        daemon.stop()
        totals = [_total(file) for file in
                  sorted(daemon.work.path.glob("counts-*"))]
    totals = [total for total in totals[1:] if total is not None]
    if not totals:
        raise Failed(f"{pipeline.name}: callgrind has counted no thread")
    return max(totals)


def _total(path):
    """Give a thread's instructions; None of one that is no worker."""
    text = path.read_text(errors="replace")
    found = re.search(r"^(?:totals|summary): (\d+)", text, re.M)
    if found is None or any(name in text for name in OTHERS):
        return None
    return int(found.group(1))


def count_program(command):
    """Count all instructions of a program that runs to its end."""
    done = subprocess.run(
        ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
         *map(str, command)], capture_output=True, text=True, check=True,
        timeout=MOST_SECONDS)
    return int(re.search(r"Collected : (\d+)", done.stderr).group(1))
