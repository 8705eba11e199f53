"""What the broker's log says of those it has refused, line by line.

Mosquitto accepts a subscription that asks for more than its rights, and gives nothing of it; its log names who
subscribed to what. So asking for more is told from the rights themselves.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from edge_agent.domain.device import DeviceKind
from edge_agent.services import rights, topics
from edge_agent.services.topic_filter import covers, meet
from edge_agent.settings import Box

STRANGER = "?"
"""Stands for whoever did not get in, whom the broker does not name, and for every name that is on no list."""
LONGEST_TOPIC = 120
"""Of a topic so many characters are kept."""

_LOGIN = re.compile(r"\d+: Client .* disconnected, not authorised\.")
_PUBLISH = re.compile(r"\d+: Denied PUBLISH from (?P<name>.*) \(d\d, q\d, r\d, m\d+, '(?P<topic>.*)', \.\.\. \(.*\)\)")
_SUBSCRIBE = re.compile(r"\d+: (?P<name>\S+) [012] (?P<topic>\S.*)")
_OWN_BRANCHES = {DeviceKind.BUTTON: "button", DeviceKind.LAMP: "lamp"}
"""Below a topic of its own a maker's device asks for more than it needs; that reaches nobody else."""


class Attempt(StrEnum):
    """What was refused."""

    LOGIN = "login"
    PUBLISH = "publish"
    SUBSCRIBE = "subscribe"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One attempt the broker has refused; `topic` is empty for a log-in."""

    device: str
    attempt: Attempt
    topic: str = ""


def read(line: str, *, box: Box, known: Mapping[str, DeviceKind]) -> Refusal | None:
    """Return what a line of the log says was refused, None if nothing; `known`: the devices of the list."""
    if _LOGIN.fullmatch(line):
        return Refusal(device=STRANGER, attempt=Attempt.LOGIN)
    if match := _PUBLISH.fullmatch(line):
        name = match["name"] if match["name"] in known else STRANGER
        return Refusal(device=name, attempt=Attempt.PUBLISH, topic=_printable(match["topic"]))
    match = _SUBSCRIBE.fullmatch(line)
    if match is None or (kind := known.get(match["name"])) is None:
        return None
    name, wanted = match["name"], match["topic"]
    if not _too_much(wanted, kind=kind, name=name, box=box):
        return None
    return Refusal(device=name, attempt=Attempt.SUBSCRIBE, topic=_printable(wanted))


def _too_much(wanted: str, *, kind: DeviceKind, name: str, box: Box) -> bool:
    base = topics.base(box)
    if not meet(f"{base}/#", wanted):
        return False
    allowed = rights.may_read(kind.value, name=name, box=box)
    if kind in _OWN_BRANCHES:
        allowed.append(f"{base}/{_OWN_BRANCHES[kind]}/{name}/#")
    return not any(covers(right, wanted) for right in allowed)


def _printable(topic: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in topic)[:LONGEST_TOPIC]
