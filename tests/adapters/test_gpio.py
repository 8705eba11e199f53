"""Buttons on pins: recorded edges through the code that reads the kernel's."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

gpiod = pytest.importorskip("gpiod", reason="libgpiod is for Linux")

from gpiod.line import Value  # noqa: E402

from edge_agent.adapters.gpio import GpioButtons, GpioLight, find_chip  # noqa: E402
from edge_agent.domain.press import Edge, Gesture  # noqa: E402
from edge_agent.errors import ButtonError  # noqa: E402
from edge_agent.ports import ButtonSeen, ButtonSignal, ContactChanged, ContactFound  # noqa: E402
from edge_agent.settings_buttons import Button  # noqa: E402
from tests.fakes import Moments  # noqa: E402
from tests.presses import gestures_of  # noqa: E402

RECORDINGS = Path(__file__).parents[1] / "recordings/buttons"
BUTTONS = (
    Button(name="desk-01", seat="01", kind="gpio", chip="sim", line=1),
    Button(name="desk-02", seat="02", kind="gpio", chip="sim", line=4),
)


class RecordedLines:
    """Lines whose edges were recorded; `breaks` raises as a chip that has gone."""

    def __init__(
        self, events: Sequence[gpiod.EdgeEvent], *, pressed: tuple[int, ...] = (), breaks: bool = False
    ) -> None:
        self._events = list(events)
        self._pressed = pressed
        self._breaks = breaks
        self.released = False

    def get_values(self, lines: Iterable[int] | None = None) -> list[Value]:
        return [Value.ACTIVE if line in self._pressed else Value.INACTIVE for line in lines or ()]

    def wait_edge_events(self, _timeout: timedelta | float | None = None) -> bool:
        if self._breaks and not self._events:
            raise OSError(19, "No such device")
        return bool(self._events)

    def read_edge_events(self, _max_events: int | None = None) -> list[gpiod.EdgeEvent]:
        # One at a time, as slow as a person.
        return [self._events.pop(0)]

    def release(self) -> None:
        self.released = True


def edge(line: int, kind: str, at_s: float) -> gpiod.EdgeEvent:
    types = {"rising": gpiod.EdgeEvent.Type.RISING_EDGE, "falling": gpiod.EdgeEvent.Type.FALLING_EDGE}
    return gpiod.EdgeEvent(types[kind].value, round(at_s * 1e9), line, 0, 0)


def recorded(name: str) -> list[gpiod.EdgeEvent]:
    rows = [json.loads(row) for row in (RECORDINGS / name).read_text(encoding="utf-8").splitlines()]
    return [edge(row["line"], row["edge"], row["timestamp_ns"] / 1e9) for row in rows]


def heard(*openings: RecordedLines | Exception, looks: int = 60) -> list[ButtonSignal]:
    """Return what is told when the chip is opened with these outcomes, one after another."""
    told: list[ButtonSignal] = []
    left = list(openings)

    def open_lines(_chip: str, _buttons: Sequence[Button], _debounce_s: float) -> RecordedLines:
        opening = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(opening, Exception):
            raise opening
        return opening

    source = GpioButtons("sim", BUTTONS, debounce_s=0.02, open_lines=open_lines, clock=lambda: 100.0)
    nothing: Callable[[], None] = lambda: None  # noqa: E731
    source.run(Moments(*[nothing] * looks), told.append)  # type: ignore[arg-type]
    return told


def test_edges_are_told_with_the_kernels_own_time() -> None:
    told = heard(RecordedLines([edge(1, "rising", 12.5), edge(1, "falling", 12.75)]))
    assert [signal for signal in told if isinstance(signal, ContactChanged)] == [
        ContactChanged(button="desk-01", edge=Edge(pressed=True, at_s=12.5)),
        ContactChanged(button="desk-01", edge=Edge(pressed=False, at_s=12.75)),
    ]


def test_how_the_buttons_are_found_is_told_first() -> None:
    told = heard(RecordedLines([], pressed=(4,)))
    assert told[:2] == [
        ContactFound(button="desk-01", pressed=False, at_s=100.0),
        ContactFound(button="desk-02", pressed=True, at_s=100.0),
    ]
    assert ButtonSeen(button="desk-01") in told


def test_a_chip_that_is_not_there_is_a_fault_of_its_buttons_until_it_comes() -> None:
    lines = RecordedLines([edge(4, "rising", 5.0)])
    told = heard(OSError(2, "No such file"), lines)
    assert [s.button for s in told if isinstance(s, ButtonSeen) and s.fault] == ["desk-01", "desk-02"]
    assert told[-1] == ContactChanged(button="desk-02", edge=Edge(pressed=True, at_s=5.0))


def test_a_chip_that_goes_is_given_back_and_opened_again() -> None:
    first, second = RecordedLines([edge(1, "rising", 5.0)], breaks=True), RecordedLines([edge(1, "falling", 6.0)])
    told = heard(first, second)
    assert first.released
    assert told[-1] == ContactChanged(button="desk-01", edge=Edge(pressed=False, at_s=6.0))


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("gpio-short.jsonl", [("desk-01", Gesture.HELP)]),
        ("gpio-long.jsonl", [("desk-01", Gesture.WITHDRAW)]),
        ("gpio-held.jsonl", [("desk-01", Gesture.EMERGENCY)]),
        ("gpio-bouncing.jsonl", [("desk-01", Gesture.HELP), ("desk-02", Gesture.HELP)]),
    ],
)
def test_recorded_presses_mean_what_was_pressed(name: str, meant: list[tuple[str, Gesture]]) -> None:
    assert gestures_of(heard(RecordedLines(recorded(name)))) == meant


def test_a_chip_nobody_has_is_named_with_a_remedy() -> None:
    with pytest.raises(ButtonError, match="no-such-chip"):
        find_chip("no-such-chip")


def test_a_lamp_whose_chip_is_not_there_breaks_nothing() -> None:
    lamp = GpioLight("no-such-chip", 3)
    lamp.show(on=True)
    lamp.show(on=False)
