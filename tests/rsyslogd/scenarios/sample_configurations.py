# SPDX-License-Identifier: Apache-2.0
"""The samples in contrib/rsyslog.d pass the check, wherever they stand.

Alone, behind what synctap-host.conf gives; and dropped in behind the whole
rsyslog.conf of a collector that has global(), imtcp, impstats and inputs of
its own. A clean check says nothing.
"""

import unittest

import certificates
import samples
from workplace import RSYSLOGD, Workplace, module_path

FULL = """global(workDirectory="@WORK@" maxMessageSize="4m"
       abortOnUncleanConfig="on" net.enableDNS="off")
module(load="imuxsock" sysSock.use="off")
module(load="imtcp" maxSessions="500")
module(load="imudp")
module(load="imfile" mode="inotify")
module(load="impstats" interval="30" format="cee" log.syslog="off"
       log.file="@WORK@/impstats.log")
template(name="plain" type="string" string="%rawmsg%\\n")
ruleset(name="network" queue.type="LinkedList") {
    action(type="omfile" file="@WORK@/network.log")
}
input(type="imtcp" port="514" ruleset="network")
input(type="imudp" port="514" ruleset="network")
input(type="imfile" file="@WORK@/app.log" tag="app")
include(file="@WORK@/rsyslog.d/*.conf")
*.info action(type="omfile" file="@WORK@/syslog")
"""
ALONE = """include(file="@WORK@/rsyslog.d/*.conf")
action(type="omfile" file="@WORK@/all.log")
"""
# Newer versions advise against plain TCP, against crash-safe.conf's queues, and
# against what older ones need for Elasticsearch; which they ask what it is.
USUAL = ("config validation run", "End of config validation",
         "(plain TCP without TLS)", "has no dedicated non-direct queue",
         "parameter 'searchType' is deprecated", "platform detection request",
         "unable to detect target platform")
HOST, CORE = "synctap-host.conf", "synctap.conf"
WHOLE = ("crash-safe.conf",)  # stands in the place of the core and an input


class SampleConfigurations(unittest.TestCase):
    """rsyslogd -N1 over each sample and what it stands behind."""

    def test_alone(self):
        for name in self._inputs_and_whole():
            with self.subTest(sample=name):
                self._passes(ALONE, {"00.conf": samples.placed(HOST),
                                     **self._files(name)})

    def test_behind_a_full_configuration(self):
        for name in self._inputs_and_whole():
            with self.subTest(sample=name):
                self._passes(FULL, dict(
                    self._files(name), **{"tested.conf": self._without_loaded(name)}))

    def test_all_together(self):
        inputs = {name.replace("/", "-"): samples.without_module(
            self._without_loaded(name), "imkafka")
                  for name in samples.names() if name.startswith("in/")}
        loaded = "".join(f'module(load="{module}")\n'
                         for module in ("imtcp", "imfile", "imkafka"))
        self._passes(loaded + ALONE,
                     {HOST: samples.placed(HOST), **inputs,
                      "z.conf": samples.placed(CORE)})

    def test_what_synctap_host_says_is_refused_behind_the_same(self):
        """The check of these tests sees what it should see."""
        status, words = self._check(FULL, {HOST: samples.placed(HOST)})
        self.assertNotEqual(0, status)
        self.assertIn("specified more than once", words)

    @staticmethod
    def _inputs_and_whole():
        return [CORE, *(name for name in samples.names()
                        if name not in (HOST, CORE))]

    @staticmethod
    def _files(name):
        """Give a sample and what it stands behind, by the names there."""
        files = {"tested.conf": samples.placed(name)}
        if name not in (CORE, *WHOLE):
            files["core.conf"] = samples.placed(CORE)
        return files

    @staticmethod
    def _without_loaded(name):
        """Give a sample as it is where FULL has loaded its input module."""
        text = samples.placed(name)
        for module in ("imtcp", "imfile"):
            text = samples.without_module(text, module)
        return text

    def _passes(self, main, files):
        status, words = self._check(main, files)
        self.assertEqual(0, status, words)
        said = [line for line in words.splitlines()
                if not any(usual in line for usual in USUAL)]
        self.assertEqual([], said)

    @staticmethod
    def _check(main, files):
        work = Workplace()
        try:
            certificates.make(work)
            (work.path / "rsyslog.d").mkdir()
            for name, text in files.items():
                work.write(f"rsyslog.d/{name}",
                           text.replace("@WORK@", str(work.path)))
            config = work.write("rsyslog.conf",
                                main.replace("@WORK@", str(work.path)))
            status, output, words = work.run(RSYSLOGD, "-N1", "-f", config,
                                             "-M", module_path())
            return status, output + words
        finally:
            work.remove()
