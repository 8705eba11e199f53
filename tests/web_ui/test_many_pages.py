"""Many pages on the real server, over TLS: whoever does not read is let go, and nobody else notices."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent.services import sessions
from edge_agent.settings import Web
from edge_agent.store import people
from tests.journeys.floor import until
from tests.ports import free_port
from tests.web_ui.conftest import Pages
from tests.web_ui.test_serve import certify, trusting
from web_ui import live
from web_ui.serve import THREADS, Server, make_server
from web_ui.streams import BACKLOG

PATIENCE_S = 30.0
UNREAD_S = 0.5
LARGE = "x" * 60_000
"""So much that a few hundred events fill every buffer between the server and a page."""


class Served(Pages):
    """Pages behind the real server; the feed is moved by the test."""

    def __init__(self, folder: Path, prepared: Path) -> None:
        super().__init__(folder, prepared=prepared, web=Web(port=free_port()))
        certify(self.settings.data)
        self.trusting = trusting(folder)
        self.server: Server = make_server(self.app, self.settings)
        self.server.timeout = UNREAD_S
        self.thread = threading.Thread(target=self.server.serve)
        self.thread.start()

    def page(self, *, buffer: int | None = None) -> ssl.SSLSocket:
        """Return a connected page's socket, past the first events."""
        supervisor = people.find(self.main, "supervisor")
        assert supervisor is not None
        token = sessions.open_for(self.main, supervisor, sessions.Visitor(), now=self.clock.now())
        plain = socket.socket()
        if buffer:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        plain.settimeout(PATIENCE_S)
        plain.connect(("127.0.0.1", self.settings.web.port))
        page = self.trusting.wrap_socket(plain, server_hostname="localhost")
        page.sendall(f"GET /events HTTP/1.1\r\nHost: localhost\r\nCookie: __Host-mamori={token}\r\n\r\n".encode())
        came = b""
        while b"event: beat" not in came:
            came += page.recv(65536)
        return page

    def stop(self) -> None:
        self.context.feed.close()
        self.server.stop()
        self.thread.join()
        self.close()


@pytest.fixture
def served(tmp_path: Path, prepared: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    monkeypatch.setattr(live, "BEAT_S", PATIENCE_S)
    made = Served(tmp_path, prepared)
    yield made
    made.stop()


def test_a_page_that_does_not_read_is_let_go_and_the_others_miss_nothing(served: Served) -> None:
    reading, asleep = served.page(), served.page(buffer=4096)
    feed = served.context.feed
    assert feed.streams == 2
    for number in range(2 * BACKLOG):
        feed._publish("large", {"number": number, "filling": LARGE})
        told = f'"number":{number},'.encode()
        came = b""
        while told not in came or not came.endswith(b"\n\n\r\n"):
            came += reading.recv(262_144)
    assert feed.streams == 1
    # The thread that was writing to it gives up, and is there for the next one.
    until(lambda: served.server.requests.idle >= THREADS - 1, what="the thread")
    reading.close()
    asleep.close()


def test_every_page_connected_at_once_is_told_the_same(served: Served) -> None:
    pages = [served.page() for _ in range(12)]
    served.watch()
    served.alert()
    served.tick()
    for page in pages:
        came = b""
        while b"event: incident" not in came:
            came += page.recv(65536)
        page.close()
