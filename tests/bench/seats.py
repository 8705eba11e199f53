"""From a change at a seat to its renewed page, with as many operators' own pages open as may be."""

from __future__ import annotations

import http.client
import queue
import random
import selectors
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import psutil

from edge_agent.domain.call import LineState
from edge_agent.domain.roles import Role
from edge_agent.services import accounts, incidents, sessions
from edge_agent.settings import Settings
from edge_agent.store import live, people, seatings
from edge_agent.store.database import Database, open_live, open_main, writing
from edge_agent.store.live import LineStatus
from edge_agent.store.seatings import Seating
from tests.bench.panels import PASSWORD, box_of, reachable, spread
from tests.builders import an_alert
from tests.journeys.floor import until
from web_ui.seat import SEAT_STREAMS, TOLD

INCIDENTS = 12
"""As many as a floor page shows; some open."""
ROUNDS = 60
EVERY_S = 0.25
"""From one change at some seat to the next."""
STORMS = 5
BROWSERS = 16
"""Pages that fetch at the same moment; what comes in between waits, as it does in the network of a floor."""


@dataclass
class SeatPage:
    """One operator's page: its stream, and what it needs to fetch itself anew."""

    seat: str
    token: str
    stream: ssl.SSLSocket
    port: int
    trusting: ssl.SSLContext
    rest: bytes = b""
    told: threading.Event = field(default_factory=threading.Event)
    renewed_at: float = 0.0

    def fetch(self, *, told: bool) -> None:
        """Fetch the page, as its script does if `told`, on a connection of its own: the server keeps few that rest."""
        self.told.clear()
        with closing(
            http.client.HTTPSConnection("localhost", self.port, timeout=30, context=self.trusting)
        ) as connection:
            headers = {
                "Cookie": f"__Host-mamori={self.token}",
                "Accept": "text/html",
                "Connection": "close",
            }
            if told:
                headers[TOLD] = "yes"
            connection.request("GET", f"/seat/{self.seat}", headers=headers)
            answer = connection.getresponse()
            answer.read()
        if answer.status != http.client.OK:
            msg = f"seat {self.seat}: {answer.status}"
            raise AssertionError(msg)
        self.renewed_at = time.monotonic()


def seats(*, pages: int = SEAT_STREAMS) -> list[str]:
    """Open seat pages over TLS, each of its own operator; change lines, and note when their pages are renewed."""
    with tempfile.TemporaryDirectory() as folder:
        settings = box_of(Path(folder), seats=pages)
        main, lines = open_main(settings.data), open_live(settings.run)
        tokens = seated(main, settings)
        change(lines, [seat.seat for seat in settings.seats], 0)
        for number in range(INCIDENTS):
            seat = settings.seats[number].seat
            alert = an_alert(f"bench-{number}", seat=seat, call_id=f"call-{seat}")
            incidents.open_incident(main, alert, box=settings.box, now=datetime.now(UTC))
        server = subprocess.Popen(
            [sys.executable, "-m", "web_ui.serve", "--settings", str(Path(folder) / "mamori.toml")],
            stderr=subprocess.DEVNULL,
        )
        stop = threading.Event()
        work: queue.SimpleQueue[SeatPage | None] = queue.SimpleQueue()
        try:
            until(lambda: reachable(settings.web.port), what="the server")
            process = psutil.Process(server.pid)
            idle_s = processor_s(process)
            opened, took = open_all(settings, tokens)
            opening_s = processor_s(process) - idle_s
            with ThreadPoolExecutor(BROWSERS + 1) as pool:
                running = [pool.submit(listen, opened, work, stop)]
                running += [pool.submit(renew, work) for _ in range(BROWSERS)]
                try:
                    process.cpu_percent()
                    single = one_by_one(lines, opened)
                    busy = process.cpu_percent()
                    before_s = processor_s(process)
                    storms = [storm(lines, opened, number) for number in range(STORMS)]
                    storming_s = processor_s(process) - before_s
                    rss = process.memory_info().rss / 2**20
                finally:
                    stop.set()
                    for _ in range(BROWSERS):
                        work.put(None)
                for each in running:
                    each.result()
        finally:
            server.terminate()
            server.wait(30)
            main.close()
            lines.close()
    every = sorted(wait for waits in storms for wait in waits)
    last = sorted(max(waits) for waits in storms)
    return [
        f"{pages} seat pages opened one after the other: median {sorted(took)[len(took) // 2] * 1000:.0f} ms a page",
        f"a change at one seat to its page renewed, {pages} open: {spread(sorted(single))} (n {len(single)})",
        f"server meanwhile: {busy:.0f} % of a core, {rss:.0f} MiB",
        f"processor time of the server: a page opened, with its stream: {opening_s / pages * 1000:.1f} ms",
        f"processor time of the server: a page renewed: {storming_s / pages / STORMS * 1000:.1f} ms",
        f"a change at all seats at once to each page renewed: {spread(every)} (n {len(every)})",
        f"a change at all seats at once to the last page renewed: {spread(last)} (n {len(last)})",
    ]


def processor_s(process: psutil.Process) -> float:
    """Return the processor time a process has used, in seconds; it does not depend on what else is running."""
    times = process.cpu_times()
    return float(times.user + times.system)


def seated(main: Database, settings: Settings) -> list[str]:
    """Return the tokens of as many operators as there are seats, each at a seat of their own."""
    now = datetime.now(UTC)
    accounts.create_person(
        main,
        name="bench",
        display_name="Bench",
        role=Role.OPERATOR,
        password=PASSWORD,
        must_change=False,
        now=now,
    )
    first = people.find(main, "bench")
    if first is None:
        msg = "nobody was created"
        raise AssertionError(msg)
    tokens = []
    for seat in settings.seats:
        # One password for all of them: to hash one takes half a second.
        operator = replace(first, name=f"bench-{seat.seat}")
        with writing(main):
            people.save(main, operator)
            seatings.put(main, Seating(seat=seat.seat, person=operator.name, since=now))
        tokens.append(sessions.open_for(main, operator, sessions.Visitor(), now=now))
    return tokens


def open_all(settings: Settings, tokens: list[str]) -> tuple[list[SeatPage], list[float]]:
    """Open one page after the other; return them and how many seconds each took to come."""
    trusting = ssl.create_default_context(cafile=str(settings.data / "pki/ca.crt"))
    port = settings.web.port
    pages, took = [], []
    for seat, token in zip(settings.seats, tokens, strict=True):
        plain = socket.create_connection(("127.0.0.1", port), timeout=30)
        page = SeatPage(
            seat=seat.seat,
            token=token,
            stream=trusting.wrap_socket(plain, server_hostname="localhost"),
            port=port,
            trusting=trusting,
        )
        began = time.monotonic()
        page.fetch(told=False)
        took.append(page.renewed_at - began)
        page.stream.sendall(
            f"GET /seat/{page.seat}/events HTTP/1.1\r\nHost: localhost\r\nCookie: __Host-mamori={token}\r\n"
            "Accept: text/event-stream\r\n\r\n".encode()
        )
        while b"event: beat" not in page.rest:
            data = page.stream.recv(65536)
            if not data:
                msg = f"seat {page.seat}: the stream ended: {page.rest[:300]!r}"
                raise AssertionError(msg)
            page.rest += data
        page.rest = b""
        page.stream.setblocking(False)
        pages.append(page)
    return pages, took


def listen(pages: list[SeatPage], work: queue.SimpleQueue[SeatPage | None], stop: threading.Event) -> None:
    """Have every page that is told of a change renewed, until told to stop."""
    with selectors.DefaultSelector() as selector:
        for page in pages:
            selector.register(page.stream, selectors.EVENT_READ, page)
        while not stop.is_set():
            for key, _ in selector.select(timeout=0.5):
                page = key.data
                try:
                    while data := page.stream.recv(65536):
                        page.rest += data
                except ssl.SSLWantReadError:
                    pass
                *blocks, page.rest = page.rest.split(b"\n\n")
                if any(b"event: moved" in block for block in blocks) and not page.told.is_set():
                    page.told.set()
                    work.put(page)


def renew(work: queue.SimpleQueue[SeatPage | None]) -> None:
    """Fetch what is to be renewed, until there is no more."""
    while (page := work.get()) is not None:
        try:
            page.fetch(told=True)
        except OSError:
            # A machine too busy to shake hands in time; a browser asks again too.
            work.put(page)


def change(lines: Database, seats: list[str], number: int) -> float:
    """Write another state of these lines, all at once; return when it was committed."""
    now = datetime.now(UTC)
    with writing(lines):
        for seat in seats:
            status = LineStatus(seat=seat, state=LineState.IDLE).in_call(f"call-{seat}", now)
            live.put_line(lines, replace(status, warnings=number))
    return time.monotonic()


def one_by_one(lines: Database, pages: list[SeatPage]) -> list[float]:
    """Change one seat after another; return the milliseconds until the page of each was renewed."""
    waits = []
    for number in range(1, ROUNDS + 1):
        page = random.choice(pages)  # noqa: S311 - which one does not matter
        committed = change(lines, [page.seat], number)
        until(lambda page=page, at=committed: page.renewed_at > at, what="a renewed page")  # type: ignore[misc]
        waits.append((page.renewed_at - committed) * 1000)
        time.sleep(EVERY_S)
    return waits


def storm(lines: Database, pages: list[SeatPage], number: int) -> list[float]:
    """Change all seats at once; return the milliseconds until the page of each was renewed."""
    committed = change(lines, [page.seat for page in pages], 100 + number)
    until(lambda: all(page.renewed_at > committed for page in pages), what="every page renewed")
    waits = [(page.renewed_at - committed) * 1000 for page in pages]
    time.sleep(1.0)
    return waits
