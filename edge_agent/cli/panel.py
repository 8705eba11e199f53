"""`mamori panel`: a reference panel for a terminal. Shows alerts, says that they came, and acknowledges them."""

from __future__ import annotations

import json
import select
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from edge_agent.adapters.mqtt import MqttMessenger
from edge_agent.cli.devices import DATA, settings_of
from edge_agent.cli.words import languages, say
from edge_agent.errors import Text
from edge_agent.ports import Arrived
from edge_agent.services import topics, wire
from edge_agent.settings import Box

LOOK_S = 0.05
MARKS = {"harassment": "■ 疑い/SUSPECTED", "life_safety": "♥ 安否/LIFE SAFETY", "help": "▲ 応援/HELP"}


class Panel:
    """What a panel knows: the newest message of every alert, so that a repeat is shown once."""

    def __init__(self, box: Box, name: str, *, as_json: bool, auto: bool) -> None:
        self._box = box
        self._name = name
        self._as_json = as_json
        self._auto = auto
        self._seen: set[tuple[str, int, str]] = set()
        self._open: dict[str, dict[str, Any]] = {}

    def take(self, arrived: Arrived) -> list[tuple[str, str]]:
        """Show a message if it is news; return receipts to send, as (topic, payload)."""
        found = wire.find(arrived.topic)
        if found is None or found.kind.name not in {"alert", "words", "escalation"}:
            return []
        message = json.loads(arrived.payload)
        if found.kind.name == "words":
            self._show_words(message)
            return []
        if found.kind.name == "escalation":
            self._show_asked(message)
            return []
        key = (message["alert_id"], message["revision"], message["incident_state"])
        if key in self._seen:
            return []
        self._seen.add(key)
        self._show(message)
        receipts = []
        if message["change"] == "new":
            receipts.append(self._receipt(message["alert_id"], "delivered"))
            if self._auto:
                receipts.append(self._receipt(message["alert_id"], "acknowledged"))
        if message["change"] == "end" or message["incident_state"] != "open":
            self._open.pop(message["alert_id"], None)
        else:
            self._open[message["alert_id"]] = message
        return receipts

    def _show_asked(self, message: dict[str, Any]) -> None:
        key = (message["alert_id"], message["step"], f"asked {message['times']}")
        if key in self._seen:
            return
        self._seen.add(key)
        if self._as_json:
            click.echo(json.dumps(message, ensure_ascii=False))
            return
        language = languages()[0]
        who = "、".join(message["asked"]) or message["role"][language]
        click.echo(f"{datetime.now().astimezone():%H:%M:%S} → 席 {message['seat']} {message['level']} {who}")

    def acknowledge_all(self) -> list[tuple[str, str]]:
        """Return receipts that acknowledge every alert nobody has answered yet."""
        receipts = [self._receipt(alert_id, "acknowledged") for alert_id in self._open]
        self._open.clear()
        return receipts

    def _receipt(self, alert_id: str, kind: str) -> tuple[str, str]:
        payload = json.dumps({"kind": kind, "at": datetime.now(UTC).isoformat()})
        return topics.receipt(self._box, alert_id, self._name), payload

    def _show(self, message: dict[str, Any]) -> None:
        if self._as_json:
            click.echo(json.dumps(message, ensure_ascii=False))
            return
        language = languages()[0]
        mark = MARKS.get(message["kind"], message["kind"])
        unconfirmed = " …確認中/UNCONFIRMED" if message.get("tentative") and not message.get("withdrawn") else ""
        click.echo(
            f"{datetime.now().astimezone():%H:%M:%S} {mark} [{message['change']}/{message['incident_state']}] "
            f"席 {message['seat']} {message['severity']} {','.join(message['types'])} "
            f"{message['reason'][language]}{unconfirmed}"
        )

    def _show_words(self, message: dict[str, Any]) -> None:
        """Show the words an alert relies on, unless this revision's were shown."""
        key = (message["alert_id"], message["revision"], "words")
        if key in self._seen:
            return
        self._seen.add(key)
        if self._as_json:
            click.echo(json.dumps(message, ensure_ascii=False))
            return
        click.echo("         " + "".join(f"「{words}」" for words in message["quotes"][-2:]))


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
    link = MqttMessenger(
        host=settings.mqtt.host,
        port=settings.mqtt.port,
        ca_file=settings.ca_file,
        user=name,
        password_file=settings.data / "secrets" / f"mqtt-{name}",
        subscriptions=[f"{base}/{kind}/+" for kind in ("alert", "words", "escalation")] + [f"{base}/status"],
    )
    shown = Panel(settings.box, name, as_json=as_json, auto=auto)
    link.start()
    say(Text("接続しています。Enter で確認、Ctrl-C で終了。", "Connecting. Enter acknowledges, Ctrl-C ends."))
    waiting: list[tuple[str, str]] = []
    deadline = time.monotonic() + seconds if seconds else None
    keys_open = sys.stdin.isatty()
    try:
        while deadline is None or time.monotonic() < deadline:
            if keys_open and select.select([sys.stdin], [], [], LOOK_S)[0]:
                keys_open = bool(sys.stdin.readline())
                waiting += shown.acknowledge_all()
            elif not keys_open:
                time.sleep(LOOK_S)
            for arrived in link.arrived():
                waiting += shown.take(arrived)
            # A receipt that cannot be sent now is sent when the broker is back.
            waiting = [item for item in waiting if link.send(topic=item[0], payload=item[1]) is None]
    except KeyboardInterrupt:
        pass
    finally:
        link.stop()
