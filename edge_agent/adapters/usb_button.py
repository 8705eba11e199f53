"""Buttons that are USB keyboards to the kernel, by evdev.

A device is known by its name in /dev/input/by-id, which survives replugging, and is grabbed: its keys reach nobody
else, the box's console among them.
"""

from __future__ import annotations

import select
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from time import monotonic, time
from typing import Protocol

from evdev import InputDevice, InputEvent, ecodes

from edge_agent.domain.press import Edge
from edge_agent.errors import Text
from edge_agent.log import Log
from edge_agent.ports import ButtonSeen, ButtonSignal, ContactChanged, ContactFound
from edge_agent.settings_buttons import Button

BY_ID = Path("/dev/input/by-id")
WAIT_S = 0.2
"""How long a key is waited for before it is looked whether to stop."""
RETRY_S = 1.0
"""Between looks for a device that is not plugged in."""
SHOW_S = 30.0
"""How often it is told that the device is there."""
OLDEST_S = 60.0
"""A key cannot have been pressed longer ago than this when it is read; an older time is a clock that was set."""
UP = 0
DOWN = 1

log = Log("usb")


class Keys(Protocol):
    """An opened and grabbed input device."""

    def wait(self, timeout_s: float) -> bool:
        """Return whether there are events to be read."""
        ...

    def read(self) -> Iterable[InputEvent]:
        """Return the events since the last call; raise OSError when the device has gone."""
        ...

    def pressed(self) -> set[int]:
        """Return the codes of the keys that are down now."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


class GrabbedDevice:
    """The real thing."""

    def __init__(self, name: str) -> None:
        """Open and grab it; raises OSError."""
        self._device = InputDevice(BY_ID / name)
        self._device.grab()

    def wait(self, timeout_s: float) -> bool:
        """Return whether there are events to be read."""
        return bool(select.select([self._device.fd], [], [], timeout_s)[0])

    def read(self) -> Iterable[InputEvent]:
        """Return the events since the last call; raise OSError when the device has gone."""
        return list(self._device.read())

    def pressed(self) -> set[int]:
        """Return the codes of the keys that are down now."""
        return set(self._device.active_keys())

    def close(self) -> None:
        """Let go of it."""
        self._device.close()


class UsbButtons:
    """The buttons on one USB device: one for each key, or one for all of them."""

    def __init__(
        self,
        device: str,
        buttons: Sequence[Button],
        *,
        open_device: Callable[[str], Keys] = GrabbedDevice,
        monotonic_clock: Callable[[], float] = monotonic,
        wall_clock: Callable[[], float] = time,
    ) -> None:
        self._device = device
        self._codes = {button.name: ecodes.ecodes.get(button.key) if button.key else None for button in buttons}
        self._down: dict[str, set[int]] = {button.name: set() for button in buttons}
        self._open_device = open_device
        self._monotonic = monotonic_clock
        self._wall = wall_clock

    def run(self, stop: threading.Event, tell: Callable[[ButtonSignal], None]) -> None:
        """Tell what the buttons do until told to stop."""
        if unknown := [name for name, code in self._codes.items() if code is not None and not isinstance(code, int)]:
            log.error("key.unknown", device=self._device, count=len(unknown))
        while not stop.is_set():
            try:
                keys = self._open_device(self._device)
            except OSError as error:
                self._lost(error, tell)
                stop.wait(RETRY_S)
                continue
            try:
                self._watch(keys, stop, tell)
            except OSError as error:
                self._lost(error, tell)
                stop.wait(RETRY_S)
            finally:
                keys.close()

    def _watch(self, keys: Keys, stop: threading.Event, tell: Callable[[ButtonSignal], None]) -> None:
        now_down = keys.pressed()
        for name in self._codes:
            self._down[name] = {code for code in now_down if self._is_of(name, code)}
            tell(ContactFound(button=name, pressed=bool(self._down[name]), at_s=self._monotonic()))
        shown_at = -SHOW_S
        while not stop.is_set():
            if self._monotonic() - shown_at >= SHOW_S:
                shown_at = self._monotonic()
                for name in self._codes:
                    tell(ButtonSeen(button=name))
            if not keys.wait(WAIT_S):
                continue
            for event in keys.read():
                if event.type == ecodes.EV_SYN and event.code == ecodes.SYN_DROPPED:
                    # The kernel could not keep up: what is down now has to be asked for.
                    self._look_again(keys.pressed(), tell)
                elif event.type == ecodes.EV_KEY and event.value in {UP, DOWN}:
                    self._key(event.code, down=event.value == DOWN, at_s=self._at(event), tell=tell)

    def _key(self, code: int, *, down: bool, at_s: float, tell: Callable[[ButtonSignal], None]) -> None:
        for name, held in self._down.items():
            if not self._is_of(name, code):
                continue
            before = bool(held)
            if down:
                held.add(code)
            else:
                held.discard(code)
            if bool(held) != before:
                tell(ContactChanged(button=name, edge=Edge(pressed=bool(held), at_s=at_s)))

    def _look_again(self, now_down: set[int], tell: Callable[[ButtonSignal], None]) -> None:
        at_s = self._monotonic()
        known = set().union(*self._down.values())
        for code in known - now_down:
            self._key(code, down=False, at_s=at_s, tell=tell)
        for code in now_down - known:
            self._key(code, down=True, at_s=at_s, tell=tell)

    def _is_of(self, name: str, code: int) -> bool:
        wanted = self._codes[name]
        return wanted is None or wanted == code

    def _at(self, event: InputEvent) -> float:
        """Return the event's time on the monotonic clock; the kernel gives it as time of day."""
        age_s = self._wall() - event.timestamp()
        return self._monotonic() - (age_s if 0.0 <= age_s <= OLDEST_S else 0.0)

    def _lost(self, error: OSError, tell: Callable[[ButtonSignal], None]) -> None:
        log.error("device.lost", device=self._device, error=type(error).__name__)
        # Whoever held the button when the plug came out wanted something: it counts as released.
        self._look_again(set(), tell)
        fault = Text(
            f"USB のボタン {self._device} が見つかりません。差し込みを確認してください。",
            f"USB button {self._device} is not there. Check that it is plugged in.",
        )
        for name in self._codes:
            tell(ButtonSeen(button=name, fault=fault))
