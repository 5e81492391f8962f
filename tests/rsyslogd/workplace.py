"""A directory of its own for one daemon, and a user without privileges.

rsyslogd and synctap are never run as root: where the tests run as root, both
are started as nobody, who owns the directory and nothing else.
"""

import functools
import glob
import os
import pathlib
import pwd
import re
import shutil
import subprocess
import tempfile

import deadline

RSYSLOGD = os.environ.get("SYNCTAP_RSYSLOGD") or shutil.which(
    "rsyslogd", path="/usr/sbin:/usr/local/sbin:/sbin:"
                     + os.environ.get("PATH", ""))
MODULE_DIRECTORIES = (os.environ.get("SYNCTAP_RSYSLOG_MODULES", ""),
                      "/usr/lib/*/rsyslog", "/usr/lib/rsyslog",
                      "/usr/lib64/rsyslog", "/usr/local/lib/rsyslog")
USER, GROUP = "nobody", "nogroup"


def credentials():
    """Give the arguments of subprocess that drop root's privileges."""
    if os.geteuid() != 0:
        return {}
    return {"user": USER, "group": GROUP, "extra_groups": []}


@functools.lru_cache(maxsize=None)
def rsyslog_version():
    """Give the daemon's version, as (8, 2302)."""
    said = subprocess.run([RSYSLOGD, "-v"], capture_output=True, text=True,
                          check=True).stdout
    return tuple(map(int, re.match(r"rsyslogd +(\d+)\.(\d+)", said).groups()))


@functools.lru_cache(maxsize=None)
def stage():
    """Give the directory into which synctap was installed for the tests."""
    if "SYNCTAP_STAGE" not in os.environ:
        raise AssertionError("SYNCTAP_STAGE does not name the directory into "
                             "which synctap was installed")
    directory = pathlib.Path(os.environ["SYNCTAP_STAGE"]).resolve()
    _require_access("-x", directory / "bin" / "synctap")
    for path in directory.glob("lib/rsyslog/*.so"):
        _require_access("-r", path)
    for path in directory.glob("share/synctap/*"):
        _require_access("-r", path)
    return directory


def _require_access(how, path):
    """Refuse a file that the unprivileged user cannot reach."""
    if subprocess.run(["test", how, path], **credentials()).returncode != 0:
        raise AssertionError(
            f"{path} is missing or out of reach for the user that runs the "
            "daemon; SYNCTAP_STAGE must name an installed tree that everybody "
            "can read")


def whole_lines(path):
    """Give the lines of a file that is being written, none before it is whole.

    A reader may see the pages that a single write has filled so far.
    """
    if not path.exists():
        return []
    return path.read_text().split("\n")[:-1]


def module_path():
    """Give rsyslogd's search path: its own modules, and synctap's if any."""
    paths = [path for pattern in MODULE_DIRECTORIES
             for path in glob.glob(pattern)
             if os.path.exists(os.path.join(path, "imtcp.so"))][:1]
    if "SYNCTAP_STAGE" in os.environ:
        paths.append(str(stage() / "lib" / "rsyslog"))
    return ":".join(paths)


class Workplace:
    """The directory, and the programs that run in it."""

    def __init__(self):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="synctap-",
                                                  dir="/tmp"))
        self._own(self.path)

    def write(self, name, data):
        """Write a file that the unprivileged user owns; give its path."""
        path = self.path / name
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        self._own(path)
        return path

    def make(self, path):
        """Make a directory that the unprivileged user owns."""
        path.mkdir()
        self._own(path)

    @staticmethod
    def _own(path):
        if os.geteuid() == 0:
            user = pwd.getpwnam(USER)
            os.chown(path, user.pw_uid, user.pw_gid)

    def start(self, *command, environment):
        """Start a program in the background; its words go into a file.

        environment: what it has beside the test's own.
        """
        with open(self.path / "words", "ab") as words:
            return subprocess.Popen(
                list(map(str, command)), cwd=self.path,
                stdin=subprocess.DEVNULL, stdout=words, stderr=words,
                env={**os.environ, **environment},
                **credentials())

    def words(self):
        """Read what the programs in the background said."""
        path = self.path / "words"
        return path.read_text(errors="replace") if path.exists() else ""

    def run(self, *command):
        """Run a program to its end; give its status, output and words."""
        done = subprocess.run(
            list(map(str, command)), cwd=self.path, capture_output=True,
            stdin=subprocess.DEVNULL, timeout=deadline.SECONDS,
            **credentials())
        return (done.returncode, done.stdout.decode(errors="replace"),
                done.stderr.decode(errors="replace"))

    def remove(self):
        """Remove the directory and all that is in it."""
        shutil.rmtree(self.path, ignore_errors=True)
