"""From a press to the panel, while other lines keep the box busy."""

from __future__ import annotations

import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from edge_agent.provision import broker, demo
from edge_agent.services import incidents as moves
from edge_agent.services import topics
from edge_agent.services.buttons import press_id_of
from edge_agent.store import incidents
from edge_agent.store.database import Database, open_main
from tests.journeys.floor import RunningFloor, turns, until
from tests.network_button import NetworkButton

LINES = 16
PRESSES = 500
EVERY_S = 0.3
"""From one press to the next; each is closed by people in between, so that every one is a new call for help."""
START_S = 12.0
PAUSE_S = 12.0
"""Between two calls of a seat, longer than the silence that ends a call."""
BUTTON = "button-bench"


def load(lines: int, length_s: float) -> list[demo.Placed]:
    """Return recorded calls on all lines, one after another, until the recording is full."""
    calls = [(file.stem, duration(file.stem)) for file in sorted(demo.calls_folder().glob("*.json"))]
    placed = []
    for seat in range(1, lines + 1):
        at, number = START_S + seat / 4, seat
        while at + (call := calls[number % len(calls)])[1] < length_s:
            placed.append(demo.Placed(start_s=at, seat=seat, call=call[0]))
            at, number = at + call[1] + PAUSE_S, number + 1
    return placed


def duration(call: str) -> float:
    """Return the length of a recorded call in seconds."""
    return float(turns(call)[-1]["end"])


def press_to_panel(*, lines: int = LINES, presses: int = PRESSES) -> list[str]:
    """Press a button on the network again and again; measure from its message to the one at an MQTT panel."""
    length_s = START_S + presses * EVERY_S * 1.5 + 60
    extra = f"\n[[buttons]]\nname = '{BUTTON}'\nseat = '01'\nkind = 'mqtt'\n"
    waits, busy = [], []
    with tempfile.TemporaryDirectory() as folder:
        floor = RunningFloor(Path(folder), load(lines, length_s), length_s=length_s, extra=extra)
        broker.add_device(floor.settings, BUTTON, "button")
        floor.start()
        db = open_main(floor.settings.data)
        try:
            panel = floor.panel()
            light = topics.button_light(floor.settings.box, BUTTON)
            button = NetworkButton(floor.link(BUTTON, light), BUTTON, floor.settings.box)
            until(button.link.connected, what="the button")
            agent = floor.child("agent")
            agent.cpu_percent()
            time.sleep(max(0.0, floor.epoch + START_S + 15 - time.time()))
            for _ in range(presses):
                began = time.time()
                number = button.press("short")
                call = press_id_of(BUTTON, number)
                [(at, _)] = until(lambda call=call: panel.of(alert_id=call, change="new"), what="the call for help")
                waits.append((at - button.pressed_at) * 1000)
                close_all(db, floor)
                time.sleep(max(0.0, began + EVERY_S - time.time()))
            busy.append(agent.cpu_percent())
            button.close()
            panel.close()
        finally:
            db.close()
            floor.stop()
    waits.sort()
    p50, p95, p99 = (waits[min(len(waits) - 1, int(len(waits) * share))] for share in (0.5, 0.95, 0.99))
    return [
        (
            f"button to MQTT panel, {lines} lines in call (agent {busy[0]:.0f} % of a core): p50 {p50:.0f} ms, "
            f"p95 {p95:.0f} ms, p99 {p99:.0f} ms, max {waits[-1]:.0f} ms (n {len(waits)})"
        )
    ]


def close_all(db: Database, floor: RunningFloor) -> None:
    """Deal with what was called for, as people would."""
    box = floor.settings.box
    for incident in incidents.calls_for_help(db):
        now = datetime.now(UTC)
        moves.take(db, incident.incident_id, box=box, by="bench", now=now)
        moves.close(db, incident.incident_id, box=box, by="bench", now=now)
