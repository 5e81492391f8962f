"""A headless Chromium, driven over a pipe by its DevTools protocol.

Nothing of it reaches a network: its proxy is a port on which nobody listens.
"""

import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
PATIENCE = 60  # seconds, for what takes one or two
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
         "--disable-background-networking", "--disable-component-update",
         "--disable-sync", "--disable-default-apps", "--hide-scrollbars",
         "--disable-dev-shm-usage", "--force-color-profile=srgb",
         "--proxy-server=127.0.0.1:9", "--remote-debugging-pipe")


def program():
    """Give the browser's path, or None."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


class Browser:
    """One browser with one page; to be used in a with statement."""

    def __enter__(self):
        self.profile = tempfile.TemporaryDirectory(
            prefix="synctap-page-", ignore_cleanup_errors=True)
        to_child, self.to = os.pipe()
        self.source, from_child = os.pipe()
        self.process = subprocess.Popen(
            [program(), *FLAGS, f"--user-data-dir={self.profile.name}",
             "about:blank"], pass_fds=(3, 4),
            preexec_fn=lambda: _put_pipes(to_child, from_child),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, env=dict(
                os.environ, HOME=self.profile.name))
        os.close(to_child)
        os.close(from_child)
        self.left, self.number, self.session = b"", 0, None
        self.events = []
        target = self.call("Target.createTarget", url="about:blank")
        self.session = self.call("Target.attachToTarget", flatten=True,
                                 targetId=target["targetId"])["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime"):
            self.call(f"{domain}.enable")
        return self

    def __exit__(self, *what):
        self.process.kill()
        self.process.wait()
        os.close(self.to)
        os.close(self.source)
        self.profile.cleanup()

    def call(self, method, **parameters):
        """Send a command; give its result. Events meanwhile are kept."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session is not None:
            message["sessionId"] = self.session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise AssertionError(f"{method}: {answer['error']}")
                return answer["result"]

    def _read(self):
        """Give the next message; those without an id are kept as events."""
        until = time.monotonic() + PATIENCE
        while b"\0" not in self.left:
            ready, _, _ = select.select([self.source], [], [],
                                        max(0, until - time.monotonic()))
            piece = os.read(self.source, 1 << 20) if ready else b""
            if not piece:
                raise AssertionError("the browser says nothing")
            self.left += piece
        message, self.left = self.left.split(b"\0", 1)
        message = json.loads(message)
        if "id" not in message:
            self.events.append(message)
        return message

    def open(self, path, width=1100, height=1000, dark=False, media=""):
        """Load a file, to the end; what happens meanwhile is in events."""
        self.call("Emulation.setDeviceMetricsOverride", width=width,
                  height=height, deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setEmulatedMedia", media=media, features=[
            {"name": "prefers-color-scheme",
             "value": "dark" if dark else "light"}])
        self.events.clear()
        self.call("Page.navigate", url=path.as_uri())
        while not self.happened("Page.loadEventFired"):
            self._read()

    def happened(self, method):
        """Give what came with each event of that name since the opening."""
        return [event["params"] for event in self.events
                if event["method"] == method]

    def requests(self):
        """Give the addresses that the page asked for."""
        self.evaluate("1")  # all of what it did before that has come
        return [event["request"]["url"] for event in
                self.happened("Network.requestWillBeSent")]

    def evaluate(self, expression):
        """Give the value of an expression in the page."""
        result = self.call("Runtime.evaluate", expression=expression,
                           returnByValue=True)
        if "exceptionDetails" in result:
            raise AssertionError(result["exceptionDetails"])
        return result["result"].get("value")

    def screenshot(self, path):
        """Write the whole page as a picture."""
        data = self.call("Page.captureScreenshot", format="png",
                         captureBeyondViewport=True)["data"]
        path.write_bytes(base64.b64decode(data))

    def print_to_pdf(self):
        """Give the page as it is printed."""
        return base64.b64decode(self.call("Page.printToPDF")["data"])


def _put_pipes(commands, answers):
    """Put the pipes where the browser looks for them: 3 and 4."""
    spare = os.dup(answers)
    os.dup2(commands, 3)
    os.dup2(spare, 4)
