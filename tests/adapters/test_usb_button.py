"""USB buttons: recorded keys through the code that reads the kernel's."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pytest

evdev = pytest.importorskip("evdev", reason="evdev is for Linux")

from evdev import InputEvent, ecodes  # noqa: E402

from edge_agent.adapters.usb_button import BY_ID, GrabbedDevice, UsbButtons  # noqa: E402
from edge_agent.domain.press import Gesture  # noqa: E402
from edge_agent.ports import ButtonSeen, ButtonSignal, ContactChanged, ContactFound  # noqa: E402
from edge_agent.settings_buttons import Button  # noqa: E402
from tests.fakes import Moments  # noqa: E402
from tests.presses import gestures_of  # noqa: E402

RECORDINGS = Path(__file__).parents[1] / "recordings/buttons"
NOW_S = 1_800_000_100.0
"""Time of day at which the tests read; the monotonic clock is at 500."""
ANY_KEY = (Button(name="foot", seat="01", kind="usb", device="pedal"),)
TWO_KEYS = (
    Button(name="left", seat="01", kind="usb", device="pad", key="KEY_1"),
    Button(name="right", seat="02", kind="usb", device="pad", key="KEY_2"),
)


class RecordedKeys:
    """A device whose events were recorded; after the last it is gone if `unplugged`."""

    def __init__(self, events: Sequence[InputEvent], *, down: Iterable[int] = (), unplugged: bool = False) -> None:
        self._events = list(events)
        self.down = set(down)
        self._unplugged = unplugged
        self.closed = False

    def wait(self, _timeout_s: float) -> bool:
        return bool(self._events) or self._unplugged

    def read(self) -> list[InputEvent]:
        if not self._events:
            raise OSError(19, "No such device")
        return [self._events.pop(0)]

    def pressed(self) -> set[int]:
        return self.down

    def close(self) -> None:
        self.closed = True


def key(code: int, value: int, ago_s: float = 0.0) -> InputEvent:
    at = NOW_S - ago_s
    return InputEvent(int(at), round((at % 1) * 1e6), ecodes.EV_KEY, code, value)


def recorded(name: str) -> list[InputEvent]:
    rows = [json.loads(row) for row in (RECORDINGS / name).read_text(encoding="utf-8").splitlines()]
    return [InputEvent(row["sec"], row["usec"], row["type"], row["code"], row["value"]) for row in rows]


def heard(
    buttons: Sequence[Button], *openings: RecordedKeys | OSError, now_s: float = NOW_S, looks: int = 400
) -> list[ButtonSignal]:
    told: list[ButtonSignal] = []
    left = list(openings)

    def open_device(_name: str) -> RecordedKeys:
        opening = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(opening, OSError):
            raise opening
        return opening

    source = UsbButtons(
        "pad", buttons, open_device=open_device, monotonic_clock=lambda: 500.0, wall_clock=lambda: now_s
    )
    nothing: Callable[[], None] = lambda: None  # noqa: E731
    source.run(Moments(*[nothing] * looks), told.append)  # type: ignore[arg-type]
    return told


def edges(told: list[ButtonSignal]) -> list[tuple[str, bool, float]]:
    return [(s.button, s.edge.pressed, s.edge.at_s) for s in told if isinstance(s, ContactChanged)]


def test_keys_are_told_with_the_time_at_which_they_were_pressed() -> None:
    told = heard(ANY_KEY, RecordedKeys([key(ecodes.KEY_ENTER, 1, 0.75), key(ecodes.KEY_ENTER, 0, 0.25)]))
    assert edges(told) == [("foot", True, 499.25), ("foot", False, 499.75)]


def test_a_key_that_repeats_by_itself_is_one_press() -> None:
    keys = [key(28, 1, 2.0), key(28, 2, 1.5), key(28, 2, 1.4), key(28, 0, 1.0)]
    assert [pressed for _, pressed, _ in edges(heard(ANY_KEY, RecordedKeys(keys)))] == [True, False]


def test_every_key_is_a_button_of_its_own() -> None:
    keys = [key(ecodes.KEY_1, 1), key(ecodes.KEY_2, 1), key(ecodes.KEY_3, 1), key(ecodes.KEY_1, 0)]
    told = edges(heard(TWO_KEYS, RecordedKeys(keys)))
    assert [(name, pressed) for name, pressed, _ in told] == [("left", True), ("right", True), ("left", False)]


def test_one_button_for_all_keys_is_released_when_all_are_up() -> None:
    keys = [key(30, 1), key(31, 1), key(30, 0), key(31, 0)]
    assert [pressed for _, pressed, _ in edges(heard(ANY_KEY, RecordedKeys(keys)))] == [True, False]


def test_events_the_kernel_dropped_are_made_up_for() -> None:
    dropped = InputEvent(int(NOW_S), 0, ecodes.EV_SYN, ecodes.SYN_DROPPED, 0)
    device = RecordedKeys([key(ecodes.KEY_1, 1), dropped], down=())
    told = edges(heard(TWO_KEYS, device))
    assert [(name, pressed) for name, pressed, _ in told] == [("left", True), ("left", False)]


def test_a_device_that_is_not_plugged_in_is_a_fault_until_it_is() -> None:
    told = heard(ANY_KEY, OSError(2, "No such file"), RecordedKeys([key(28, 1)], down=()))
    assert [s.button for s in told if isinstance(s, ButtonSeen) and s.fault] == ["foot"]
    assert ContactFound(button="foot", pressed=False, at_s=500.0) in told
    assert [pressed for _, pressed, _ in edges(told)] == [True]


def test_whoever_held_the_button_when_the_plug_came_out_calls_for_help() -> None:
    device = RecordedKeys([key(28, 1, 0.5)], unplugged=True)
    told = heard(ANY_KEY, device, OSError(19, "No such device"))
    assert device.closed
    assert gestures_of(told) == [("foot", Gesture.HELP)]


def test_a_clock_that_was_set_back_does_not_put_a_press_into_the_past() -> None:
    told = heard(ANY_KEY, RecordedKeys([key(28, 1, ago_s=-3600.0)]))
    assert edges(told) == [("foot", True, 500.0)]


def test_a_key_held_when_watching_begins_is_found() -> None:
    told = heard(TWO_KEYS, RecordedKeys([], down=(ecodes.KEY_2,)))
    assert [(s.button, s.pressed) for s in told if isinstance(s, ContactFound)] == [("left", False), ("right", True)]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("usb-short.jsonl", Gesture.HELP),
        ("usb-long.jsonl", Gesture.WITHDRAW),
        ("usb-held.jsonl", Gesture.EMERGENCY),
    ],
)
def test_recorded_presses_mean_what_was_pressed(name: str, meant: Gesture) -> None:
    events = recorded(name)
    device = RecordedKeys(events)
    assert gestures_of(heard(ANY_KEY, device, now_s=events[-1].timestamp())) == [("foot", meant)]


@pytest.mark.skipif(BY_ID.exists(), reason="there are input devices here")
def test_a_device_nobody_has_cannot_be_opened() -> None:
    with pytest.raises(OSError, match="No such file"):
        GrabbedDevice("usb-nothing-event-kbd")
