"""What is heard becomes what is shown and kept: live words, line states, incidents.

The recorder's thread is the only one of the pipeline that touches SQLite. Partial words may be left out when it is
behind; alerts wait for as long as it takes. When the disk is full an alert goes to the panels from memory and is
written as soon as there is room.
"""

from __future__ import annotations

import json
import queue
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import timedelta

from edge_agent.domain.alert import Alert, AlertChange, AlertKind
from edge_agent.domain.call import LineState
from edge_agent.domain.incident import Incident
from edge_agent.domain.line_trouble import Trouble
from edge_agent.domain.pause import Pause, PauseEnd
from edge_agent.errors import StoreError, Text
from edge_agent.log import Log
from edge_agent.pipeline.events import (
    AlertRaised,
    CallEnded,
    CallStarted,
    ComplaintHeard,
    Event,
    Heard,
    Silenced,
    Warned,
)
from edge_agent.ports import Clock
from edge_agent.services import incidents, topics
from edge_agent.services.line_state import line_message
from edge_agent.settings import Box
from edge_agent.store import listenings, live
from edge_agent.store.commit_watch import CommitWatch
from edge_agent.store.database import Database, empty_log, reading, writing
from edge_agent.store.live import LineStatus, LiveWords

INBOX = 4096
"""Bundles of events waiting for the recorder; at 8 lines far more than a minute of speech."""
WAIT_S = 0.2
"""How long the recorder waits for events before it looks whether it is told to stop."""
RETRY_S = 1.0
"""Wait between attempts to write an alert that could not be written."""

log = Log("recorder")


@dataclass(slots=True, kw_only=True)
class _Unwritten:
    """Revisions of one alert that the disk did not take yet, oldest first."""

    revisions: list[Alert] = field(default_factory=list)


class Recorder:
    """A thread that owns connections to both databases."""

    def __init__(
        self,
        *,
        box: Box,
        clock: Clock,
        open_main: Callable[[], Database],
        open_live: Callable[[], Database],
        show_state: Callable[[str, str], None],
        send_unstored: Callable[[str, str], None],
        seats: Sequence[str],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._box = box
        self._clock = clock
        self._open_main = open_main
        self._open_live = open_live
        self._show_state = show_state
        self._send_unstored = send_unstored
        self._inbox: queue.Queue[Callable[[Database, Database], None]] = queue.Queue(INBOX)
        self._lines = {seat: LineStatus(seat=seat, state=LineState.IDLE) for seat in seats}
        self._listened: frozenset[str] = frozenset()
        self._listeners = CommitWatch()
        self._unwritten: dict[str, _Unwritten] = {}
        self._monotonic = monotonic
        self._retry_at = 0.0
        self._log_holds_words = False
        """Whether the log of the live database may hold words that were forgotten."""
        self.partials_left_out = 0

    @property
    def faults(self) -> int:
        """How many lines are faulty, for the heartbeat."""
        return sum(status.state is LineState.FAULT for status in self._lines.values())

    @property
    def unwritten(self) -> int:
        """How many alerts wait for room on the disk, for the heartbeat."""
        return len(self._unwritten)

    @property
    def unwritten_incidents(self) -> list[Incident]:
        """The incidents the disk did not take yet, as far as they are known; for the lamps."""
        newest = [waiting.revisions[-1:] for waiting in list(self._unwritten.values())]
        return [Incident(alert=alert, opened_at=self._clock.now()) for alerts in newest for alert in alerts]

    def note_events(self, seat: str, events: Sequence[Event]) -> None:
        """Take what a line's listener found; waits if the recorder is behind, unless it is only partial words."""
        only_partials = all(isinstance(event, Heard) and not event.utterance.final for event in events)
        try:
            self._inbox.put(lambda main, now: self._on_events(main, now, seat, events), block=not only_partials)
        except queue.Full:
            self.partials_left_out += 1

    def note_fault(self, seat: str, fault: Text | None) -> None:
        """A line's input is faulty (what is wrong and the remedy), or works again (None)."""
        self._inbox.put(lambda _main, now: self._on_fault(now, seat, fault))

    def note_troubles(self, seat: str, troubles: tuple[Trouble, ...]) -> None:
        """What is wrong with a line's audio has changed."""
        self._inbox.put(lambda _main, now: self._on_change(now, replace(self._lines[seat], troubles=troubles)))

    def note_pause(self, seat: str, pause: Pause | None, why: PauseEnd | None) -> None:
        """A line is not listened to any more (the pause), or again (None, and why)."""
        cut = why is PauseEnd.TOO_LONG
        self._inbox.put(lambda _main, now: self._on_change(now, self._lines[seat].paused(pause, cut=cut)))

    def call_at(self, seat: str) -> str:
        """Return the id of the call under way at a seat, empty if there is none; may be asked from any thread."""
        return self._lines[seat].call_id or ""

    def note_levels(self, seat: str, *, customer: float, operator: float, dropped: int) -> None:
        """Take a line's loudness in dBFS and the blocks it has lost; left out when the recorder is behind."""
        try:
            self._inbox.put_nowait(lambda _main, now: self._on_levels(now, seat, customer, operator, dropped))
        except queue.Full:
            self.partials_left_out += 1

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop, then finish what is in the inbox."""
        with closing(self._open_main()) as main, closing(self._open_live()) as now:
            with writing(now):
                live.forget_all(now)
                for status in self._lines.values():
                    live.put_line(now, status)
            for status in self._lines.values():
                self._publish(status)
            while not (stop.is_set() and self._inbox.empty()):
                self._step(main, now)
            self._retry(main)
            with writing(now):
                live.forget_all(now)

    def _step(self, main: Database, now: Database) -> None:
        try:
            step = self._inbox.get(timeout=WAIT_S)
        except queue.Empty:
            step = None
        if step is not None:
            step(main, now)
        self._look_for_listeners(now)
        if self._log_holds_words and self._inbox.empty():
            self._empty_log(now)
        # However busy the floor is: an alert that waits for the disk does not wait for silence too.
        if self._unwritten and self._monotonic() >= self._retry_at:
            self._retry(main)

    def _empty_log(self, now: Database) -> None:
        try:
            self._log_holds_words = not empty_log(now)
        except StoreError as error:
            log.error("live.unwritten", error=type(error).__name__)

    def _look_for_listeners(self, now: Database) -> None:
        """Tell the operators' side when somebody begins or ceases to listen in; the pages write who does."""
        try:
            with reading(now):
                self._listeners.look(now, self._read_listeners)
        except StoreError as error:
            # Alerts go on; what was shown is shown on.
            log.error("live.unreadable", error=type(error).__name__)

    def _read_listeners(self, now: Database) -> None:
        before, self._listened = self._listened, listenings.calls(now)
        for status in self._lines.values():
            if status.call_id in before ^ self._listened:
                self._publish(status)

    def _on_events(self, main: Database, now: Database, seat: str, events: Sequence[Event]) -> None:
        # Alerts first: they must not wait for what is only shown.
        for event in events:
            if isinstance(event, AlertRaised):
                self._keep(main, event.alert)
        try:
            with writing(now):
                for event in events:
                    self._show(now, seat, event)
        except StoreError as error:
            log.error("live.unwritten", error=type(error).__name__, seat=seat)

    def _show(self, now: Database, seat: str, event: Event) -> None:
        before = self._lines[seat]
        status = before
        match event:
            case CallStarted(call_id=call_id, started_s_ago=ago):
                status = before.in_call(call_id, self._clock.now() - timedelta(seconds=ago))
                log.info("call.started", seat=seat, call=call_id)
            case CallEnded(call_id=call_id):
                live.forget_call(now, call_id)
                self._log_holds_words = True
                # The end of a call cut off by a fault does not mend the line.
                status = before.idle().faulty(before.fault) if before.fault else before.idle()
                log.info("call.ended", seat=seat, call=call_id, dropped=event.dropped)
            case Silenced(call_id=call_id):
                live.forget_under_way(now, call_id)
                self._log_holds_words = True
            case ComplaintHeard():
                status = replace(before, complaint=True)
            case Warned():
                status = replace(before, warnings=before.warnings + 1)
            case AlertRaised(alert=alert):
                live.mark_telling(now, alert.call_id, alert.quotes)
                if alert.kind is AlertKind.LIFE_SAFETY:
                    status = replace(before, life_safety=True)
            case Heard(utterance=utterance):
                live.put_words(
                    now,
                    LiveWords(
                        call_id=utterance.call_id, seat=seat, sequence=utterance.sequence, speaker=utterance.speaker,
                        text=utterance.text, final=utterance.final, start_s=utterance.start_s, end_s=utterance.end_s,
                    ),
                )  # fmt: skip
        if status != before:
            self._set(now, status)

    def _on_fault(self, now: Database, seat: str, fault: Text | None) -> None:
        before = self._lines[seat]
        self._on_change(now, before.faulty(fault) if fault else before.mended())

    def _on_change(self, now: Database, status: LineStatus) -> None:
        try:
            with writing(now):
                self._set(now, status)
        except StoreError as error:
            log.error("live.unwritten", error=type(error).__name__, seat=status.seat)

    def _on_levels(self, now: Database, seat: str, customer: float, operator: float, dropped: int) -> None:
        status = replace(self._lines[seat], customer_level=customer, operator_level=operator, dropped=dropped)
        self._lines[seat] = status
        try:
            with writing(now):
                live.put_line(now, status)
        except StoreError as error:
            log.error("live.unwritten", error=type(error).__name__, seat=seat)

    def _set(self, now: Database, status: LineStatus) -> None:
        self._lines[status.seat] = status
        live.put_line(now, status)
        self._publish(status)

    def _publish(self, status: LineStatus) -> None:
        payload = line_message(status, listened=status.call_id in self._listened, now=self._clock.now())
        self._show_state(topics.line_state(self._box, status.seat), json.dumps(payload))

    def _keep(self, main: Database, alert: Alert) -> None:
        log.info("alert", alert=alert.alert_id, seat=alert.seat, kind=alert.kind.value, change=alert.change.value)
        waiting = self._unwritten.get(alert.alert_id)
        if waiting is None and self._write(main, alert):
            return
        self._unwritten.setdefault(alert.alert_id, _Unwritten()).revisions.append(alert)
        moment = self._clock.now()
        unstored = Incident(alert=alert, opened_at=moment)
        for topic, message in topics.alert_messages(self._box, alert, unstored, now=moment):
            self._send_unstored(topic, json.dumps(message, ensure_ascii=False))

    def _retry(self, main: Database) -> None:
        for alert_id, unwritten in list(self._unwritten.items()):
            while unwritten.revisions:
                if not self._write(main, unwritten.revisions[0]):
                    return
                del unwritten.revisions[0]
            del self._unwritten[alert_id]

    def _write(self, main: Database, alert: Alert) -> bool:
        try:
            if alert.change is AlertChange.NEW:
                incidents.open_incident(main, alert, box=self._box, now=self._clock.now())
            else:
                incidents.change_alert(main, alert, box=self._box, now=self._clock.now())
        except StoreError as error:
            self._retry_at = self._monotonic() + RETRY_S
            log.error("alert.unwritten", alert=alert.alert_id, error=type(error).__name__)
            return False
        return True
