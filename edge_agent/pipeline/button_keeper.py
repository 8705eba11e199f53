"""What buttons do becomes presses that are kept: the light first, then the database, then the message.

The keeper's thread is the only one that knows the contacts. A press that cannot be written lights the lamp all the
same, goes to the panels from memory, and is written as soon as there is room; its id is the same then.
"""

from __future__ import annotations

import json
import queue
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from time import monotonic
from typing import Protocol

from edge_agent.domain.button import ButtonState, Effect, Press, call_for_help
from edge_agent.domain.incident import Incident
from edge_agent.domain.press import STUCK_S, Contact, Gesture, Timing, on_edge, passed
from edge_agent.errors import StoreError, Text
from edge_agent.log import Log
from edge_agent.ports import ButtonPressed, ButtonSeen, ButtonSignal, Clock, ContactChanged, ContactFound
from edge_agent.services import buttons as services
from edge_agent.services import pause_buttons, topics
from edge_agent.settings import Box
from edge_agent.settings_buttons import Button
from edge_agent.settings_privacy import Privacy
from edge_agent.store.database import Database

WAIT_S = 0.2
"""How long signals are waited for before it is looked whether to stop."""
LATE_S = 10.0
"""A press that arrives later begins and ends no pause: nobody means it any more."""
RETRY_S = 1.0
"""Wait before a press that could not be written is tried again."""
STUCK = Text(
    "ボタンが押されたままです。物が載っていないか、配線が短絡していないか確認してください。",
    "The button has stayed pressed. See whether something lies on it or its wires touch.",
)

log = Log("buttons")


class Lights(Protocol):
    """What shows an operator that a press has been taken."""

    def called(self, seat: str) -> None:
        """Somebody calls; it is not written yet."""
        ...

    def settled(self, seat: str) -> None:
        """What was called is written: from now on the database says what is shown."""
        ...

    def tested(self, seat: str) -> None:
        """A test has worked."""
        ...


class ButtonKeeper:
    """A thread that owns connections to both databases."""

    def __init__(
        self,
        *,
        box: Box,
        buttons: Sequence[Button],
        timing: Timing,
        clock: Clock,
        lights: Lights,
        open_main: Callable[[], Database],
        open_live: Callable[[], Database],
        send_unstored: Callable[[str, str], None],
        privacy: Privacy | None = None,
        clock_s: Callable[[], float] = monotonic,
    ) -> None:
        self._box = box
        self._buttons = {button.name: button for button in buttons}
        self._timing = timing
        self._clock = clock
        self._lights = lights
        self._open_main = open_main
        self._open_live = open_live
        self._send_unstored = send_unstored
        self._privacy = privacy or Privacy()
        self._clock_s = clock_s
        self._inbox: queue.SimpleQueue[ButtonSignal] = queue.SimpleQueue()
        self._contacts = {button.name: Contact() for button in buttons}
        self._stuck: set[str] = set()
        self._unwritten: deque[tuple[Press, str]] = deque()
        self._retry_at = 0.0
        self._main: Database | None = None
        self._live: Database | None = None
        self.unknown = 0
        """Signals of buttons that the settings do not name."""

    @property
    def unwritten(self) -> int:
        """How many presses wait for room on the disk."""
        return len(self._unwritten)

    def tell(self, signal: ButtonSignal) -> None:
        """Take what a button does; never waits."""
        self._inbox.put(signal)

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop, then finish what is in the inbox."""
        try:
            while not (stop.is_set() and self._inbox.empty()):
                self.step()
        finally:
            for database in (self._main, self._live):
                if database is not None:
                    database.close()

    def step(self) -> None:
        """Wait for one signal, or until a held button means something."""
        due = [at_s for contact in self._contacts.values() if (at_s := contact.due_at(self._timing)) is not None]
        wait_s = min([WAIT_S, *(max(0.0, at_s - self._clock_s()) for at_s in due)])
        with suppress(queue.Empty):
            self._take(self._inbox.get(timeout=wait_s) if wait_s else self._inbox.get_nowait())
        self._pass_time()
        if self._unwritten and self._clock_s() >= self._retry_at:
            self._write_waiting()

    def _take(self, signal: ButtonSignal) -> None:
        button = self._buttons.get(signal.button)
        if button is None:
            self.unknown += 1
            log.error("button.unknown", device=signal.button)
            return
        match signal:
            case ContactFound():
                self._contacts[signal.button] = Contact.found(pressed=signal.pressed, at_s=signal.at_s)
            case ContactChanged():
                contact, gesture = on_edge(self._contacts[signal.button], signal.edge, self._timing)
                self._contacts[signal.button] = contact
                if gesture is not None:
                    self._pressed(button, gesture)
            case ButtonPressed():
                self._pressed(button, signal.gesture, told=signal.told, age_s=signal.age_s)
            case ButtonSeen():
                self._seen(button, signal)

    def _pass_time(self) -> None:
        now_s = self._clock_s()
        for name, before in self._contacts.items():
            contact, gesture = passed(before, self._timing, at_s=now_s)
            self._contacts[name] = contact
            if gesture is not None:
                self._pressed(self._buttons[name], gesture)
            if contact.stuck(at_s=now_s) and name not in self._stuck:
                self._stuck.add(name)
                log.error("button.stuck", device=name, wait_s=int(STUCK_S))
                self._seen(self._buttons[name], ButtonSeen(button=name, fault=STUCK))
            elif not contact.pressed and name in self._stuck:
                self._stuck.discard(name)
                self._seen(self._buttons[name], ButtonSeen(button=name))

    def _pressed(self, button: Button, gesture: Gesture, *, told: str | None = None, age_s: float = 0.0) -> None:
        pressed = Press(
            press_id=services.new_press_id() if told is None else services.press_id_of(button.name, told),
            button=button.name,
            seat=button.seat,
            gesture=gesture,
            source=button.source,
            at=self._clock.now() - timedelta(seconds=age_s),
            told=told or "",
        )
        if button.does == "pause" and gesture is not Gesture.EMERGENCY:
            self._pause(pressed, late=age_s > LATE_S)
            return
        if gesture is not Gesture.WITHDRAW:
            self._lights.called(button.seat)
        call_id = self._call_at(button.seat)
        if self._unwritten or not self._write(pressed, call_id):
            # Presses are kept in their order: a withdrawal must not come before what it withdraws.
            self._unwritten.append((pressed, call_id))
            self._retry_at = self._clock_s() + RETRY_S
            self._tell_from_memory(pressed, call_id)

    def _pause(self, pressed: Press, *, late: bool) -> None:
        """Begin or end a pause; one that cannot be written does not hold, and the light stays as it is."""
        call_id, now = self._call_at(pressed.seat), self._clock.now()
        try:
            if self._main is None:
                self._main = self._open_main()
            effect = pause_buttons.press(
                self._main, pressed, call_id=call_id, late=late, privacy=self._privacy, now=now
            )
        except StoreError as error:
            log.error("pause.unwritten", device=pressed.button, seat=pressed.seat, error=type(error).__name__)
            return
        log.info("pause.asked", device=pressed.button, seat=pressed.seat, state=effect.value)
        if effect is Effect.TESTED:
            self._lights.tested(pressed.seat)

    def _write_waiting(self) -> None:
        while self._unwritten:
            pressed, call_id = self._unwritten[0]
            if not self._write(pressed, call_id):
                self._retry_at = self._clock_s() + RETRY_S
                return
            self._unwritten.popleft()

    def _write(self, pressed: Press, call_id: str) -> bool:
        try:
            if self._main is None:
                self._main = self._open_main()
            effect = services.press(self._main, pressed, box=self._box, call_id=call_id, now=self._clock.now())
        except StoreError as error:
            log.error("press.unwritten", device=pressed.button, seat=pressed.seat, error=type(error).__name__)
            return False
        log.info("press.kept", device=pressed.button, seat=pressed.seat, kind=pressed.gesture.value, state=effect.value)
        if effect is Effect.TESTED:
            self._lights.tested(pressed.seat)
        self._lights.settled(pressed.seat)
        return True

    def _tell_from_memory(self, pressed: Press, call_id: str) -> None:
        if pressed.gesture is Gesture.WITHDRAW:
            return
        alert = call_for_help(pressed, alert_id=pressed.press_id, call_id=call_id)
        message = topics.alert_message(alert, Incident(alert=alert, opened_at=pressed.at), now=self._clock.now())
        self._send_unstored(topics.alert(self._box, alert.alert_id), json.dumps(message, ensure_ascii=False))

    def _call_at(self, seat: str) -> str:
        try:
            if self._live is None:
                self._live = self._open_live()
        except StoreError:
            return ""
        return services.call_at(self._live, seat)

    def _seen(self, button: Button, seen: ButtonSeen) -> None:
        state = ButtonState(
            name=button.name, seat=button.seat, source=button.source, battery=seen.battery, fault=seen.fault
        )
        try:
            if self._main is None:
                self._main = self._open_main()
            services.note_seen(self._main, state, now=self._clock.now())
        except StoreError as error:
            log.error("button.unwritten", device=button.name, error=type(error).__name__)
