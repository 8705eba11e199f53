"""How bytes from the line become requests: bounded, and malformed ones refused as such."""

from __future__ import annotations

import socket
import ssl
import threading
from collections import Counter
from typing import Any

from cheroot.server import HeaderReader, HTTPConnection, HTTPRequest
from cheroot.ssl.builtin import BuiltinSSLAdapter

MAX_HEADER_BYTES = 32 * 1024
"""Address and headers of one request; browsers of the floor send two or three kilobytes."""
MOST_RECEIVING = 8
"""Requests one address may have under way at once; a browser opens up to six connections."""
OWN = frozenset({"127.0.0.1", "::1"})
"""This box itself, which looks in on its pages too."""
HANDSHAKE_S = 3.0
"""Time for the TLS handshake, on the premises a matter of milliseconds."""


class Headers(HeaderReader):
    """Cheroot's reader; a header with an underscore could pass for another one and is dropped."""

    def __call__(self, rfile: Any, hdict: dict[bytes, bytes] | None = None) -> Any:  # noqa: ANN401
        """Read the headers; raise `ValueError` for what is none."""
        try:
            return super().__call__(rfile, hdict)
        except UnboundLocalError as error:
            # Cheroot looks for the header that a first line beginning with a space would continue.
            raise ValueError("Illegal continuation line.") from error

    def _allow_header(self, key_name: bytes) -> bool:
        return b"_" not in key_name


class Crowd:
    """Requests still being received, by address: one device that never finishes must not take every thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._receiving: Counter[str] = Counter()

    def enter(self, address: str) -> bool:
        """Let one more request begin; False if the address has `MOST_RECEIVING` unfinished ones."""
        with self._lock:
            if self._receiving[address] >= MOST_RECEIVING and address not in OWN:
                return False
            self._receiving[address] += 1
            return True

    def leave(self, address: str) -> None:
        """Note that a request has been received, or never will be."""
        with self._lock:
            self._receiving[address] -= 1
            if not self._receiving[address]:
                del self._receiving[address]


class Request(HTTPRequest):
    """A request with our reader of headers."""

    header_reader = Headers()

    def parse_request(self) -> None:
        """Read the request; one without a body has been received then, and may be answered for hours."""
        super().parse_request()
        if self.ready and self.method in {b"GET", b"HEAD"}:
            self.conn.received()


class Connection(HTTPConnection):
    """A connection of such requests. Over TLS it shakes hands in a thread of its own, not where others wait."""

    RequestHandlerClass = Request
    heard = False
    """Whether anything has come from the other end."""
    shaken = False
    receiving = False
    crowd = Crowd()

    def communicate(self) -> bool:
        """Answer the next request; return whether the connection stays open."""
        if not self.crowd.enter(self.remote_addr or ""):
            return False
        self.receiving = True
        try:
            return self._shake_hands() and bool(super().communicate())  # type: ignore[no-untyped-call]
        finally:
            self.received()

    def received(self) -> None:
        """Note that the present request has been received."""
        if self.receiving:
            self.receiving = False
            self.crowd.leave(self.remote_addr or "")

    def _shake_hands(self) -> bool:
        if isinstance(self.socket, ssl.SSLSocket) and not self.shaken:
            self.socket.settimeout(HANDSHAKE_S)
            try:
                self.socket.do_handshake()
            except OSError:
                # A browser that does not trust us yet, a port scan, plain HTTP: none of them is told anything.
                return False
            self.socket.settimeout(self.server.timeout)
            self.shaken = True
        return True


class Adapter(BuiltinSSLAdapter):
    """TLS whose handshake is left to the connection: Cheroot does it where new ones are accepted, one at a time.

    There a single connection that says nothing would keep every page of the floor waiting for ten seconds.
    """

    def wrap(self, sock: socket.socket) -> tuple[ssl.SSLSocket, dict[str, str]]:
        """Return the wrapped socket and what requests over it are told."""
        wrapped = self.context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        return wrapped, {"wsgi.url_scheme": "https", "HTTPS": "on"}
