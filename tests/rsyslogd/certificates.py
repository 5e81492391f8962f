# SPDX-License-Identifier: Apache-2.0
"""Certificates for one test: an authority, a collector and its senders."""

import subprocess

NAMES = {"cert": "collector.example.com", "relay": "relay.example.com",
         "stranger": "stranger.example.com"}


def make(work):
    """Write ca.pem, and for each name NAME.pem with its key.

    The collector's are cert.pem and key.pem, as the samples call them.
    """
    for name in ("ca", *NAMES):
        _openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout",
                 "-out", _key(work, name))
    _openssl("req", "-x509", "-new", "-key", _key(work, "ca"), "-days", "2",
             "-subj", "/CN=Authority of the tests",
             "-addext", "keyUsage=critical,keyCertSign,cRLSign",
             "-out", work.path / "ca.pem")
    for name, host in NAMES.items():
        _sign(work, name, host)
    for path in work.path.glob("*.pem"):
        work.write(path.name, path.read_bytes())


def _key(work, name):
    return work.path / ("key.pem" if name == "cert" else f"{name}-key.pem")


def _sign(work, name, host):
    request = work.path / f"{name}.csr"
    extensions = work.path / "extensions"
    extensions.write_text(f"subjectAltName=DNS:{host},IP:127.0.0.1\n"
                          "extendedKeyUsage=serverAuth,clientAuth\n")
    _openssl("req", "-new", "-key", _key(work, name), "-subj", f"/CN={host}",
             "-out", request)
    _openssl("x509", "-req", "-in", request, "-CA", work.path / "ca.pem",
             "-CAkey", _key(work, "ca"), "-CAcreateserial", "-days", "2",
             "-extfile", extensions, "-out", work.path / f"{name}.pem")


def _openssl(*arguments):
    done = subprocess.run(["openssl", *map(str, arguments)],
                          capture_output=True, timeout=60, check=False)
    if done.returncode != 0:
        raise AssertionError(f"openssl {arguments[0]}: "
                             f"{done.stderr.decode(errors='replace')}")
