"""The thread that answers integrations on the broker: what they ask is read, done once, and answered.

Rules:
1. An integration asks on a topic of its own name, which the broker lets nobody else write to.
2. An ask is done once and only while it holds, as a device obeys a command (`domain/command.py`).
3. An ask may hold a caller's number: it is taken at QoS 0, so that the broker keeps none for later, and one that was
   sent to be retained is refused and taken off the broker.
4. Every ask is answered, however wrong it is; no answer and no log line quotes it.
"""

from __future__ import annotations

import json
import queue
import re
import threading
from collections.abc import Callable
from contextlib import closing
from typing import Any

from edge_agent.domain.command import Command, Obedience, Refusal
from edge_agent.errors import AskError, StoreError, Text
from edge_agent.log import Log
from edge_agent.ports import Arrived, Clock
from edge_agent.services import asks, topics, wire
from edge_agent.settings import Settings
from edge_agent.store import announcements
from edge_agent.store.database import Database, reading

WAIT_S = 0.2
"""How long is waited for an ask before it is looked whether to stop."""
INBOX = 1024
"""Asks waiting to be answered; a floor changes over in bursts of some tens."""
CALL, PAUSE = "call", "pause"
KNOWN = frozenset({"schema", "id", "ask", "event", "caller", "at", "issued_at", "expires_at"})
UNREADABLE = "unreadable"
"""Stands for the id of an ask that has none."""
_ID = re.compile(r"[A-Za-z0-9-]{8,64}")
NOT_ADDED = (
    "not_added",
    Text("この連携は登録されていません。", "This integration has not been added."),
    Text(
        "「mamori device add 名前 --kind integration」で登録してください。",
        "Add it with “mamori device add NAME --kind integration”.",
    ),
)
RETAINED = (
    "retained",
    Text("保持（retain）を付けて送られました。", "It was sent to be retained."),
    Text("retain を付けずに送ってください。", "Send it without retain."),
)
UNAVAILABLE = (
    "unavailable",
    Text("いまは記録できません。", "It cannot be kept at the moment."),
    Text("少し待って、新しい id で送り直してください。", "Wait a moment and send it again with a new id."),
)
REFUSED = {
    Refusal.REPEATED: (
        Text("同じ id をすでに受け付けています。", "Its id was asked with before."),
        Text("送るたびに新しい id にしてください。", "Use a new id each time."),
    ),
    Refusal.EXPIRED: (
        Text("期限が切れているか、期限が5分より長すぎます。", "It has expired, or holds longer than 5 minutes."),
        Text("すぐに送り、時計を合わせてください（NTP）。", "Send it at once, and set the clock (NTP)."),
    ),
    Refusal.EARLY: (
        Text("発行の時刻が30秒以上先です。", "It was issued more than 30 seconds ahead."),
        Text("送る側の時計を合わせてください（NTP）。", "Set the clock of whoever sends it (NTP)."),
    ),
}

log = Log("asks")


class AskDesk:
    """A thread that owns connections to both databases.

    Args:
        answer: sends an answer: topic and payload.
        forget: takes what is retained on a topic off the broker.
    """

    def __init__(
        self,
        *,
        settings: Settings,
        clock: Clock,
        open_main: Callable[[], Database],
        open_live: Callable[[], Database],
        answer: Callable[[str, str], None],
        forget: Callable[[str], object],
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._open_main = open_main
        self._open_live = open_live
        self._answer = answer
        self._forget = forget
        self._base = f"{topics.base(settings.box)}/"
        self._started_at = clock.now()
        self._inbox: queue.Queue[Arrived] = queue.Queue(INBOX)
        self._obedience: dict[str, Obedience] = {}

    def take(self, arrived: Arrived) -> None:
        """Take a message of an integration; what is none, or too much, is left out."""
        found = wire.find(arrived.topic)
        # An empty one takes away what was retained.
        if found is None or found.kind.name != "ask" or not arrived.topic.startswith(self._base) or not arrived.payload:
            return
        try:
            self._inbox.put_nowait(arrived)
        except queue.Full:
            log.warning("ask.unheard", device=found.parts["name"])

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop."""
        with closing(self._open_main()) as main, closing(self._open_live()) as now:
            while not stop.is_set():
                try:
                    arrived = self._inbox.get(timeout=WAIT_S)
                except queue.Empty:
                    continue
                self.answer(main, now, arrived)

    def answer(self, main: Database, live: Database, arrived: Arrived) -> None:
        """Do what is asked, and answer it."""
        found = wire.find(arrived.topic)
        if found is None:
            return
        name, seat = found.parts["name"], found.parts["seat"]
        if arrived.retained:
            self._forget(arrived.topic)
        told: dict[str, Any] = {}
        said: dict[str, Any]
        try:
            told = asks.read_object(arrived.payload, known=KNOWN)
            self._do(main, live, told, name=name, seat=seat, retained=arrived.retained)
            shown = asks.state(main, live, seat=seat, settings=self._settings, now=self._clock.now())
            said = {"outcome": "done", "reason": "", "seat": shown}
        except AskError as error:
            said = _refused(error)
        except StoreError as error:
            log.error("ask.unwritten", device=name, error=type(error).__name__)
            said = _refused(AskError(*UNAVAILABLE))
        ask_id = str(told["id"]) if _is_id(told.get("id")) else UNREADABLE
        topic = topics.answer(self._settings.box, name, ask_id)
        at = self._clock.now().isoformat()
        self._answer(topic, json.dumps({"schema": wire.SCHEMA, **said, "at": at}, ensure_ascii=False))
        log.info("ask.answered", device=name, state=said["reason"] or said["outcome"])

    def _do(
        self, main: Database, live: Database, told: dict[str, Any], *, name: str, seat: str, retained: bool
    ) -> None:
        with reading(main):
            known = {each.name: each for each in announcements.integrations(main)}
        if name not in known:
            raise AskError(*NOT_ADDED)
        if retained:
            raise AskError(*RETAINED)
        command = self._once(told, name)
        asks.refuse_seat(known[name], seat, self._settings)
        now = self._clock.now()
        if command.name == PAUSE:
            event = asks.read_event(told)
            asks.pause(main, live, event, seat=seat, by=name, settings=self._settings, now=now)
            return
        key = asks.read_key(self._settings.caller_key("agent"))
        ask = asks.read_call({"at": command.issued_at.isoformat()} | told, key=key)
        asks.announce(main, ask, seat=seat, by=name, now=now)

    def _once(self, told: dict[str, Any], name: str) -> Command:
        """Return the ask as a command to the box; raise `AskError` unless it is to be obeyed now."""
        issued_at, expires_at = asks.read_time(told, "issued_at"), asks.read_time(told, "expires_at")
        if (
            not _is_id(told.get("id"))
            or told.get("ask") not in (CALL, PAUSE)
            or issued_at is None
            or expires_at is None
        ):
            raise asks.malformed(
                "id（英数字とハイフン8〜64字）、ask（call か pause）、issued_at、expires_at が必要です",
                "id (8 to 64 letters, figures and hyphens), ask (call or pause), issued_at and expires_at are needed",
            )
        command = Command(id=told["id"], name=told["ask"], issued_at=issued_at, expires_at=expires_at)
        known = self._obedience.setdefault(name, Obedience(started_at=self._started_at, knows=(CALL, PAUSE)))
        refusal = known.refuses(command, now=self._clock.now())
        if refusal is not None:
            raise AskError(refusal.value, *REFUSED[refusal])
        return command


def _is_id(told: object) -> bool:
    return isinstance(told, str) and _ID.fullmatch(told) is not None


def _refused(error: AskError) -> dict[str, Any]:
    return {"outcome": "refused", "reason": error.code} | asks.in_words(error)
