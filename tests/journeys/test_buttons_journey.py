"""No press is lost and none is told twice, whatever is killed around it."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest

from edge_agent.cli.panel import Panel as PanelCommand
from edge_agent.domain.button import Effect, Press
from edge_agent.domain.device import DeviceKind
from edge_agent.domain.press import Gesture, PressSource
from edge_agent.provision import broker, demo
from edge_agent.services import buttons as services
from edge_agent.services import incidents as moves
from edge_agent.services import topics
from edge_agent.services.devices import register
from edge_agent.settings import Seat, Settings
from edge_agent.settings_buttons import Button
from edge_agent.store import buttons, duty, incidents, outbox
from edge_agent.store.database import Database, open_main
from tests.broker_fixture import Broker, broker_settings, running_broker
from tests.journeys.floor import Panel, RunningFloor, turns, until
from tests.network_button import NetworkButton

pytestmark = [
    pytest.mark.journey,
    # paho leaves its socket open when the broker dies in the middle of a handshake.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

BUTTONS = (Button(name="desk-01", seat="01", kind="virtual"), Button(name="button-02", seat="02", kind="mqtt"))
SEATS = tuple(Seat(seat=seat, label_ja=seat, label_en=seat, device="tap") for seat in ("01", "02"))
ROUNDS = 24


class ButtonsProcess:
    """`mamori-buttons` as a child process."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.settings = settings
        self.file = folder / "mamori.toml"
        self.file.write_text(
            f"[box]\nsite = 'tokyo'\nfloor = 'f1'\nbox = 'box1'\n"
            f"[paths]\ndata = '{settings.data}'\nrun = '{settings.run}'\n[mqtt]\nport = {settings.mqtt.port}\n"
            "[[devices]]\nname = 'tap'\nmatch = 'tap'\nchannels = 4\n"
            + "".join(
                f"[[seats]]\nseat = '{seat.seat}'\nlabel_ja = 'x'\nlabel_en = 'x'\ndevice = 'tap'\n"
                f"customer_channel = {2 * number}\noperator_channel = {2 * number + 1}\n"
                for number, seat in enumerate(SEATS)
            )
            + "".join(f"[[buttons]]\nname = '{b.name}'\nseat = '{b.seat}'\nkind = '{b.kind}'\n" for b in BUTTONS),
            encoding="utf-8",
        )
        self._log = (folder / "buttons.log").open("ab")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        ready = self.settings.run / "buttons.ready"
        ready.unlink(missing_ok=True)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "edge_agent.button_daemon", "--settings", str(self.file)],
            stdout=self._log,
            stderr=self._log,
        )
        until(ready.is_file, what="the buttons' process")

    def kill(self) -> None:
        assert self.process
        self.process.kill()
        self.process.wait(10)

    def stop(self) -> int:
        assert self.process
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(20)
        self._log.close()
        return code


def panel_of(running: Broker) -> Panel:
    base = topics.base(running.settings.box)
    names = ("alert/+", "escalation/+", "buttons/status", "buttons/health")
    panel = Panel(running.messenger("panel-1", *(f"{base}/{name}" for name in names)))
    until(panel.link.connected, what="the panel")
    return panel


def virtual_press(db: Database, settings: Settings, seat: str, gesture: Gesture = Gesture.HELP) -> tuple[str, Effect]:
    now = datetime.now(UTC)
    pressed = Press(
        press_id=services.new_press_id(),
        button=f"desk-{seat}",
        seat=seat,
        gesture=gesture,
        source=PressSource.VIRTUAL,
        at=now,
    )
    return pressed.press_id, services.press(db, pressed, box=settings.box, call_id="", now=now)


def running(floor: RunningFloor, mark: str) -> bool:
    try:
        floor.child(mark)
    except (AssertionError, psutil.Error):
        return False
    return True


def close_all(db: Database, settings: Settings) -> None:
    for incident in incidents.calls_for_help(db):
        moves.take(db, incident.incident_id, box=settings.box, by="sato", now=datetime.now(UTC))
        moves.close(db, incident.incident_id, box=settings.box, by="sato", now=datetime.now(UTC))


@contextmanager
def desks(folder: Path) -> Iterator[tuple[Settings, Broker, ButtonsProcess, Database]]:
    settings = replace_buttons(broker_settings(folder))
    with running_broker(settings) as running:
        broker.ensure_device(settings, "buttons", "buttons")
        broker.ensure_device(settings, "button-02", "button")
        broker.reload(settings)
        process = ButtonsProcess(settings, folder)
        db = open_main(settings.data)
        process.start()
        try:
            yield settings, running, process, db
        finally:
            process.stop()
            db.close()


def replace_buttons(settings: Settings) -> Settings:
    return Settings(box=settings.box, paths=settings.paths, mqtt=settings.mqtt, seats=SEATS, buttons=BUTTONS)


def test_a_press_while_the_broker_is_dead_is_kept_and_goes_out_when_it_is_back(tmp_path: Path) -> None:
    with desks(tmp_path) as (settings, running, _process, db):
        panel = panel_of(running)
        running.kill()
        press_id, effect = virtual_press(db, settings, "01")
        assert effect is Effect.OPENED
        assert outbox.count_unsent(db, owner=outbox.BUTTONS) >= 1
        running.start()
        until(lambda: panel.of(alert_id=press_id, change="new"), what="the call for help")
        until(lambda: panel.of(alert_id=press_id, step=1), what="the first step of the ladder, without an agent")
        assert len(panel.of(alert_id=press_id, change="new")) == 1
        assert panel.problems == []
        panel.close()


def test_without_an_agent_a_panel_that_comes_anew_is_told_the_open_call_once(tmp_path: Path) -> None:
    with desks(tmp_path) as (settings, running, _process, db), ExitStack() as letting_go:
        press_id, _ = virtual_press(db, settings, "01")
        sent = lambda: duty.steps(db, press_id) and outbox.count_unsent(db, owner=outbox.BUTTONS) == 0  # noqa: E731
        until(sent, what="the call and its first step to be sent to nobody")
        register(db, name="panel-1", kind=DeviceKind.PANEL, by="it", now=datetime.now(UTC))
        base = topics.base(settings.box)
        names = ("alert/+", "alert/+/panel-1", "escalation/+/panel-1", "buttons/status")
        panel = Panel(running.messenger("panel-1", *(f"{base}/{name}" for name in names)))
        letting_go.callback(panel.close)
        reference = PanelCommand(settings.box, "panel-1", as_json=True, auto=False)
        until(lambda: panel.of(state="online"), what="the buttons' process to be there")
        for wants in (False, True):
            topic, payload = reference.alive(wants_under_way=wants)
            panel.link.send(topic=topic, payload=payload)
        until(lambda: panel.of(alert_id=press_id, step=1), what="who is asked, told to this panel")
        assert [m["change"] for _, m in panel.of(alert_id=press_id, kind="help") if "change" in m] == ["update"]
        assert (panel.repeats, panel.problems) == (0, [])


def test_a_button_on_the_network_sees_its_call_kept_sent_delivered_and_seen(tmp_path: Path) -> None:
    with desks(tmp_path) as (settings, running, _process, db):
        panel = panel_of(running)
        light = f"{topics.button(settings.box, 'button-02')}/led"
        button = NetworkButton(running.messenger("button-02", light), "button-02", settings.box)
        until(button.link.connected, what="the button")
        button.press("short")
        [(_, call)] = until(lambda: panel.of(seat="02", change="new"), what="the call for help")
        until(lambda: button.lights[-1] == "sent", what="the light of a call the broker has")
        for kind in ("delivered", "acknowledged"):
            receipt = topics.receipt(settings.box, call["alert_id"], "panel-1")
            panel.link.send(topic=receipt, payload=json.dumps({"kind": kind}))
            until(lambda kind=kind: button.lights[-1] == {"delivered": "delivered", "acknowledged": "seen"}[kind])
        until(lambda: not button.pending, what="the answer")
        moves.close(db, call["alert_id"], box=settings.box, by="sato", now=datetime.now(UTC))
        until(lambda: button.lights[-1] == "off", what="the light to go out")
        assert button.problems == []
        button.close()
        panel.close()


def test_no_press_is_lost_or_told_twice_while_broker_and_buttons_are_killed(tmp_path: Path) -> None:
    chance = random.Random(20261124)  # noqa: S311 - the same rounds every time
    with desks(tmp_path) as (settings, running, process, db):
        panel = panel_of(running)
        light = f"{topics.button(settings.box, 'button-02')}/led"
        button = NetworkButton(running.messenger("button-02", light), "button-02", settings.box)
        pressed: list[str] = []
        for _ in range(ROUNDS):
            broken = chance.choice([[], [running], [process], [running, process]])
            before = chance.random() < 0.5
            for one in broken if before else ():
                one.kill()
            press_id, effect = virtual_press(db, settings, "01")
            assert effect is Effect.OPENED
            pressed.append(press_id)
            number = button.press("short")
            time.sleep(chance.uniform(0.0, 0.15))
            for one in broken if not before else ():
                one.kill()
            for one in broken:
                one.start()
            until(lambda: not button.pending, what="the network button's press to be kept")
            pressed.append(services.press_id_of("button-02", number))
            close_all(db, settings)
        until(lambda: outbox.count_unsent(db) == 0, what="the outbox to be empty")
        until(lambda: len(panel.of(change="new")) >= len(pressed), what="every call at the panel")
        assert sorted(m["alert_id"] for _, m in panel.of(change="new")) == sorted(pressed)
        assert buttons.count_presses(db) == len(pressed)
        assert panel.problems == []
        button.close()
        panel.close()


def test_calls_arrive_while_agent_and_broker_are_killed_around_them(tmp_path: Path) -> None:
    extra = "".join(
        f"\n[[buttons]]\nname = 'desk-{seat}'\nseat = '{seat}'\nkind = 'virtual'\n" for seat in ("01", "02", "03")
    )
    placed = [demo.Placed(start_s=8.0, seat=3, call="order-calm")]
    floor = RunningFloor(tmp_path, placed, length_s=8.0 + turns("order-calm")[-1]["end"] + 20, extra=extra)
    floor.start()
    db = open_main(floor.settings.data)
    try:
        panel = floor.panel()
        pressed = []
        for marks in (("agent",), ("mosquitto",), ("agent", "mosquitto"), ("agent", "mosquitto")):
            for mark in marks:
                floor.child(mark).kill()
            press_id, effect = virtual_press(db, floor.settings, "01")
            assert effect is Effect.OPENED
            pressed.append(press_id)
            until(lambda press_id=press_id: panel.of(alert_id=press_id, change="new"), what="the call for help")
            close_all(db, floor.settings)
            until(lambda marks=marks: all(running(floor, mark) for mark in marks), what="all to be started again")
        until(lambda: len(panel.of(incident_state="closed")) == len(pressed), what="all to be closed")
        assert [m["alert_id"] for _, m in panel.of(change="new", kind="help")] == pressed
        panel.close()
    finally:
        db.close()
        floor.stop()
