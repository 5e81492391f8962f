"""Writes the figures of a run as a page that people read: doc/cost.md."""

import datetime
import os
import pathlib
import platform
import re

HEAD = """# What it costs

`tests/bench/run --page doc/cost.md` made this page on {date}, on
{processors} x {processor}, {memory} GB, {system}, kernel {kernel}.
`tests/bench/README.md` says what each figure shows and how it is measured. *Ours* is synctap's,
*theirs* the peer's; the ratio is the median of {turns} turns, with the least and the greatest.
Instructions hardly change from machine to machine. Seconds do: trust their ratios.

| figure | ours | theirs | unit | ratio | least to greatest | must be | holds |
|---|---|---|---|---|---|---|---|
"""


def _processor():
    found = re.search(r"^model name\s*: (.*)$",
                      pathlib.Path("/proc/cpuinfo").read_text(), re.M)
    return found.group(1).strip() if found else platform.machine()


def _memory():
    total = re.search(r"MemTotal:\s*(\d+) kB",
                      pathlib.Path("/proc/meminfo").read_text())
    return round(int(total.group(1)) / 1024 ** 2)


def _system():
    return platform.freedesktop_os_release().get("PRETTY_NAME", "Linux")


def _bound(made):
    """Say what the ratio must be."""
    said = [f"{made[name]} or {word}" for name, word in
            (("at_least", "more"), ("at_most", "less")) if name in made]
    if len(said) == 2:
        return f"{made['at_least']} to {made['at_most']}"
    return said[0] if said else ""


def _holds(made):
    """Say whether it is."""
    return {True: "yes", False: "**no**", None: ""}.get(
        made.get("holds"), made.get("holds"))


def _number(value):
    """Write a number as people read it."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:g}"


def _row(made):
    """Write one figure."""
    if "p50_ms" in made:
        return (f"| `{made['figure']}` | p50 {_number(made['p50_ms'])}, p99 "
                f"{_number(made['p99_ms'])}, worst "
                f"{_number(made['worst_ms'])} | | ms | | | | |\n")
    if "cannot_run" in made:
        return f"| `{made['figure']}` | cannot run here: " \
               f"{made['cannot_run']} | | | | | | |\n"
    return (f"| `{made['figure']}` | {_number(made['ours'])} | "
            f"{_number(made['theirs'])} | {made['unit']} | "
            f"**{_number(made['ratio'])}** | {_number(made['min'])} to "
            f"{_number(made['max'])} | {_bound(made)} | {_holds(made)} |\n")


def write(path, figures, turns):
    """Write the page of these figures."""
    head = HEAD.format(
        date=datetime.date.today().isoformat(), processors=os.cpu_count(),
        processor=_processor(), memory=_memory(), system=_system(),
        kernel=platform.release(), turns=turns)
    pathlib.Path(path).write_text(head + "".join(map(_row, figures)))
