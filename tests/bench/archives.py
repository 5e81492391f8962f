"""The figures of query and replay, over an archive that lies in memory."""

import os
import pathlib
import shutil
import subprocess
import sys

import data
from daemon import Failed
from figures import Bound, figure
from groups import SEED, CannotRun, group, seconds_of
from workplace import stage

HERE = pathlib.Path(__file__).resolve().parent
WORDS = ("security info", "temporary access pass")
JQ = """select(.operationName | test("Admin registered security info|\
Register security info|Create temporary access pass|\
Issue temporary access pass|User registered security info"; "i"))
| . as $record | .properties.targetResources[]
| select((.userPrincipalName // "") | test("^Sync_|DirSync"; "i"))
| [$record.time, $record.operationName, .userPrincipalName]"""
# memchr over the mapped file, for a byte that is not there; it prints what
# it took of the processor, the pages' coming and going included.
MEMCHR = """import ctypes, mmap, sys, time
libc = ctypes.CDLL(None)
libc.memchr.restype = ctypes.c_void_p
libc.mmap.restype = ctypes.c_void_p
with open(sys.argv[1], "rb") as file:
    size = file.seek(0, 2)
    begin = time.process_time()
    pages = ctypes.c_void_p(libc.mmap(None, ctypes.c_size_t(size), 1, 2,
                                      file.fileno(), ctypes.c_long(0)))
    assert libc.memchr(pages, 1, ctypes.c_size_t(size)) is None
    libc.munmap(pages, ctypes.c_size_t(size))
    print(time.process_time() - begin)
"""
PACKERS = {"gz": ("gzip",), "xz": ("xz", "-1", "-T1"), "zst": ("zstd", "-q")}


def ahead_of_others():
    """Give what puts a command before all others, where that is allowed.

    By the clock two threads are to be measured, and not who else is there.
    """
    prefix = ["chrt", "--fifo", "1"]
    if shutil.which(prefix[0]) is None or subprocess.run(
            [*prefix, "true"], capture_output=True).returncode != 0:
        return []
    return prefix


def processor_seconds_of(command):
    """Make a measure: the processor time that a command takes."""
    def measure():
        child = os.posix_spawnp(command[0], command, os.environ, file_actions=[
            (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)])
        _, status, used = os.wait4(child, 0)
        if status != 0:
            raise Failed(f"{command}: status {status}")
        return used.ru_utime + used.ru_stime
    return measure


def number_printed_by(*command):
    """Make a measure: what a command prints."""
    return lambda: float(subprocess.run(
        command, check=True, capture_output=True).stdout)


def archive(setting, full=1_000_000, quick=100_000):
    """Give an archive that lies in memory, and its size."""
    count = setting.size(full, quick)
    path = setting.file(f"archive-{count}",
                        lambda: data.Records(SEED).archived(count))
    path.read_bytes()
    return path, path.stat().st_size


def query(path, threads=1, command="query"):
    """Give the command of a query or a replay, by so many threads."""
    return [str(stage() / "bin" / "synctap"), command, "--identity",
            "/dev/null", "--threads", str(threads), str(path)]


def grep_and_jq(path, expressions):
    """Make the measure of the two programs behind one another."""
    command = f'grep -iF {expressions} "$1" | jq -c "$2"'
    return seconds_of(["sh", "-c", command, "sh", str(path), JQ],
                      env={**os.environ, "LC_ALL": "C"})


@group("query_against_memchr")
def query_and_memchr(setting):
    """The rule over a file in memory, against reading it mapped."""
    path, size = archive(setting)
    came = setting.interleave({
        "query": processor_seconds_of(query(path)),
        "memchr": number_printed_by(sys.executable, "-c", MEMCHR, path)})
    yield figure("query_against_memchr", came["query"], came["memchr"],
                 "processor s", Bound(at_most=1.5), bytes=size)


@group("query_against_grep_and_jq", "query_two_threads")
def query_archive(setting):
    """The rule over a file that is in memory."""
    path, size = archive(setting)
    grep = " ".join(f"-e '{word}'" for word in WORDS)
    if shutil.which("jq") is None:
        raise CannotRun("jq is not installed")
    first = ahead_of_others()
    came = setting.interleave({
        "one": seconds_of(query(path)),
        "grep": grep_and_jq(path, grep),
        "one, first": seconds_of(first + query(path)),
        "two, first": seconds_of(first + query(path, 2))})
    yield figure("query_against_grep_and_jq", came["one"], came["grep"],
                 "s", Bound(at_least=4), inverse=True, bytes=size)
    yield figure("query_two_threads", came["two, first"], came["one, first"],
                 "s", Bound(at_least=1.5), inverse=True, bytes=size)


@group("query_of_gz", "query_of_xz", "query_of_zst")
def query_packed(setting):
    """The rule over a packed file, against its own unpacking program."""
    path, size = archive(setting, 100_000, 20_000)
    for ending, packer in PACKERS.items():
        packed = path.with_name(f"{path.name}.{ending}")
        if shutil.which(packer[0]) is None:
            raise CannotRun(f"{packer[0]} is not installed")
        if not packed.exists():
            setting.words(f"writing {packed.name}")
            subprocess.run([*packer, "-k", path], check=True)
        came = setting.interleave({
            "query": processor_seconds_of(query(packed)),
            "unpack": processor_seconds_of(
                [packer[0], "-dc", str(packed)])})
        yield figure(f"query_of_{ending}", came["query"], came["unpack"],
                     "processor s", Bound(at_least=0.85), inverse=True,
                     bytes=size)


@group("query_against_rsigma")
def beside_rsigma(setting):
    """The same archive through RSigma's crates and the nearest Sigma rule."""
    program = os.environ.get("RSIGMA_PEER")
    if program is None:
        raise CannotRun("RSIGMA_PEER is not set: see README.md")
    path, size = archive(setting)
    came = setting.interleave({
        "query": processor_seconds_of(query(path)),
        "rsigma": processor_seconds_of(
            [program, str(HERE / "rsigma/rule.yml"), str(path)])})
    found = number_printed_by(program, HERE / "rsigma/rule.yml", path)()
    yield figure("query_against_rsigma", came["query"], came["rsigma"],
                 "processor s", inverse=True, bytes=size,
                 its_matches=int(found))


@group("replay_against_query", "replay_two_threads")
def replay_archive(setting):
    """The stream's behaviour over a file that is in memory."""
    path, size = archive(setting)
    first = ahead_of_others()
    came = setting.interleave({
        "query": processor_seconds_of(query(path)),
        "replay": processor_seconds_of(query(path, 1, "replay")),
        "one": seconds_of(first + query(path, 1, "replay")),
        "two": seconds_of(first + query(path, 2, "replay"))})
    yield figure("replay_against_query", came["replay"], came["query"],
                 "processor s", Bound(at_most=3), bytes=size)
    yield figure("replay_two_threads", came["two"], came["one"], "s",
                 Bound(at_least=1.6), inverse=True, bytes=size)
