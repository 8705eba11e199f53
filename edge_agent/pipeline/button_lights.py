"""The lights in the buttons and the lamp on the box: they show how far a call for help has come.

A press lights them at once, before anything is written; from then on the database says what they show, so that they
are right again after a restart.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from time import monotonic

from edge_agent.domain.button import LightState, lit
from edge_agent.errors import StoreError
from edge_agent.log import Log
from edge_agent.ports import Clock, Light
from edge_agent.services import topics
from edge_agent.services.buttons import lamp_wanted, light_of
from edge_agent.settings import Box
from edge_agent.settings_buttons import Button
from edge_agent.store import buttons as store
from edge_agent.store.database import Database, reading

TICK_S = 0.05
"""How exactly patterns are kept; the shortest flash of one is 100 ms."""
STORE_WAIT_S = 1.0
"""Wait before a database that could not be read is tried again."""
TESTED_S = 2.0
"""How long a light is steady after a test."""

log = Log("lights")


class ButtonLights:
    """A thread that owns a connection to the main database, and the lights."""

    def __init__(
        self,
        *,
        box: Box,
        buttons: Sequence[Button],
        lights: Mapping[str, Light],
        lamp: Light | None,
        clock: Clock,
        show_state: Callable[[str, str], None],
        open_database: Callable[[], Database],
        clock_s: Callable[[], float] = monotonic,
    ) -> None:
        """Prepare the lights: `lights` by button; `show_state` publishes what those on the network show."""
        self._box = box
        self._buttons = list(buttons)
        self._lights = lights
        self._lamp = lamp
        self._clock = clock
        self._show_state = show_state
        self._open_database = open_database
        self._clock_s = clock_s
        self._guard = threading.Lock()
        self._called: set[str] = set()
        self._settled: set[str] = set()
        self._tested_until: dict[str, float] = {}
        self._version = -1
        self._read_at = 0.0
        self._states: dict[str, LightState] = {}
        self._lamp_wanted = False
        self._switched: dict[str, bool] = {}
        self._lamp_switched: bool | None = None
        self._told: dict[str, tuple[LightState, tuple[str, str]]] = {}

    def called(self, seat: str) -> None:
        """Light what belongs to a seat now; it is not written yet. Called by the keeper's thread."""
        with self._guard:
            self._called.add(seat)
            self._settled.discard(seat)
        self._switch(self._clock_s())

    def settled(self, seat: str) -> None:
        """What was called is written."""
        with self._guard:
            self._settled.add(seat)

    def tested(self, seat: str) -> None:
        """Show that a test has worked."""
        with self._guard:
            self._tested_until[seat] = self._clock_s() + TESTED_S

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop; then all lights are out."""
        while not stop.is_set():
            try:
                with closing(self._open_database()) as db:
                    while not stop.wait(TICK_S):
                        self.step(db)
            except StoreError as error:
                # Without a database a press still lights the lamp.
                log.error("lights.unread", error=type(error).__name__)
                stop.wait(STORE_WAIT_S)
        for light in [*self._lights.values(), *([self._lamp] if self._lamp else [])]:
            light.show(on=False)

    def step(self, db: Database) -> None:
        """Look what there is to show, and show it."""
        now_s = self._clock_s()
        if now_s >= self._read_at:
            try:
                self._read(db)
            except StoreError as error:
                log.error("lights.unread", error=type(error).__name__)
                self._read_at = now_s + STORE_WAIT_S
        self._switch(now_s)

    def _read(self, db: Database) -> None:
        with reading(db):
            # No CommitWatch: what was called is read again once it is settled, and shown with it under one lock.
            version = db.version()
            with self._guard:
                settled = set(self._settled)
            if version == self._version and not settled:
                return
            states = {seat: light_of(db, seat, box=self._box) for seat in {b.seat for b in self._buttons}}
            wanted = lamp_wanted(db)
            newest = {b.name: store.newest_press(db, b.name) for b in self._buttons if b.kind == "mqtt"}
        self._version = version
        with self._guard:
            self._states, self._lamp_wanted = states, wanted
            # Only now: what was called must not go dark before the database has been read.
            self._called -= settled
            self._settled -= settled
        for button in self._buttons:
            if button.kind == "mqtt":
                self._tell(button, states[button.seat], newest[button.name])

    def _tell(self, button: Button, state: LightState, newest: tuple[str, str]) -> None:
        if self._told.get(button.name) == (state, newest):
            return
        self._told[button.name] = (state, newest)
        press_id, told = newest
        message = topics.light_message(state, press_id=press_id, told=told, now=self._clock.now())
        self._show_state(topics.button_light(self._box, button.name), json.dumps(message))

    def _switch(self, now_s: float) -> None:
        with self._guard:
            for button in self._buttons:
                light = self._lights.get(button.name)
                if light is None:
                    continue
                on = lit(self._state_of(button.seat, now_s), at_s=now_s)
                if self._switched.get(button.name) != on:
                    self._switched[button.name] = on
                    light.show(on=on)
            lamp = self._lamp_wanted or bool(self._called)
            if self._lamp is not None and self._lamp_switched != lamp:
                self._lamp_switched = lamp
                self._lamp.show(on=lamp)

    def _state_of(self, seat: str, now_s: float) -> LightState:
        if now_s < self._tested_until.get(seat, 0.0):
            return LightState.SEEN
        state = self._states.get(seat, LightState.OFF)
        return LightState.KEPT if state is LightState.OFF and seat in self._called else state
