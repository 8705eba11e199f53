"""What buttons on the network say, in the words of their makers.

- Mamori's own, sent by the files in firmware_config/buttons: ``{"press": "short", "id": "5f3a-17", "age_s": 4}``.
  ``press`` is short, long or hold; without it the message is a heartbeat. ``id`` numbers the press, ``age_s`` says how
  many seconds ago it was; ``battery`` (percent) may go with either;
  ``"state": "offline"`` is its last will.
- ESPHome's binary sensor: ``ON`` while it is pressed, ``OFF`` when it is released; ``online`` and ``offline``.
- Shelly (second generation and later) on ``…/events/rpc``: `NotifyEvent` with ``single_push``, ``double_push``,
  ``triple_push`` or ``long_push`` of an input or a BTHome button, `NotifyStatus` with the battery; ``true`` and
  ``false`` on ``…/online``. A Shelly by itself knows no three seconds: three pushes are its emergency.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from edge_agent.domain.press import Edge, Gesture
from edge_agent.errors import Text
from edge_agent.ports import Arrived, ButtonPressed, ButtonSeen, ButtonSignal, ContactChanged

GESTURES = {
    "short": Gesture.HELP,
    "long": Gesture.WITHDRAW,
    "hold": Gesture.EMERGENCY,
    "single_push": Gesture.HELP,
    "double_push": Gesture.HELP,
    "triple_push": Gesture.EMERGENCY,
    "long_push": Gesture.WITHDRAW,
}
COMPONENTS = ("input:", "bthomedevice:", "bthomesensor:")
LONGEST_ID = 64
OLDEST_S = 7 * 24 * 3600
"""A press cannot be older than this when it comes; an older one is a clock that went wrong."""
AWAY = Text(
    "ボタンがネットワークから離れています。電源と無線を確認してください。",
    "The button has left the network. Check its power and the wireless network.",
)


class ButtonMessages:
    """Reads messages on a box's button topics."""

    def __init__(self, base: str) -> None:
        """Take messages below `base`, the prefix of the box's topics."""
        self._topic = re.compile(rf"{re.escape(base)}/button/(?P<name>[^/]+)(?:/(?P<rest>events/rpc|online))?")
        self.subscriptions = tuple(f"{base}/button/+{end}" for end in ("", "/events/rpc", "/online"))

    def read(self, arrived: Arrived, *, at_s: float) -> list[ButtonSignal] | None:
        """Return what a message says, nothing if it cannot be understood, None if it is not about a button."""
        match = self._topic.fullmatch(arrived.topic)
        if match is None:
            return None
        name = match["name"]
        text = arrived.payload.decode("utf-8", errors="replace").strip()
        plain = self._plain(name, text.lower(), at_s=at_s)
        if plain is not None:
            return [plain]
        try:
            message = json.loads(text)
        except (ValueError, RecursionError):
            return []
        if not isinstance(message, dict):
            return []
        if "method" in message:
            return list(_shelly(name, message))
        return list(_own(name, message))

    def _plain(self, name: str, text: str, *, at_s: float) -> ButtonSignal | None:
        match text:
            case "on" | "off":
                return ContactChanged(button=name, edge=Edge(pressed=text == "on", at_s=at_s))
            case "true" | "online":
                return ButtonSeen(button=name)
            case "false" | "offline":
                return ButtonSeen(button=name, fault=AWAY)
        return None


def _own(name: str, message: dict[str, Any]) -> Iterator[ButtonSignal]:
    away = AWAY if message.get("state") == "offline" else None
    yield ButtonSeen(button=name, battery=_percent(message.get("battery")), fault=away)
    gesture = GESTURES.get(str(message.get("press")))
    if gesture is not None:
        told = message.get("id")
        yield ButtonPressed(
            button=name,
            gesture=gesture,
            told=None if told is None else str(told)[:LONGEST_ID],
            age_s=_age(message.get("age_s")),
        )


def _shelly(name: str, message: dict[str, Any]) -> Iterator[ButtonSignal]:
    params = message.get("params")
    if not isinstance(params, dict):
        return
    yield ButtonSeen(button=name, battery=_shelly_battery(params))
    events = params.get("events")
    if message["method"] != "NotifyEvent" or not isinstance(events, list):
        return
    for event in events:
        if not isinstance(event, dict):
            continue
        component, what = str(event.get("component")), str(event.get("event"))
        gesture = GESTURES.get(what)
        if gesture is not None and component.startswith(COMPONENTS):
            told = f"{event.get('ts', params.get('ts'))}/{component}/{what}"
            yield ButtonPressed(button=name, gesture=gesture, told=told)


def _shelly_battery(params: dict[str, Any]) -> int | None:
    for key, status in params.items():
        if not isinstance(status, dict):
            continue
        if key.startswith("devicepower:") and isinstance(status.get("battery"), dict):
            return _percent(status["battery"].get("percent"))
        if key.startswith("bthomedevice:"):
            return _percent(status.get("battery"))
    return None


def _age(told: object) -> float:
    if isinstance(told, bool) or not isinstance(told, int | float):
        return 0.0
    return float(told) if 0 <= told <= OLDEST_S else 0.0


def _percent(told: object) -> int | None:
    if isinstance(told, bool) or not isinstance(told, int | float):
        return None
    return int(told) if 0 <= told <= 100 else None  # noqa: PLR2004 - percent
