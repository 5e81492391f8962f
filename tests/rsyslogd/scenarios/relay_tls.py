# SPDX-License-Identifier: Apache-2.0
"""Records come from another collector by mutual TLS, as the samples have it.

in/relay-tls.conf and in/relay-relp.conf run as they are, on both sides: the
sender is what the samples show in their comments. A sender with another
certificate, with none, or without TLS is turned away, and what it sent is
not judged.
"""

import contextlib
import glob
import os
import re
import socket
import ssl
import unittest

import certificates
import samples
from harness import Daemon, listen
from records import HEADER, ids, target, text

LIBRARIES = ("gtls", "ossl")
TLS_OF_AN_INPUT = unittest.skipUnless(
    samples.inputs_take_tls(), "inputs of imtcp have no TLS of their own here")
SYNC = target("Sync_a@nordwind.example")


def installed(module):
    """Tell whether rsyslogd's module is here."""
    return any(glob.glob(f"{place}/{module}.so") for place in (
        "/usr/lib/*/rsyslog", "/usr/lib/rsyslog", "/usr/lib64/rsyslog",
        os.environ.get("SYNCTAP_RSYSLOG_MODULES", "")))


def collector(name, *changes):
    """Make the collector of a sample, its certificates beside it."""
    daemon = samples.collector(name, *changes)
    certificates.make(daemon.work)
    return daemon


def sender(name, beside, port, *changes):
    """Make the sender that a sample shows, with the relay's certificate."""
    action = samples.commented(name)
    for old, new in ((r'target="[^"]*"', 'target="127.0.0.1"'),
                     (r' port="\d+"', f' port="{port}"'),
                     ("@WORK@/cert.pem", str(beside / "relay.pem")),
                     ("@WORK@/key.pem", str(beside / "relay-key.pem")),
                     ("@WORK@/ca.pem", str(beside / "ca.pem")), *changes):
        action = re.sub(old, new, action)
    before = "".join(re.findall(r"(?m)^(?:module|template).*\n", action))
    action = action.replace(before, "")
    return Daemon(own=f"""{samples.HOST}module(load="imtcp")
{before}ruleset(name="incoming") {{ {action} }}
{listen("incoming")}""")


def listening_port(daemon):
    """Find the port of a daemon that listens on one, in the kernel's list."""
    inodes = {int(link[8:-1]) for link in map(
        os.readlink, glob.glob(f"/proc/{daemon.pid}/fd/*"))
              if link.startswith("socket:[")}
    for table in ("tcp", "tcp6"):
        with open(f"/proc/{daemon.pid}/net/{table}", encoding="ascii") as file:
            for line in list(file)[1:]:
                fields = line.split()
                if fields[3] == "0A" and int(fields[9]) in inodes:
                    return int(fields[1].rsplit(":", 1)[1], 16)
    raise AssertionError("the daemon listens on no port")


class RelayTls(unittest.TestCase):
    """One collector and one sender each."""

    @TLS_OF_AN_INPUT
    def test_by_tcp_between_all_pairs_of_libraries(self):
        for here in LIBRARIES:
            for there in LIBRARIES:
                if not (installed(f"lmnsd_{here}")
                        and installed(f"lmnsd_{there}")):
                    self.skipTest("rsyslog-openssl or rsyslog-gnutls is not "
                                  "installed")
                with self.subTest(collector=here, sender=there):
                    self._relayed("in/relay-tls.conf",
                                  [(r'\.name="gtls"', f'.name="{here}"')],
                                  [('streamDriver="gtls"',
                                    f'streamDriver="{there}"')])

    def test_by_relp(self):
        if not installed("imrelp"):
            self.skipTest("rsyslog-relp is not installed")
        self._relayed("in/relay-relp.conf", [(r'port="20514"', 'port="0"')],
                      [])

    def _relayed(self, name, here, there):
        with collector(name, *here) as receives:
            port = listening_port(receives)
            with sender(name, receives.work.path, port, *there) as sends:
                sends.send([text("by TLS", SYNC), HEADER + text("b", SYNC)])
                self.assertEqual(
                    [("by TLS", "exact"), ("b", "exact")],
                    [(alert.json()["record_id"], alert.json()["confidence"])
                     for alert in receives.alerts(2)])

    def test_another_certificate_is_turned_away_by_relp(self):
        if not installed("imrelp"):
            self.skipTest("rsyslog-relp is not installed")
        name = "in/relay-relp.conf"
        with collector(name, (r'port="20514"', 'port="0"')) as receives:
            port, here = listening_port(receives), receives.work.path
            with sender(name, here, port, ("relay(?=[-.])", "stranger"),
                        ("stranger(?=.example)", "relay")) as sends:
                sends.send([text("from stranger", SYNC)])
                receives.wait_until(
                    lambda: receives.said("imrelp", "stranger.example.com"),
                    "the log to name the stranger")
                sends.kill()
            with sender(name, here, port) as sends:
                sends.send([text("from relay", SYNC)])
                self.assertEqual(["from relay"], ids(receives.alerts(1)))

    @TLS_OF_AN_INPUT
    def test_another_certificate_is_turned_away(self):
        if not installed("lmnsd_gtls"):
            self.skipTest("rsyslog-gnutls is not installed")
        for name in ("stranger", "none", "no TLS"):
            with self.subTest(certificate=name):
                with collector("in/relay-tls.conf") as receives:
                    self._knock(receives, name)
                    self._knock(receives, "relay")
                    alert, = receives.alerts(1)
                    self.assertEqual(["from relay"], ids([alert]))

    @staticmethod
    def _knock(receives, name):
        """Send a record with that certificate."""
        here = receives.work.path
        context = ssl.create_default_context(cafile=here / "ca.pem")
        if name in ("stranger", "relay"):
            context.load_cert_chain(here / f"{name}.pem",
                                    here / f"{name}-key.pem")
        record = text(f"from {name}", SYNC).encode() + b"\n"
        port = listening_port(receives)
        with contextlib.ExitStack() as stack:
            plain = stack.enter_context(
                socket.create_connection(("127.0.0.1", port), 60))
            if name == "no TLS":
                plain.sendall(record)
                with contextlib.suppress(OSError):
                    plain.recv(1)
                return
            stack.enter_context(contextlib.suppress(ssl.SSLError, OSError)
                                if name != "relay"
                                else contextlib.nullcontext())
            tls = stack.enter_context(context.wrap_socket(
                plain, server_hostname="collector.example.com"))
            tls.sendall(record)
            if name != "relay":
                tls.recv(1)  # until it is closed


if __name__ == "__main__":
    unittest.main()
