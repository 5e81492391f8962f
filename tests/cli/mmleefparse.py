# SPDX-License-Identifier: Apache-2.0
"""A reader of LEEF that others wrote: rsyslog's mmleefparse.

Debian 14 is the first to have it, so rsyslogd runs in a root file system of
that: one that is given, or that mmdebstrap makes and that goes at the end.
"""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile

import dialects

SECONDS = 120  # then rsyslogd ends in any case
CONFIGURATION = """
global(workDirectory="{work}" maxMessageSize="4m"
       parser.escapeControlCharactersOnReceive="off")
module(load="imfile")
module(load="mmleefparse")
template(name="read" type="string" string="%$!leef%\\n")
input(type="imfile" file="{work}/lines" tag="leef" ruleset="read"
      freshStartTail="off")
ruleset(name="read") {{
    action(type="mmleefparse" container="!leef" delimiter="\\t")
    action(type="omfile" file="{work}/read" template="read" flushOnTXEnd="on")
    action(type="ompipe" pipe="{work}/ends" template="RSYSLOG_DebugFormat"
           action.execOnlyEveryNthTime="{lines}")
}}
"""


def missing(root):
    """Tell what it would need and is not here; empty when all is."""
    if os.geteuid() != 0:
        return "not root, who may chroot"
    return "" if root or shutil.which("mmdebstrap") else "no mmdebstrap"


def read(root, lines):
    """Give what rsyslogd in that root, or in a new one, makes of each line."""
    if root is not None:
        return read_in(pathlib.Path(root).resolve(), lines)
    with tempfile.TemporaryDirectory() as made:
        new = pathlib.Path(made) / "root"
        subprocess.run(["mmdebstrap", "--quiet", "--variant=apt",
                        '--aptopt=Acquire::Check-Valid-Until "false"',
                        "--include=rsyslog", "forky", new], check=True)
        return read_in(new, lines)


def read_in(root, lines):
    """Give what rsyslogd in that root makes of each line."""
    work = pathlib.Path(tempfile.mkdtemp(dir=root / "tmp"))
    inside = "/" + str(work.relative_to(root))
    (work / "lines").write_text("".join(f"{line}\n" for line in lines))
    (work / "conf").write_text(CONFIGURATION.format(work=inside,
                                                    lines=len(lines)))
    os.mkfifo(work / "ends")
    daemon = subprocess.Popen(["timeout", str(SECONDS), "chroot", root,
                               "rsyslogd", "-n", "-f", f"{inside}/conf",
                               "-i", f"{inside}/pid"])
    try:
        with open(work / "ends", "rb") as ends:
            ends.read(1)  # the last line has come
        daemon.terminate()
        daemon.wait()
        return [json.loads(line, strict=False) for line in
                (work / "read").read_text().split("\n")[:-1]]
    finally:
        daemon.terminate()
        daemon.wait()
        shutil.rmtree(work)


def expected(line):
    """Give what our own reader makes of it, in mmleefparse's words."""
    header, pairs = dialects.read_leef(line)
    names = ("protocolVersion", "vendor", "product", "productVersion",
             "eventID")
    return {"header": dict(zip(names, [header[0].split(":")[1],
                                       *header[1:]])),
            "fields": dict(pairs)}
