"""Receives what a daemon sends out, and sees it end.

The daemon forwards each kind of message to a socket of its own, framed by
octet counts. One thread reads them all, so the daemon never has to wait for
the test; the test waits for a condition over what has come.

After the end of the daemon every connection is read to its last byte, so
what has not come by then was never sent: that is how a test knows that there
was nothing else, without giving it time to show up.

Several daemons may follow one another; the ports stay and the messages add
up. One that is killed may leave half a message behind: nobody has it then.
"""

import json
import os
import selectors
import socket
import threading

import deadline


class Message:
    """A message as the daemon saw it when it forwarded it."""

    def __init__(self, fields):
        self.tree = fields["tree"]
        self.text = fields["text"]
        self.hostname = fields["hostname"]
        self.tag = fields["tag"]
        self.program = fields["program"]
        self.facility = fields["facility"]
        self.severity = fields["severity"]
        self.generated = fields["generated"]

    @property
    def raw(self):
        """The message's text byte for byte, whether it is UTF-8 or not."""
        return self.text.encode("utf-8", "surrogateescape")

    def json(self):
        """Read the message's text as JSON."""
        return json.loads(self.text)

    def __repr__(self):
        return f"Message({self.text[:2000]!r}, tree={self.tree!r})"


def template(name, text):
    """Write the template whose output Message reads.

    text: the property that is forwarded as the message's text. It is one
    alone, because a forwarded message may be no longer than a received one.
    """
    fields = "".join(
        f'  constant(value=",\\"{field}\\":\\"") '
        f'property(name="{source}" format="json"{more}) '
        'constant(value="\\"")\n' for field, source, more in (
            ("text", text, ""), ("hostname", "hostname", ""),
            ("tag", "syslogtag", ""), ("program", "programname", ""),
            ("facility", "syslogfacility-text", ""),
            ("severity", "syslogseverity-text", ""),
            ("generated", "timegenerated", ' dateFormat="rfc3339"')))
    return f"""template(name="{name}" type="list") {{
  constant(value="{{\\"tree\\":") property(name="$!all-json")
{fields}  constant(value="}}")
}}
"""


class Collector(threading.Thread):
    """Listens on one port for each channel."""

    def __init__(self, channels):
        super().__init__(daemon=True, name="collector")
        self.messages = {channel: [] for channel in channels}
        self.connections = {channel: 0 for channel in channels}
        self.ended = False  # the daemon that is followed
        self.drained = False
        self.broken = None
        self._cut_off = set()  # channels whose last message may be cut off
        self.pieces = []  # what there was of those
        self._changed = threading.Condition()
        self._selector = selectors.DefaultSelector()
        self._listeners = {channel: self._listen(channel)
                           for channel in channels}
        self._open = {}  # the channel and the reader of each connection
        self._paused = set()
        self.closed = False
        self._wake, self._waker = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._selector.register(self._wake, selectors.EVENT_READ,
                                lambda: os.read(self._wake, 1))

    def _listen(self, channel):
        listener = socket.socket()
        # Small, so that a reader that pauses is soon felt by the daemon.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        listener.setblocking(False)
        self._selector.register(
            listener, selectors.EVENT_READ,
            lambda: self._accept(listener, channel))
        return listener

    def port(self, channel):
        """Give the port of a channel."""
        return self._listeners[channel].getsockname()[1]

    def follow(self, pidfd):
        """Receive from the daemon whose process has that descriptor.

        The one before it, if there was one, must have been drained.
        """
        with self._changed:
            self.ended = self.drained = False
            self._cut_off.clear()
            self._selector.register(pidfd, selectors.EVENT_READ,
                                    lambda: self._see_end(pidfd))
        if not self.is_alive():
            self.start()

    def expect_kill(self):
        """Let the daemon's last message on each connection be cut off."""
        with self._changed:
            self._cut_off.update(self.messages)
        self.resume(*self._paused)

    def resume_after_end(self):
        """Read what is left; where nobody has read it may be cut off."""
        with self._changed:
            self._cut_off.update(self._paused)
        self.resume(*self._paused)

    def _see_end(self, pidfd):
        self._selector.unregister(pidfd)
        self.ended = True

    def run(self):
        """Serve the sockets until somebody closes them."""
        try:
            while not self.closed:
                ready = self._selector.select()
                with self._changed:
                    for key, _ in ready:
                        key.data()
                    self.drained = self.ended and self._nothing_left()
                    self._changed.notify_all()
        except Exception as error:  # told by whoever waits
            with self._changed:
                self.broken = error
                self._changed.notify_all()

    def _nothing_left(self):
        """Take in the connections still waiting; tell if none is open."""
        for channel, listener in self._listeners.items():
            while self._accept(listener, channel):
                pass
        return not self._open

    def _accept(self, listener, channel):
        """Take in a connection, if one is waiting."""
        try:
            connection, _ = listener.accept()
        except BlockingIOError:
            return False
        connection.setblocking(False)
        self.connections[channel] += 1
        pending = bytearray()
        self._open[connection] = channel, lambda: self._read(
            connection, channel, pending)
        if channel not in self._paused:
            self._register(connection)
        return True

    def _register(self, connection):
        self._selector.register(connection, selectors.EVENT_READ,
                                self._open[connection][1])

    def pause(self, channel):
        """Read no more of a channel; the daemon's sending will block."""
        with self._changed:
            self._paused.add(channel)
            for connection in self._connections(channel):
                self._selector.unregister(connection)

    def resume(self, *channels):
        """Read on; what a daemon that has ended left behind, too."""
        with self._changed:
            for channel in self._paused.intersection(channels):
                self._paused.discard(channel)
                for connection in self._connections(channel):
                    self._register(connection)

    def _connections(self, channel):
        return [connection for connection, (its, _) in self._open.items()
                if its == channel]

    def _read(self, connection, channel, pending):
        """Read from a connection and keep the messages that are complete."""
        data = connection.recv(1 << 20)
        pending += data
        for frame in frames(pending):
            text = frame.decode("utf-8", "surrogateescape")
            self.messages[channel].append(Message(json.loads(text)))
        if not data:
            if pending and channel not in self._cut_off:
                raise AssertionError(
                    f"{channel}: cut off in {bytes(pending[:4000])}")
            self.pieces.append(bytes(pending))
            self._selector.unregister(connection)
            del self._open[connection]
            connection.close()

    def close(self):
        """Close all sockets, when no other daemon is to come."""
        if self.closed:
            return
        self.closed = True
        os.write(self._waker, b"c")
        if self.is_alive():
            self.join()
        for listener in self._listeners.values():
            listener.close()
        for connection in self._open:
            connection.close()
        self._selector.close()
        os.close(self._wake)
        os.close(self._waker)

    def wait(self, condition, seconds=deadline.SECONDS):
        """Wait until condition() is true; tell whether it became so.

        It is asked again whenever something came, and for the last time when
        nothing can come any more. Once true is enough: what a process has
        open, for one, may be another a moment later.
        """
        def reached():
            nonlocal became
            became = became or bool(condition())
            return became or self.drained or self.broken

        became = False
        with self._changed:
            self._changed.wait_for(reached, seconds)
            if self.broken:
                raise AssertionError("cannot read what the daemon sends") \
                    from self.broken
            return became


def frames(pending):
    """Take the complete octet-counted frames out of a buffer."""
    while True:
        blank = pending.find(b" ", 0, 12)
        if blank < 0:
            return
        end = blank + 1 + int(pending[:blank])
        if len(pending) < end:
            return
        frame = bytes(pending[blank + 1:end])
        del pending[:end]
        yield frame
