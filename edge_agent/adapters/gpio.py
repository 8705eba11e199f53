"""Buttons and lamps on pins of the box, by libgpiod 2.

A chip is named by its label, as `gpiodetect` shows it: its number may change from start to start. Edges carry the
kernel's own monotonic time, so that a press is as long as it was, however late it is read.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from glob import glob
from time import monotonic
from typing import Protocol

import gpiod
from gpiod.line import Bias, Direction, Edge, Value

from edge_agent.domain import press
from edge_agent.errors import ButtonError, Text
from edge_agent.log import Log
from edge_agent.ports import ButtonSeen, ButtonSignal, ContactChanged, ContactFound
from edge_agent.settings_buttons import Button

WAIT_S = 0.2
"""How long an edge is waited for before it is looked whether to stop."""
RETRY_S = 2.0
"""Between attempts at a chip that is not there or taken."""
SHOW_S = 30.0
"""How often it is told that the lines are open."""
CONSUMER = "mamori"

log = Log("gpio")


class Lines(Protocol):
    """Requested lines of one chip; `gpiod.LineRequest` is one."""

    def get_values(self, lines: Iterable[int | str] | None = None) -> list[Value]:
        """Return the lines' values."""
        ...

    def wait_edge_events(self, timeout: timedelta | float | None = None) -> bool:
        """Return whether there are edges to be read."""
        ...

    def read_edge_events(self, max_events: int | None = None) -> list[gpiod.EdgeEvent]:
        """Return the edges since the last call."""
        ...

    def release(self) -> None:
        """Give the lines back."""
        ...


class GpioButtons:
    """The buttons on one chip."""

    def __init__(
        self,
        chip: str,
        buttons: Sequence[Button],
        *,
        debounce_s: float,
        open_lines: Callable[[str, Sequence[Button], float], Lines] | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._chip = chip
        self._buttons = {button.line: button for button in buttons}
        self._debounce_s = debounce_s
        self._open_lines = open_lines or request_inputs
        self._clock = clock

    def run(self, stop: threading.Event, tell: Callable[[ButtonSignal], None]) -> None:
        """Tell what the buttons do until told to stop."""
        while not stop.is_set():
            try:
                lines = self._open_lines(self._chip, list(self._buttons.values()), self._debounce_s)
            except (OSError, ValueError, ButtonError) as error:
                self._lost(error, tell)
                stop.wait(RETRY_S)
                continue
            try:
                self._watch(lines, stop, tell)
            except OSError as error:
                self._lost(error, tell)
                stop.wait(RETRY_S)
            finally:
                lines.release()

    def _watch(self, lines: Lines, stop: threading.Event, tell: Callable[[ButtonSignal], None]) -> None:
        for offset, value in zip(self._buttons, lines.get_values(list(self._buttons)), strict=True):
            name = self._buttons[offset].name
            tell(ContactFound(button=name, pressed=value is Value.ACTIVE, at_s=self._clock()))
        shown_at = -SHOW_S
        while not stop.is_set():
            if self._clock() - shown_at >= SHOW_S:
                shown_at = self._clock()
                for button in self._buttons.values():
                    tell(ButtonSeen(button=button.name))
            if not lines.wait_edge_events(WAIT_S):
                continue
            for event in lines.read_edge_events():
                pressed = event.event_type is gpiod.EdgeEvent.Type.RISING_EDGE
                edge = press.Edge(pressed=pressed, at_s=event.timestamp_ns / 1e9)
                tell(ContactChanged(button=self._buttons[event.line_offset].name, edge=edge))

    def _lost(self, error: Exception, tell: Callable[[ButtonSignal], None]) -> None:
        log.error("chip.lost", device=self._chip, error=type(error).__name__)
        fault = Text(
            f"GPIO チップ {self._chip} の端子を使えません。配線と設定の chip・line を確認してください。",
            f"Lines of GPIO chip {self._chip} cannot be used. Check the wiring, and chip and line in the settings.",
        )
        for button in self._buttons.values():
            tell(ButtonSeen(button=button.name, fault=fault))


class GpioLight:
    """A lamp on one pin; opened when it is first switched, and again when its chip has gone and come back."""

    def __init__(self, chip: str, line: int, *, clock: Callable[[], float] = monotonic) -> None:
        self._chip = chip
        self._line = line
        self._request: gpiod.LineRequest | None = None
        self._clock = clock
        self._retry_at = 0.0

    def show(self, *, on: bool) -> None:
        """Switch it; what goes wrong is logged and tried again."""
        if self._request is None and self._clock() < self._retry_at:
            return
        try:
            if self._request is None:
                settings = gpiod.LineSettings(direction=Direction.OUTPUT, output_value=Value.INACTIVE)
                path = find_chip(self._chip)
                self._request = gpiod.request_lines(path, consumer=CONSUMER, config={self._line: settings})
            self._request.set_value(self._line, Value.ACTIVE if on else Value.INACTIVE)
        except (OSError, ValueError, ButtonError) as error:
            log.error("lamp.lost", device=self._chip, line=self._line, error=type(error).__name__)
            self._retry_at = self._clock() + RETRY_S
            if self._request is not None:
                self._request.release()
                self._request = None


def find_chip(name: str) -> str:
    """Return the path of the chip with this label or path; raise `ButtonError` if there is none."""
    for path in sorted(glob("/dev/gpiochip*")):  # noqa: PTH207 - device nodes, not a folder of ours
        if path == name:
            return path
        with gpiod.Chip(path) as chip:
            if chip.get_info().label == name:
                return path
    raise ButtonError(
        Text(f"GPIO チップ {name} が見つかりません。", f"There is no GPIO chip {name}."),
        Text("「gpiodetect」に出る名前を設定の chip に書いてください。", "Name it as “gpiodetect” shows it."),
    )


def request_inputs(chip: str, buttons: Sequence[Button], debounce_s: float) -> Lines:
    """Ask the kernel for the buttons' lines, both edges, debounced; raises OSError or `ButtonError`."""
    path = find_chip(chip)
    try:
        return _request(path, buttons, debounce_s, pulled=True)
    except OSError:
        # The chip cannot pull its lines itself: the wiring has to.
        return _request(path, buttons, debounce_s, pulled=False)


def _request(path: str, buttons: Sequence[Button], debounce_s: float, *, pulled: bool) -> Lines:
    config: dict[Iterable[int | str] | int | str, gpiod.LineSettings | None] = {}
    for button in buttons:
        pull = Bias.PULL_UP if button.active_low else Bias.PULL_DOWN
        config[button.line] = gpiod.LineSettings(
            direction=Direction.INPUT,
            edge_detection=Edge.BOTH,
            bias=pull if pulled else Bias.AS_IS,
            active_low=button.active_low,
            debounce_period=timedelta(seconds=debounce_s),
        )
    return gpiod.request_lines(path, consumer=CONSUMER, config=config)
