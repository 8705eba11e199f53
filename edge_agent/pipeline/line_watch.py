"""How the lines are heard: their audio is measured on its way, troubles are told, pages get the levels.

The measuring runs where the blocks arrive and keeps figures alone. A thread of its own takes them once a second to the
pages' database and to the recorder, so that nothing waits for either.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace

from edge_agent.domain.call import Speaker
from edge_agent.domain.line_health import Limits, LineHealth, LineSecond, SideLevels
from edge_agent.domain.line_trouble import Trouble, TroubleKind, explained
from edge_agent.domain.overload import Overloaded
from edge_agent.domain.policy import Policy
from edge_agent.errors import StoreError, Text
from edge_agent.log import Log
from edge_agent.pipeline.events import CallEnded, CallStarted, Event, Heard
from edge_agent.pipeline.meter import LineMeter
from edge_agent.ports import AudioBlock
from edge_agent.settings_health import Health
from edge_agent.store import cards, line_health, overload
from edge_agent.store.cards import CardReport
from edge_agent.store.database import Database, writing
from edge_agent.store.line_health import LineReport

TICK_S = 1.0
"""How often levels are shown."""
SHARES_S = 60
"""Over how much time the shares of speech and of clipped samples are shown."""
GONE_S = 3.0
"""Without audio for so long (no call on the network, a card that is gone) no level is shown: the last one would look
like a line that works."""

log = Log("lines")


class LineWatch:
    """One line; its methods may be called from different threads."""

    def __init__(
        self, seat: str, *, settings: Health, policy: Policy, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.seat = seat
        self._monotonic = monotonic
        self._heard_s = monotonic()
        self._no_audio_s = settings.no_audio_s
        self._announced_s: float | None = None
        self._policy = policy
        self._lock = threading.Lock()
        self._meter = LineMeter()
        self._seconds: deque[LineSecond] = deque(maxlen=SHARES_S)
        self._of_announcements: tuple[Trouble, ...] = ()
        self._health = LineHealth(
            limits=Limits(
                no_audio_s=settings.no_audio_s,
                lost_audio_s=settings.lost_audio_s,
                silence_dbfs=settings.silence_dbfs,
            ),
            phrases=settings.operator_phrases,
        )

    def hear(self, block: AudioBlock) -> None:
        """Take the line's next block; the same thread each time."""
        second = self._meter.feed(block)
        if second is not None:
            with self._lock:
                self._heard_s = self._monotonic()
                self._seconds.append(second)
                self._health.hear(second)

    def note_events(self, events: Sequence[Event]) -> None:
        """Take what was heard on the line: calls, and words that tell whose side it is."""
        with self._lock:
            for event in events:
                match event:
                    case CallStarted():
                        self._health.call_started()
                    case CallEnded():
                        self._health.call_ended()
                    case Heard(utterance=utterance) if utterance.final:
                        self._health.read(utterance.speaker, utterance.text, self._policy)

    def pass_over(self) -> None:
        """Note that audio comes, but is nobody's business: a pause."""
        with self._lock:
            self._heard_s = self._monotonic()

    def note_announced(self, *, in_call: bool) -> None:
        """Note that a call of the line was announced, or that it is over."""
        with self._lock:
            self._announced_s = self._monotonic() if in_call else None

    def note_announcements(self, trouble: Trouble | None) -> None:
        """Take what is wrong with what is announced of the line's calls; None: nothing is."""
        with self._lock:
            self._of_announcements = () if trouble is None else (trouble,)

    def report(self) -> LineReport:
        """Return how the line is heard now."""
        with self._lock:
            now_s = self._monotonic()
            if now_s - self._heard_s > GONE_S:
                self._seconds.clear()
            seconds, troubles = list(self._seconds), self._health.troubles + self._of_announcements
            # Where nothing arrives no second can tell: without a call of its own the network brings none.
            if self._announced_s is not None and now_s - max(self._announced_s, self._heard_s) >= self._no_audio_s:
                troubles = (Trouble(kind=TroubleKind.NO_AUDIO), *(t for t in troubles if not t.is_fault))
        order = list(TroubleKind)
        troubles = tuple(sorted(troubles, key=lambda trouble: order.index(trouble.kind)))
        sides = {speaker: _recent([second.of(speaker) for second in seconds]) for speaker in Speaker}
        return LineReport(
            seat=self.seat, customer=sides[Speaker.CUSTOMER], operator=sides[Speaker.OPERATOR], troubles=troubles
        )


class LineFaults:
    """What is wrong with a line: its input, then that the box lets it rest, then its audio; one at a time, by name.

    Args:
        on_fault: told what is shown of a seat, None when all is well.
    """

    def __init__(self, on_fault: Callable[[str, Text | None], None]) -> None:
        self._on_fault = on_fault
        self._lock = threading.Lock()
        self._of_input: dict[str, Text | None] = {}
        self._of_rest: dict[str, Text | None] = {}
        self._of_audio: dict[str, Text | None] = {}

    def of_input(self, seat: str, fault: Text | None) -> None:
        """Note that a card or the network fails, or works again (None)."""
        with self._lock:
            self._of_input[seat] = fault
            self._on_fault(seat, self._gravest(seat))

    def of_audio(self, seat: str, fault: Text | None) -> None:
        """Note that nothing is heard, or something again (None)."""
        with self._lock:
            if self._of_audio.get(seat) == fault:
                return
            self._of_audio[seat] = fault
            if self._of_input.get(seat) is None and self._of_rest.get(seat) is None:
                self._on_fault(seat, self._gravest(seat))

    def of_rest(self, seat: str, fault: Text | None) -> None:
        """Note that the box cannot keep up and does not listen to a line, or does again (None)."""
        with self._lock:
            self._of_rest[seat] = fault
            if self._of_input.get(seat) is None:
                self._on_fault(seat, self._gravest(seat))

    def _gravest(self, seat: str) -> Text | None:
        return self._of_input.get(seat) or self._of_rest.get(seat) or self._of_audio.get(seat)


class LineBoard:
    """A thread that shows how the lines are heard and what the box gives up, and tells their troubles.

    Args:
        on_troubles: told when a line's troubles have changed.
        on_fault: told that nothing is heard on a line, or something again (None).
        cards: how the sound cards do.
        overloaded: what is given up because the box cannot keep up.
    """

    def __init__(
        self,
        watches: Mapping[str, LineWatch],
        *,
        open_live: Callable[[], Database],
        on_troubles: Callable[[str, tuple[Trouble, ...]], None],
        on_fault: Callable[[str, Text | None], None],
        cards: Callable[[], Sequence[CardReport]] = tuple,
        overloaded: Callable[[], Overloaded] = Overloaded,
    ) -> None:
        self._cards = cards
        self._overloaded = overloaded
        self._watches = watches
        self._open_live = open_live
        self._on_troubles = on_troubles
        self._on_fault = on_fault
        self._told: dict[str, tuple[Trouble, ...]] = {}

    @property
    def troubles(self) -> dict[str, list[str]]:
        """Names of what is wrong, for every seat where something is; for the heartbeat."""
        return {
            seat: [trouble.name for trouble in troubles] for seat, troubles in self._told.copy().items() if troubles
        }

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop."""
        with closing(self._open_live()) as now:
            with writing(now):
                line_health.forget_all(now)
                cards.forget_all(now)
                overload.forget_all(now)
            while not stop.wait(TICK_S):
                self._step(now)

    def _step(self, now: Database) -> None:
        reports = [watch.report() for watch in self._watches.values()]
        for report in reports:
            self._tell(report)
        try:
            # All at once: whoever watches the database is woken once a second, not once a line.
            with writing(now):
                for report in reports:
                    line_health.put(now, report)
                for card in self._cards():
                    cards.put(now, card)
                overload.put(now, self._overloaded())
        except StoreError as error:
            log.error("levels.unwritten", error=type(error).__name__)

    def _tell(self, report: LineReport) -> None:
        seat, troubles = report.seat, report.troubles
        if troubles == self._told.get(seat, ()):
            return
        self._told[seat] = troubles
        log.warning("line.troubles", seat=seat, change=",".join(trouble.name for trouble in troubles))
        self._on_troubles(seat, troubles)
        self._on_fault(seat, next((explained(trouble) for trouble in troubles if trouble.is_fault), None))


def _recent(seconds: Sequence[SideLevels]) -> SideLevels:
    if not seconds:
        return SideLevels()
    count = len(seconds)
    return replace(
        seconds[-1],
        speech=round(sum(side.speech for side in seconds) / count, 3),
        clipped=round(sum(side.clipped for side in seconds) / count, 5),
    )
