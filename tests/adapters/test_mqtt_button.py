"""What buttons on the network say, in their makers' words."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.adapters.mqtt_button import AWAY, ButtonMessages
from edge_agent.domain.press import Edge, Gesture
from edge_agent.ports import Arrived, ButtonPressed, ButtonSeen, ButtonSignal, ContactChanged
from edge_agent.services import topics
from tests.builders import BOX

BASE = topics.base(BOX)
MESSAGES = ButtonMessages(BASE)
NAME = "button-03"


def read(payload: object, rest: str = "") -> list[ButtonSignal] | None:
    text = payload if isinstance(payload, str) else json.dumps(payload)
    topic = f"{topics.button(BOX, NAME)}{rest}"
    return MESSAGES.read(Arrived(topic=topic, payload=text.encode()), at_s=7.0)


def shelly(event: str, *, component: str = "input:0", ts: float = 1631266595.43) -> dict[str, object]:
    """Return a notification as a Shelly sends it on events/rpc."""
    return {
        "src": "shellyplusi4-a8032ab636ec",
        "dst": "shellyplusi4-a8032ab636ec/events",
        "method": "NotifyEvent",
        "params": {"ts": ts, "events": [{"component": component, "id": 0, "event": event, "ts": ts}]},
    }


@pytest.mark.parametrize(
    ("press", "gesture"), [("short", Gesture.HELP), ("long", Gesture.WITHDRAW), ("hold", Gesture.EMERGENCY)]
)
def test_a_press_of_our_own_is_numbered_and_may_be_late(press: str, gesture: Gesture) -> None:
    assert read({"press": press, "id": "99-7", "age_s": 12, "battery": 87}) == [
        ButtonSeen(button=NAME, battery=87),
        ButtonPressed(button=NAME, gesture=gesture, told="99-7", age_s=12.0),
    ]


def test_without_a_press_it_is_a_heartbeat() -> None:
    assert read({"state": "online", "battery": 55.4}) == [ButtonSeen(button=NAME, battery=55)]


def test_a_last_will_is_a_fault() -> None:
    assert read({"state": "offline"}) == [ButtonSeen(button=NAME, fault=AWAY)]
    assert read("offline") == [ButtonSeen(button=NAME, fault=AWAY)]
    assert read("false", "/online") == [ButtonSeen(button=NAME, fault=AWAY)]
    assert read("true", "/online") == [ButtonSeen(button=NAME)]


def test_an_esphome_binary_sensor_is_a_contact() -> None:
    assert read("ON") == [ContactChanged(button=NAME, edge=Edge(pressed=True, at_s=7.0))]
    assert read("OFF") == [ContactChanged(button=NAME, edge=Edge(pressed=False, at_s=7.0))]


@pytest.mark.parametrize(
    ("event", "gesture"),
    [
        ("single_push", Gesture.HELP),
        ("double_push", Gesture.HELP),
        ("long_push", Gesture.WITHDRAW),
        ("triple_push", Gesture.EMERGENCY),
    ],
)
def test_pushes_of_a_shelly(event: str, gesture: Gesture) -> None:
    told = read(shelly(event), "/events/rpc")
    assert told is not None
    assert [(s.gesture, s.told) for s in told if isinstance(s, ButtonPressed)] == [
        (gesture, f"1631266595.43/input:0/{event}")
    ]


@pytest.mark.parametrize("event", ["btn_down", "btn_up", "toggle"])
def test_other_events_of_a_shelly_are_no_press(event: str) -> None:
    assert read(shelly(event), "/events/rpc") == [ButtonSeen(button=NAME)]


def test_a_bluetooth_button_behind_a_shelly() -> None:
    told = read(shelly("long_push", component="bthomesensor:202"), "/events/rpc")
    assert told is not None
    assert told[-1].gesture is Gesture.WITHDRAW  # type: ignore[union-attr]


def test_what_another_part_of_a_shelly_does_is_no_press() -> None:
    assert read(shelly("single_push", component="switch:0"), "/events/rpc") == [ButtonSeen(button=NAME)]


def test_the_battery_of_a_shelly() -> None:
    status = {"method": "NotifyStatus", "params": {"ts": 1.0, "devicepower:0": {"battery": {"V": 2.9, "percent": 63}}}}
    assert read(status, "/events/rpc") == [ButtonSeen(button=NAME, battery=63)]
    status = {"method": "NotifyStatus", "params": {"ts": 1.0, "bthomedevice:200": {"battery": 12, "rssi": -60}}}
    assert read(status, "/events/rpc") == [ButtonSeen(button=NAME, battery=12)]


def test_other_topics_are_not_about_buttons() -> None:
    for topic in (f"{BASE}/ack/a/panel-1", f"{BASE}/button/x/led", "mamori/v1/other/f1/box1/button/x"):
        assert MESSAGES.read(Arrived(topic=topic, payload=b"ON"), at_s=0.0) is None


@pytest.mark.parametrize("payload", ["", "{", "[]", "7", '"ON"', "null", '{"method": 3}', '{"method": "NotifyEvent"}'])
def test_what_makes_no_sense_is_no_press(payload: str) -> None:
    told = read(payload)
    assert told is not None
    assert not [signal for signal in told if isinstance(signal, ButtonPressed | ContactChanged)]


@given(st.binary(max_size=200), st.sampled_from(["", "/events/rpc", "/online"]))
def test_no_payload_breaks_the_reading(payload: bytes, rest: str) -> None:
    assert MESSAGES.read(Arrived(topic=f"{topics.button(BOX, NAME)}{rest}", payload=payload), at_s=0.0) is not None


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["press", "id", "battery", "method", "params", "events", "event", "ts"]), inner
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_no_message_breaks_the_reading(message: object) -> None:
    assert read(message, "/events/rpc") is not None
