"""A TCP proxy between the product and PostgreSQL, whose trouble is switched while it runs."""

from __future__ import annotations

import selectors
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Literal

Mode = Literal["pass", "down", "reset", "silent", "half"]
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER with no time: closing sends RST


class Proxy:
    """Listens on `port` and passes bytes on to `target`, a port of this machine.

    `down` refuses connections and closes those there are; `reset` breaks those there are with RST, and each new one as
    soon as something comes over it; `silent` accepts and passes nothing on; `half` passes on what is asked and nothing
    of what is answered. What came while it was silent is lost, and its connection stays so: `pass` holds for new ones.
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = _listen(0)
        self.port = int(self._listener.getsockname()[1])
        self._mode: Mode = "pass"
        self._pairs: dict[socket.socket, socket.socket] = {}
        self._lost: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._selector = selectors.DefaultSelector()
        self._ended = threading.Event()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def become(self, mode: Mode) -> None:
        """Behave so from now on."""
        with self._lock:
            if self._mode == "down" and mode != "down":
                self._listener = _listen(self.port)
                self._selector.register(self._listener, selectors.EVENT_READ)
            if mode == "down" and self._mode != "down":
                self._selector.unregister(self._listener)
                self._listener.close()
            self._mode = mode
            if mode in ("down", "reset"):
                for each in list(self._pairs):
                    self._end(each)

    def close(self) -> None:
        """End it, and all connections."""
        self._ended.set()
        self._thread.join(timeout=5)
        self.become("down")
        self._selector.close()

    def _run(self) -> None:
        while not self._ended.is_set():
            for key, _ in self._selector.select(0.05):
                with self._lock, suppress(OSError, KeyError, ValueError):
                    if key.fileobj is self._listener:
                        self._accept()
                    elif isinstance(key.fileobj, socket.socket) and key.fileobj in self._pairs:
                        self._pass_on(key.fileobj, from_us=bool(key.data))

    def _accept(self) -> None:
        ours, _ = self._listener.accept()
        theirs = socket.create_connection(("127.0.0.1", self._target), timeout=5)
        self._pairs |= {ours: theirs, theirs: ours}
        self._selector.register(ours, selectors.EVENT_READ, data=True)
        self._selector.register(theirs, selectors.EVENT_READ, data=False)

    def _pass_on(self, source: socket.socket, *, from_us: bool) -> None:
        try:
            block = source.recv(65536)
        except OSError:
            block = b""
        if self._mode == "reset":
            self._end(source)
        elif self._mode == "silent" or (self._mode == "half" and not from_us) or source in self._lost:
            # Neither is the end passed on: the other end goes on believing in the connection.
            self._lost |= {source, self._pairs[source]} if self._mode == "silent" else {source}
            if not block:
                self._selector.unregister(source)
        elif not block:
            self._end(source)
        else:
            try:
                self._pairs[source].sendall(block)
            except OSError:
                self._end(source)

    def _end(self, one: socket.socket) -> None:
        if one not in self._pairs:
            return
        for each in (one, self._pairs[one]):
            del self._pairs[each]
            self._lost.discard(each)
            with suppress(KeyError, ValueError):
                self._selector.unregister(each)
            if self._mode == "reset":
                each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            each.close()


def _listen(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(128)
    return listener


@contextmanager
def proxy_to(port: int) -> Iterator[Proxy]:
    """A proxy that passes on to `port`, until the block ends."""
    made = Proxy(port)
    try:
        yield made
    finally:
        made.close()
