"""From an alert's commit to the page, with as many pages connected as may be."""

from __future__ import annotations

import json
import selectors
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import psutil

from edge_agent import settings as settings_module
from edge_agent.domain.call import LineState
from edge_agent.domain.roles import Role
from edge_agent.provision import pki
from edge_agent.services import accounts, incidents, sessions
from edge_agent.settings import Settings
from edge_agent.store import live, people
from edge_agent.store.database import Database, open_live, open_main, writing
from edge_agent.store.live import LineStatus
from tests.builders import an_alert
from tests.journeys.floor import until
from tests.ports import free_port
from web_ui.streams import STREAMS

ALERTS = 100
EVERY_S = 0.5
"""From one alert to the next; each is dealt with in between, which the pages are told too."""
SEATS = 16
LEVELS_S = 0.25
"""How often the agent writes what the lines do while they are in call."""
PEOPLE = 8
PASSWORD = "a long password of the bench"


@dataclass
class Page:
    """One page's connection: the bytes not understood yet, and when which alert came first."""

    socket: ssl.SSLSocket
    rest: bytes = b""
    came: dict[str, float] = field(default_factory=dict)

    def take(self, data: bytes, at: float) -> None:
        """Note the alerts in what has come."""
        *blocks, self.rest = (self.rest + data).split(b"\n\n")
        for block in blocks:
            # Chunks of the transfer begin and end in between; an event itself is never parted.
            if b"event: incident\n" in block:
                view = json.loads(block.rpartition(b"data: ")[2])
                self.came.setdefault(view["incident"], at)


def panels(*, pages: int = STREAMS, alerts: int = ALERTS) -> list[str]:
    """Connect pages over TLS, each in a session of its own; commit alerts and note when they are at each page."""
    with tempfile.TemporaryDirectory() as folder:
        settings = box_of(Path(folder))
        main, lines = open_main(settings.data), open_live(settings.run)
        tokens = sessions_of(main, pages)
        server = subprocess.Popen(
            [sys.executable, "-m", "web_ui.serve", "--settings", str(Path(folder) / "mamori.toml")],
            stderr=subprocess.DEVNULL,
        )
        stop = threading.Event()
        try:
            connected, storm_s = connect_all(settings, tokens)
            threads = [
                threading.Thread(target=listen, args=(connected, stop)),
                threading.Thread(target=murmur, args=(settings, stop)),
            ]
            for thread in threads:
                thread.start()
            process = psutil.Process(server.pid)
            process.cpu_percent()
            committed = raise_alerts(main, settings, alerts)
            busy, rss = process.cpu_percent(), process.memory_info().rss / 2**20
            until(lambda: all(len(page.came) == alerts for page in connected), what="every alert at every page")
            stop.set()
            for thread in threads:
                thread.join()
        finally:
            stop.set()
            server.terminate()
            server.wait(30)
            main.close()
            lines.close()
    each = sorted((page.came[alert] - at) * 1000 for page in connected for alert, at in committed.items())
    last = sorted(max(page.came[alert] - at for page in connected) * 1000 for alert, at in committed.items())
    return [
        f"{pages} pages connected after {storm_s:.1f} s; server {busy:.0f} % of a core, {rss:.0f} MiB",
        f"alert committed to page, {pages} pages, {SEATS} lines in call: {spread(each)} (n {len(each)})",
        f"alert committed to the last of the {pages} pages: {spread(last)} (n {len(last)})",
    ]


def spread(waits: list[float]) -> str:
    """Return the median, p95, p99 and maximum of sorted times in milliseconds."""
    p50, p95, p99 = (waits[min(len(waits) - 1, int(len(waits) * share))] for share in (0.5, 0.95, 0.99))
    return f"p50 {p50:.0f} ms, p95 {p95:.0f} ms, p99 {p99:.0f} ms, max {waits[-1]:.0f} ms"


def box_of(folder: Path, *, seats: int = SEATS) -> Settings:
    """Return a box with seats and certificates, all in call; a card has 16 seats."""
    file = folder / "mamori.toml"
    placed = "\n".join(
        f"[[seats]]\nseat = '{seat + 1:02}'\nlabel_ja = '{seat + 1}番席'\nlabel_en = 'Seat {seat + 1}'\n"
        f"device = 'tap-{seat // SEATS}'\n"
        f"customer_channel = {seat % SEATS * 2}\noperator_channel = {seat % SEATS * 2 + 1}"
        for seat in range(seats)
    )
    cards = "\n".join(
        f"[[devices]]\nname = 'tap-{card}'\nmatch = 'tap-{card}'\nchannels = {2 * SEATS}"
        for card in range(-(-seats // SEATS))
    )
    file.write_text(
        f"[paths]\ndata = '{folder / 'data'}'\nrun = '{folder / 'run'}'\n"
        f"[web]\nport = {free_port()}\nredirect_port = 0\n"
        f"{cards}\n{placed}\n",
        encoding="utf-8",
    )
    now = datetime.now(UTC)
    pki.ensure_authority(folder / "data/pki", now=now)
    pki.ensure_server(folder / "data/pki", "web", hosts=[], now=now)
    return settings_module.load(file)


def sessions_of(main: Database, count: int) -> list[str]:
    """Return the tokens of as many sessions, of a few people."""
    now = datetime.now(UTC)
    for number in range(PEOPLE):
        accounts.create_person(
            main,
            name=f"bench{number}",
            display_name=f"Bench {number}",
            role=Role.SUPERVISOR,
            password=PASSWORD,
            must_change=False,
            now=now,
        )
    found = [people.find(main, f"bench{number}") for number in range(PEOPLE)]
    return [sessions.open_for(main, found[each % PEOPLE], sessions.Visitor(), now=now) for each in range(count)]


def connect_all(settings: Settings, tokens: list[str]) -> tuple[list[Page], float]:
    """Connect one page after the other; return them and how many seconds it took once the server answered."""
    trusting = ssl.create_default_context(cafile=str(settings.data / "pki/ca.crt"))
    until(lambda: reachable(settings.web.port), what="the server")
    began = time.monotonic()
    pages = []
    for token in tokens:
        plain = socket.create_connection(("127.0.0.1", settings.web.port), timeout=30)
        page = Page(trusting.wrap_socket(plain, server_hostname="localhost"))
        page.socket.sendall(
            f"GET /events HTTP/1.1\r\nHost: localhost\r\nCookie: __Host-mamori={token}\r\n"
            "Accept: text/event-stream\r\n\r\n".encode()
        )
        pages.append(page)
    for page in pages:
        while b"event: beat" not in page.rest:
            page.rest += page.socket.recv(65536) or refused(page)
        page.rest = b""
        page.socket.setblocking(False)
    return pages, time.monotonic() - began


def reachable(port: int) -> bool:
    """Return whether somebody listens on a port of this machine."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def refused(page: Page) -> bytes:
    """Say what the server said instead of going on."""
    msg = f"the stream ended: {page.rest[:300]!r}"
    raise AssertionError(msg)


def listen(pages: list[Page], stop: threading.Event) -> None:
    """Read what comes to every page, until told to stop."""
    with selectors.DefaultSelector() as selector:
        for page in pages:
            selector.register(page.socket, selectors.EVENT_READ, page)
        while not stop.is_set():
            for key, _ in selector.select(timeout=0.5):
                try:
                    while data := key.data.socket.recv(65536):
                        key.data.take(data, time.monotonic())
                except ssl.SSLWantReadError:
                    continue
    for page in pages:
        page.socket.close()


def murmur(settings: Settings, stop: threading.Event) -> None:
    """Write what the agent writes of lines in call."""
    db = open_live(settings.run)
    now = datetime.now(UTC)
    turn = 0
    while not stop.wait(LEVELS_S):
        turn += 1
        with writing(db):
            for seat in range(1, SEATS + 1):
                line = LineStatus(seat=f"{seat:02}", state=LineState.IDLE).in_call(f"call-{seat}", now)
                live.put_line(db, line)
                db.execute("UPDATE lines SET customer_level = ?", [float(turn % 7)])
    db.close()


def raise_alerts(main: Database, settings: Settings, count: int) -> dict[str, float]:
    """Open incidents one after another, and deal with each; return when each was committed."""
    committed = {}
    for number in range(count):
        began = time.monotonic()
        name = f"bench-{number}"
        alert = an_alert(name, seat=f"{number % SEATS + 1:02}", call_id=f"call-{number % SEATS + 1}")
        incidents.open_incident(main, alert, box=settings.box, now=datetime.now(UTC))
        committed[name] = time.monotonic()
        time.sleep(EVERY_S / 2)
        incidents.take(main, name, box=settings.box, by="bench0", now=datetime.now(UTC))
        incidents.close(main, name, box=settings.box, by="bench0", now=datetime.now(UTC))
        time.sleep(max(0.0, began + EVERY_S - time.monotonic()))
    return committed
