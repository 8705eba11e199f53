"""The broker's log, line by line: what was refused, to whom, and what was not."""

from __future__ import annotations

import pytest

from edge_agent.domain.device import DeviceKind
from edge_agent.services import rights, topics
from edge_agent.services.broker_log import LONGEST_TOPIC, STRANGER, Attempt, Refusal, read
from tests.builders import BOX

BASE = topics.base(BOX)
KNOWN = {
    "panel-1": DeviceKind.PANEL,
    "wall-1": DeviceKind.WALLBOARD,
    "desk-1": DeviceKind.LAMP,
    "button-1": DeviceKind.BUTTON,
    "home": DeviceKind.HOME_ASSISTANT,
}


def refusal(line: str) -> Refusal | None:
    return read(f"1795899669: {line}", box=BOX, known=KNOWN)


def denied(name: str, topic: str) -> str:
    return f"Denied PUBLISH from {name} (d0, q1, r0, m1, '{topic}', ... (2 bytes))"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("Client <unknown> disconnected, not authorised.", Refusal(device=STRANGER, attempt=Attempt.LOGIN)),
        (
            denied("panel-1", f"{BASE}/cmd/box/self-test"),
            Refusal(device="panel-1", attempt=Attempt.PUBLISH, topic=f"{BASE}/cmd/box/self-test"),
        ),
        (denied("panel-9", "a/b"), Refusal(device=STRANGER, attempt=Attempt.PUBLISH, topic="a/b")),
    ],
)
def test_a_refused_log_in_and_message_are_told(line: str, told: Refusal) -> None:
    assert refusal(line) == told


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("desk-1", f"{BASE}/words/+"),
        ("wall-1", f"{BASE}/words/a1"),
        ("wall-1", f"{BASE}/#"),
        ("panel-1", "#"),
        ("panel-1", f"{BASE}/cmd/+/+"),
        ("button-1", f"{BASE}/button/+/led"),
        ("home", "+/v1/+/+/+/words/#"),
    ],
)
def test_a_subscription_beyond_the_rights_is_told(name: str, wanted: str) -> None:
    told = Refusal(device=name, attempt=Attempt.SUBSCRIBE, topic=wanted)
    assert refusal(f"{name} 1 {wanted}") == told


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_what_a_device_may_read_is_no_attempt(name: str) -> None:
    for allowed in rights.may_read(KNOWN[name].value, name=name, box=BOX):
        assert refusal(f"{name} 1 {allowed}") is None


@pytest.mark.parametrize(
    "line",
    [
        "home 0 homeassistant/+/+/config",
        f"button-1 0 {BASE}/button/button-1/rpc",
        "agent 1 #",
        "panel-9 1 #",
        "mosquitto version 2.0.11 running",
        "New client connected from 127.0.0.1:52144 as panel-1 (p5, c0, k10, u'panel-1').",
        "",
    ],
)
def test_other_lines_and_what_reaches_nobody_are_no_attempt(line: str) -> None:
    assert refusal(line) is None


def test_of_a_topic_no_more_is_kept_than_can_be_shown() -> None:
    told = refusal(denied("panel-1", "\x1b[31m" + "a" * 1000))
    assert told is not None
    assert told.topic.startswith("?[31maaa")
    assert len(told.topic) == LONGEST_TOPIC
