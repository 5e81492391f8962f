# SPDX-License-Identifier: Apache-2.0
"""Makes the outputs in doc/samples from the inputs there.

    SYNCTAP=build/synctap python3 tests/cli/doc_samples.py doc/samples

"make samples" does that. test_doc_samples.py sees that they are current.
"""

import json
import os
import pathlib
import re
import socket
import sys

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "oracle")]

from command import synctap  # noqa: E402

SAMPLES = HERE.parents[1] / "doc" / "samples"
HOST = "collector.example.com"
NOW = "2026-06-01T13:00:00Z"
AUDIT = ("event-hub.json", "graph.json", "log-analytics.jsonl",
         "elastic.json")
DIALECTS = {"securityalert": "json", "ecs": "json", "ocsf": "json",
            "hec": "json", "cef": "txt", "leef": "txt"}


def outputs():
    """Give what each output should hold, by its name."""
    query = ("query", "--now", NOW, "--identity", "identity-info.jsonl",
             *AUDIT)
    made = {"query.txt": _run(*query, "--format", "table"),
            "query.jsonl": _run(*query, "--format", "jsonl"),
            "explain.txt": _run("explain", "--format", "table", "--now", NOW,
                                "--identity", "identity-info.jsonl",
                                "event-hub.json"),
            "alert.json": _pretty(_replay("jsonl"))}
    for dialect, kind in DIALECTS.items():
        text = _replay(dialect)
        made[f"alert-{dialect}.{kind}"] = (
            _pretty(text) if kind == "json" else _of_any_host(text))
    return made


def _replay(dialect):
    return _run("replay", "--now", NOW, "--format", dialect,
                "identity-info.jsonl", "event-hub.json")


def _run(*words):
    done = synctap(*(str(SAMPLES / word) if (SAMPLES / word).is_file()
                     else word for word in words))
    if done.status != 0:
        raise AssertionError(f"{words}: {done.words}")
    return done.output.replace(f"{SAMPLES}/", "")


def _pretty(text):
    """Write a JSON object for people, and no host's own name."""
    return json.dumps(_without_host(json.loads(text)), indent=2,
                      ensure_ascii=False) + "\n"


def _without_host(value):
    if isinstance(value, dict):
        return {key: _without_host(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_without_host(one) for one in value]
    return HOST if value == socket.gethostname() else value


def _of_any_host(text):
    return re.sub(rf"(?<==){re.escape(socket.gethostname())}(?=\s|$)", HOST,
                  text)


def write(directory):
    """Write all of them."""
    for name, text in outputs().items():
        (pathlib.Path(directory) / name).write_text(text)


if __name__ == "__main__":
    os.environ["SYNCTAP"] = str(pathlib.Path(os.environ["SYNCTAP"]).resolve())
    write(sys.argv[1])
