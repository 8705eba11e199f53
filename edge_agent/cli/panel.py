"""`mamori panel`: a reference panel for a terminal. Shows alerts, says that they came, and acknowledges them."""

from __future__ import annotations

import json
import select
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from edge_agent.adapters.mqtt import MqttMessenger
from edge_agent.cli.box import DATA, settings_of
from edge_agent.cli.words import languages, say
from edge_agent.domain.command import Command, Obedience, Refusal
from edge_agent.domain.device import ALIVE_S, DeviceKind
from edge_agent.errors import Text
from edge_agent.log import Log
from edge_agent.ports import Arrived
from edge_agent.provision import broker
from edge_agent.services import topics, wire
from edge_agent.settings import Box

LOOK_S = 0.05
MARKS = {"harassment": "■ 疑い/SUSPECTED", "life_safety": "♥ 安否/LIFE SAFETY", "help": "▲ 応援/HELP"}

log = Log("panel")


class Panel:
    """What a panel knows: the newest message of every alert, so that a repeat is shown once."""

    def __init__(
        self,
        box: Box,
        name: str,
        *,
        as_json: bool,
        auto: bool,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._box = box
        self._name = name
        self._as_json = as_json
        self._auto = auto
        self._now = now
        self._obedience = Obedience(started_at=now())
        self._seen: set[tuple[str | int, ...]] = set()
        self._open: dict[str, dict[str, Any]] = {}
        self._delivered: set[str] = set()
        self._missed = False
        """What is under way may have passed it by."""

    def take(self, arrived: Arrived) -> list[tuple[str, str]]:
        """Show a message if it is news; return receipts and answers to send, as (topic, payload)."""
        found = wire.find(arrived.topic)
        match found.kind.name if found else "":
            case "alert" | "alert-again":
                return self._take_alert(json.loads(arrived.payload))
            case "words" | "words-again":
                message = json.loads(arrived.payload)
                if self._is_news(message["alert_id"], message["revision"], "words"):
                    self._show(message, "         " + "".join(f"「{words}」" for words in message["quotes"][-2:]))
            case "escalation" | "escalation-again":
                self._take_step(json.loads(arrived.payload))
            case "command":
                return [self._answer(arrived)]
            case "status" | "buttons-status" if json.loads(arrived.payload)["state"] == "online":
                # Who sends alerts, or calls for help, is there or there again.
                self._missed = True
        return []

    def asks(self) -> list[tuple[str, str]]:
        """Return the question for what is under way, as (topic, payload), if anything may have passed it by."""
        missed, self._missed = self._missed, False
        return [self.alive(wants_under_way=True)] if missed else []

    def acknowledge_all(self) -> list[tuple[str, str]]:
        """Return receipts that somebody has seen and acknowledges every alert nobody has answered yet."""
        kinds = ("seen", "acknowledged")
        receipts = [self._receipt(alert_id, kind) for alert_id in self._open for kind in kinds]
        self._open.clear()
        return receipts

    def alive(self, state: str = "online", *, wants_under_way: bool = False) -> tuple[str, str]:
        """Return the sign of life, as (topic, payload); it may ask for what is under way."""
        wants = {"wants": "under-way"} if wants_under_way else {}
        told = {"state": state, "at": self._now().isoformat()} | wants
        return topics.alive(self._box, self._name), json.dumps(told)

    def _take_alert(self, message: dict[str, Any]) -> list[tuple[str, str]]:
        if not self._is_news(message["alert_id"], message["revision"], message["incident_state"]):
            return []
        unconfirmed = " …確認中/UNCONFIRMED" if message.get("tentative") and not message.get("withdrawn") else ""
        self._show(
            message,
            f"{self._now().astimezone():%H:%M:%S} {MARKS.get(message['kind'], message['kind'])} "
            f"[{message['change']}/{message['incident_state']}] "
            f"席 {message['seat']} {message['severity']} {','.join(message['types'])} "
            f"{message['reason'][languages()[0]]}{unconfirmed}",
        )
        receipts = []
        if message["alert_id"] not in self._delivered:
            self._delivered.add(message["alert_id"])
            receipts.append(self._receipt(message["alert_id"], "delivered"))
            if self._auto:
                receipts.append(self._receipt(message["alert_id"], "acknowledged"))
        if message["change"] == "end" or message["incident_state"] != "open":
            self._open.pop(message["alert_id"], None)
        else:
            self._open[message["alert_id"]] = message
        return receipts

    def _answer(self, arrived: Arrived) -> tuple[str, str]:
        """Obey a command or refuse it; return what became of it."""
        refusal: Refusal | None = Refusal.UNREADABLE
        command_id = arrived.trace or "unreadable"
        try:
            message = json.loads(arrived.payload)
            command = Command(
                id=str(message["id"]),
                name=str(message["command"]),
                issued_at=datetime.fromisoformat(message["issued_at"]),
                expires_at=datetime.fromisoformat(message["expires_at"]),
            )
            command_id = command.id
            refusal = self._obedience.refuses(command, now=self._now())
            text = str(message["text"][languages()[0]])
        except (ValueError, KeyError, TypeError):
            refusal = refusal or Refusal.UNREADABLE
        if refusal is None:
            self._show(message, f"{self._now().astimezone():%H:%M:%S} ◇ テスト/TEST {text}")
        else:
            log.warning("command.refused", device=self._name, state=refusal.value)
        told = {"outcome": "refused" if refusal else "done", "reason": refusal or "", "at": self._now().isoformat()}
        return topics.result(self._box, command_id, self._name), json.dumps(told)

    def _take_step(self, message: dict[str, Any]) -> None:
        if self._is_news(message["alert_id"], message["step"], f"asked {message['times']}"):
            who = "、".join(message["asked"]) or message["role"][languages()[0]]
            self._show(message, f"{self._now().astimezone():%H:%M:%S} → 席 {message['seat']} {message['level']} {who}")

    def _is_news(self, *key: str | int) -> bool:
        news = key not in self._seen
        self._seen.add(key)
        return news

    def _receipt(self, alert_id: str, kind: str) -> tuple[str, str]:
        payload = json.dumps({"kind": kind, "at": self._now().isoformat()})
        return topics.receipt(self._box, alert_id, self._name), payload

    def _show(self, message: dict[str, Any], line: str) -> None:
        click.echo(json.dumps(message, ensure_ascii=False) if self._as_json else line)


@click.command()
@click.option("--name", default="panel-1", show_default=True, help="登録した機器名 / the device's name")
@click.option("--json", "as_json", is_flag=True, help="1行に1メッセージのJSON / one JSON message a line")
@click.option("--ack", "auto", is_flag=True, help="届いたらすぐ確認済みにする / acknowledge at once")
@click.option("--seconds", type=float, help="この秒数で終わる / end after so many seconds")
@DATA
def panel(*, name: str, as_json: bool, auto: bool, seconds: float | None, data: Path) -> None:
    """端末で動く見本のパネル。Enter で確認 / a reference panel; Enter acknowledges."""
    settings = settings_of(data)
    base = topics.base(settings.box)
    wanted = ["alert/+", f"alert/+/{name}", "escalation/+", f"escalation/+/{name}", f"cmd/{name}/+"]
    wanted += ["status", "buttons/status"]
    if broker.devices(settings).get(name) == DeviceKind.PANEL:
        wanted += ["words/+", f"words/+/{name}"]
    shown = Panel(settings.box, name, as_json=as_json, auto=auto)
    link = MqttMessenger(
        host=settings.mqtt.host,
        port=settings.mqtt.port,
        ca_file=settings.ca_file,
        user=name,
        password_file=settings.data / "secrets" / f"mqtt-{name}",
        subscriptions=[f"{base}/{topic}" for topic in wanted],
        will=shown.alive("offline"),
        retain_will=False,
    )
    link.start()
    say(Text("接続しています。Enter で確認、Ctrl-C で終了。", "Connecting. Enter acknowledges, Ctrl-C ends."))
    waiting: list[tuple[str, str]] = []
    deadline = time.monotonic() + seconds if seconds else None
    keys_open = sys.stdin.isatty()
    connection, alive_at = 0, 0.0
    try:
        while deadline is None or time.monotonic() < deadline:
            if keys_open and select.select([sys.stdin], [], [], LOOK_S)[0]:
                keys_open = bool(sys.stdin.readline())
                waiting += shown.acknowledge_all()
            elif not keys_open:
                time.sleep(LOOK_S)
            for arrived in link.arrived():
                waiting += shown.take(arrived)
            waiting += shown.asks()
            if link.connected() and (link.generation() != connection or time.monotonic() >= alive_at):
                # Not among what waits: a sign of life is worth nothing later.
                connection, alive_at = link.generation(), time.monotonic() + ALIVE_S
                topic, payload = shown.alive()
                link.send(topic=topic, payload=payload)
            # A receipt that cannot be sent now is sent when the broker is back.
            waiting = [item for item in waiting if link.send(topic=item[0], payload=item[1]) is None]
    except KeyboardInterrupt:
        pass
    finally:
        link.stop()
