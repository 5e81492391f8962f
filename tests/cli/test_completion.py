# SPDX-License-Identifier: Apache-2.0
"""What the shells offer is what synctap takes.

The completions ask the program; so each option of a command is offered, each
word that is offered is taken, and none is offered to a command without it.
"""

import os
import pathlib
import re
import shutil
import subprocess
import unittest

from command import synctap

TOP = pathlib.Path(__file__).resolve().parents[2]
COMPLETION = TOP / "contrib" / "completion"
BASH = f"""
PATH=$1:$PATH; shift
source '{COMPLETION}/synctap.bash'
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_synctap
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
ZSH = f"""
PATH=$1:$PATH; shift
compadd() {{ [ "$1" != -- ] || shift; print -l -- "$@" }}
_files() {{ print FILES }}
words=("$@") CURRENT=$# PREFIX=$words[-1]
complete_it() {{ source '{COMPLETION}/_synctap' }}
complete_it
"""
COMMANDS = synctap("--list-commands").output.split()
OWN_READER = {"rule"}  # reads its command line by itself


def bash(*words):
    """Give what bash offers behind these words."""
    return _offered(["bash", "-c", BASH], words)


def zsh(*words):
    """Give what zsh offers; it does not choose by the word's beginning."""
    return [offer for offer in _offered(["zsh", "-fc", ZSH], words)
            if offer.startswith(words[-1]) or offer == "FILES"]


def _offered(shell, words):
    program = pathlib.Path(os.environ["SYNCTAP"]).parent
    done = subprocess.run([*shell, "completion", program, *words],
                          capture_output=True, timeout=60, check=True,
                          stdin=subprocess.DEVNULL)
    return done.stdout.decode().split()


def options_of(command):
    """Give a command's options, each with what its value may be."""
    return dict((line + "=").split("=")[:2] for line in
                synctap(command, "--list-options").output.splitlines())


class Completion(unittest.TestCase):
    """Both shells, by the same questions."""

    def shells(self):
        """Give the shells that are here."""
        yield bash
        if shutil.which("zsh"):
            yield zsh

    def test_every_command_is_offered(self):
        self.assertIn("query", COMMANDS)
        for shell in self.shells():
            with self.subTest(shell=shell.__name__):
                self.assertEqual(COMMANDS + ["--help", "--version"],
                                 shell("synctap", ""))
                self.assertEqual(["identity", "incident"],
                                 sorted(shell("synctap", "i")))

    def test_options_are_those_that_help_names(self):
        for command in set(COMMANDS) - OWN_READER:
            offered = set(options_of(command))
            named = set(re.findall(r"--[a-z][a-z-]+",
                                   synctap(command, "--help").output))
            with self.subTest(command=command):
                self.assertEqual(set(), named - offered)
                self.assertIn("--help", offered)

    def test_an_option_is_offered_to_its_command_alone(self):
        for shell in self.shells():
            with self.subTest(shell=shell.__name__):
                self.assertEqual(["--lookback"],
                                 shell("synctap", "query", "--lookb"))
                self.assertEqual(["--fail-on-match"], shell(
                    "synctap", "query", "a.json", "--fail"))
                self.assertEqual([], shell("synctap", "identity", "--lat"))
                self.assertEqual(["--latejoin"],
                                 shell("synctap", "replay", "--lat"))

    def test_files_are_offered_where_a_value_may_be_one(self):
        for command, option in (("query", "--rule"), ("query", "--identity"),
                                ("selftest", "--rule"), ("selftest", "--wait"),
                                ("selftest", "--send"),
                                ("status", "--rsyslogd")):
            self.assertEqual("FILE", options_of(command)[option])

    def test_values_are_offered_and_taken(self):
        for shell in self.shells():
            with self.subTest(shell=shell.__name__):
                self.assertEqual(["kql", "wide"], shell(
                    "synctap", "query", "--semantics", ""))
                self.assertEqual(["AnyAlert", "AllEntities", "Selected"],
                                 shell("synctap", "replay",
                                       "--incident-matching", ""))
        for command in set(COMMANDS) - OWN_READER:
            for option, values in options_of(command).items():
                for value in set(values.split()) - {"FILE"}:
                    with self.subTest(command=command, value=value):
                        self.assertEqual(0, synctap(
                            command, option, value, "--help").status)

    def test_formats_are_those_of_the_command(self):
        self.assertIn("html", bash("synctap", "incident", "--format", "h"))
        self.assertNotIn("html", bash("synctap", "query", "--format", "h"))
        self.assertEqual(["table"],
                         bash("synctap", "query", "--format", "ta"))

    def test_what_identity_and_incident_do_is_offered_and_taken(self):
        for shell in self.shells():
            for command in ("identity", "incident"):
                for word in shell("synctap", command, ""):
                    with self.subTest(shell=shell.__name__, word=word):
                        self.assertEqual(0, synctap(command, word,
                                                    "--help").status)
            self.assertEqual(["import"], shell("synctap", "identity", "im"))

    def test_a_file_is_left_to_the_shell(self):
        self.assertEqual([], bash("synctap", "query", "--identity", ""))
        self.assertEqual([], bash("synctap", "query", ""))
        if shutil.which("zsh"):
            self.assertEqual(["FILES"], zsh("synctap", "query", "--identity",
                                            ""))


if __name__ == "__main__":
    unittest.main()
