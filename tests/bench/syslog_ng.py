"""syslog-ng beside rsyslog: taken out of Debian's packages, never installed.

The two packages exclude each other, so it is unpacked into a directory.
"""

import pathlib
import subprocess

from daemon import Failed, Meter, stop
from pipelines import counts_of_mixed
from workplace import Workplace

PACKAGES = ("syslog-ng-core", "libivykis0", "libnet1", "libpcre3", "libwrap0",
            "libjson-c5")

CONFIGURATION = """@version: 3.35
options {{ stats-freq(0); }};
source incoming {{
  file("{path}" flags(no-parse) follow-freq(1) log-fetch-limit(1000));
}};
destination found {{ file("{found}"); }};
{rule}
"""
BARE = """
filter none { facility(local7) and level(emerg); };
log { source(incoming); filter(none); destination(found); };
"""
RULE = """
parser tree { json-parser(prefix(".record.")); };
filter operation {
  match("Admin registered security info|Register security info|\
Create temporary access pass|Issue temporary access pass|\
User registered security info"
    value(".record.operationName") type(pcre) flags(ignore-case)); };
filter target {
  match('"userPrincipalName":"(Sync_|[^"]*DirSync)'
    value(".record.properties.targetResources")
    type(pcre) flags(ignore-case)); };
log { source(incoming); parser(tree); filter(operation); filter(target);
  destination(found); };
"""


class SyslogNg:
    """The program, unpacked."""

    def __init__(self, directory):
        self._tree = pathlib.Path(directory) / "syslog-ng"
        if not self._program().exists():
            self._unpack()
        self._modules = next(self._tree.glob("usr/lib/syslog-ng/*.*"))
        self._libraries = [*self._tree.glob("usr/lib/*-linux-gnu*"),
                           *self._tree.glob("lib/*-linux-gnu*"),
                           self._tree / "usr/lib/syslog-ng"]
        self._arguments = self._find_arguments()

    def _program(self):
        return self._tree / "usr/sbin/syslog-ng"

    def _unpack(self):
        """Get the packages by apt and take them apart."""
        self._tree.mkdir(parents=True, exist_ok=True)
        try:
            subprocess.run(["apt-get", "download", *PACKAGES], check=True,
                           cwd=self._tree, capture_output=True, timeout=120)
            for package in self._tree.glob("*.deb"):
                subprocess.run(["dpkg", "-x", package, self._tree], check=True,
                               timeout=120)
        except (OSError, subprocess.SubprocessError):
            raise Failed("Debian's syslog-ng-core cannot be had by "
                         "apt-get download") from None

    def _find_arguments(self):
        libraries = ":".join(map(str, self._libraries))
        return ["env", f"LD_LIBRARY_PATH={libraries}", self._program(), "-F",
                f"--module-path={self._modules}"]

    def measure(self, path, count, rule):
        """Make a measure: nanoseconds of all threads for each message."""
        return lambda: self._cost_of(path, count, rule) / count

    def _cost_of(self, path, count, rule):
        work = Workplace()
        found = work.path / "found"
        config = work.write("syslog-ng.conf", CONFIGURATION.format(
            path=path, found=found, rule=rule))
        process = work.start(
            *self._arguments, "-f", config,
            f"--persist-file={work.path}/persist",
            f"--control={work.path}/control", f"--pidfile={work.path}/pid",
            "--no-caps", environment={})
        try:
            cost = Meter(process, lambda: True, watched=("",)).wait()
            lines = found.read_bytes().count(b"\n") if found.exists() else 0
        except Failed as failure:
            raise Failed(f"syslog-ng {failure}: {work.words()}") from None
        finally:
            stop(process)
            work.remove()
        if lines != (counts_of_mixed(count)[1] if rule == RULE else 0):
            raise Failed(f"syslog-ng found {lines}")
        return sum(cost.threads.values())
