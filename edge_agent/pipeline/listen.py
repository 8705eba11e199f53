"""A line is listened to: audio goes in, events come out. Synchronous; the same code for live lines and files.

Rules:
1. A live call starts with `start_speech_ms` of speech on either side, back-dated to where that speech began, and
   ends after `end_silence_ms` without speech on both. A file is one call from its first to its last sample.
2. Times of events are seconds since the call started.
3. A customer's final words are classified and judged; an operator's are judged (for warnings) only.
4. A call raises at most one harassment alert and one life-safety alert; life safety ends a harassment alert that
   is open. What is open when the call ends is ended.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge_agent.domain.alert import Alert, AlertChange, AlertKind, open_alert
from edge_agent.domain.call import Speaker, Utterance
from edge_agent.domain.judgement import Assessment, CallRecord, hear
from edge_agent.pipeline.voice import Numbers, Voice, Words
from edge_agent.ports import RATE

if TYPE_CHECKING:
    from edge_agent.domain.finding import Scores
    from edge_agent.domain.policy import Policy
    from edge_agent.ports import AudioBlock, Classifier, RecognizerFactory, VoiceDetector
    from edge_agent.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class CallStarted:
    """Someone speaks on a line that was idle.

    Attributes:
        started_s_ago: seconds of audio from the start of the call to the end of the block that told.
    """

    call_id: str
    seat: str
    started_s_ago: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """Words, partial or final."""

    utterance: Utterance


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """What the classifier says of a customer's final words."""

    utterance: Utterance
    scores: Scores


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRaised:
    """An alert is new, updated or ended."""

    alert: Alert


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplaintHeard:
    """The call holds a legitimate complaint; said once a call. `at_s` in seconds of the call."""

    call_id: str
    at_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEnded:
    """Nobody speaks any more.

    Attributes:
        duration_s: from the start of the call to the end of its last speech (of a file: its length).
        dropped: blocks of audio lost during the call.
    """

    call_id: str
    duration_s: float
    dropped: int


Event = CallStarted | Heard | Scored | AlertRaised | ComplaintHeard | CallEnded


class Conversation:
    """One call: its record, its alerts."""

    def __init__(
        self, *, call_id: str, seat: str, origin: int, classifier: Classifier, policy: Policy, new_id: Callable[[], str]
    ) -> None:
        self.call_id = call_id
        self.origin = origin
        self.dropped = 0
        self._seat = seat
        self._classifier = classifier
        self._policy = policy
        self._new_id = new_id
        self._record = CallRecord(call_id=call_id)
        self._open: Alert | None = None
        self._raised: set[AlertKind] = set()

    def seconds(self, position: int) -> float:
        """Return seconds of the call (to the millisecond) for a position of the line's clock."""
        return round(max(0, position - self.origin) / RATE, 3)

    def say(self, speaker: Speaker, words: Words) -> list[Event]:
        """Take words of one side."""
        utterance = Utterance(
            call_id=self.call_id,
            sequence=words.number,
            speaker=speaker,
            start_s=self.seconds(words.start),
            end_s=self.seconds(words.end),
            text=words.text,
            final=words.final,
        )
        events: list[Event] = [Heard(utterance=utterance)]
        if not words.final:
            return events
        scores = None
        if speaker is Speaker.CUSTOMER:
            scores = self._classifier.classify(utterance.text)
            events.append(Scored(utterance=utterance, scores=scores))
        complaint = self._record.complaint
        self._record, assessment = hear(self._record, utterance, scores, self._policy)
        if self._record.complaint and not complaint:
            events.append(ComplaintHeard(call_id=self.call_id, at_s=utterance.end_s))
        if assessment is not None:
            events += self._alert(assessment)
        return events

    def end(self, *, duration_s: float) -> list[Event]:
        """End what is open, and the call."""
        return [
            *self._end_alert(duration_s),
            CallEnded(call_id=self.call_id, duration_s=duration_s, dropped=self.dropped),
        ]

    def _alert(self, assessment: Assessment) -> list[Event]:
        events: list[Event] = []
        kind = AlertKind.LIFE_SAFETY if assessment.life_safety else AlertKind.HARASSMENT
        if self._open is not None and self._open.kind is not kind:
            events += self._end_alert(assessment.at_s)
        if self._open is not None:
            self._open = self._open.updated(assessment)
        elif kind not in self._raised:
            self._raised.add(kind)
            self._open = open_alert(assessment, alert_id=self._new_id(), call_id=self.call_id, seat=self._seat)
        else:
            return events
        return [*events, AlertRaised(alert=self._open)]

    def _end_alert(self, at_s: float) -> list[Event]:
        if self._open is None or self._open.change is AlertChange.END:
            return []
        ended = self._open.ended(at_s=at_s, warnings=self._record.warnings)
        self._open = None
        return [AlertRaised(alert=ended)]


class LineListener:
    """Listens to one line, call after call.

    Args:
        vad_factory: gives a voice detector of its own to each channel.
        new_id: gives ids for calls and alerts.
        whole_source_is_one_call: for files: the call starts at 0 s and ends with the source.
    """

    def __init__(
        self,
        seat: str,
        models: RecognizerFactory,
        vad_factory: Callable[[], VoiceDetector],
        classifier: Classifier,
        policy: Policy,
        settings: Settings,
        new_id: Callable[[], str],
        *,
        whole_source_is_one_call: bool = False,
    ) -> None:
        self._seat = seat
        self._classifier = classifier
        self._policy = policy
        self._new_id = new_id
        self._whole = whole_source_is_one_call
        self._start_speech = settings.calls.start_speech_ms * RATE // 1000
        self._end_silence = settings.calls.end_silence_ms * RATE // 1000
        self._numbers = Numbers()
        self._voices = {
            speaker: Voice(
                recognizer=models.recognizer(), detector=vad_factory(), vad=settings.vad, numbers=self._numbers
            )
            for speaker in Speaker
        }
        self._at = 0
        self._call: Conversation | None = None

    @property
    def in_call(self) -> bool:
        """Whether a call is under way."""
        return self._call is not None

    @property
    def dropped(self) -> int:
        """Blocks lost in the call under way."""
        return self._call.dropped if self._call is not None else 0

    @property
    def levels_dbfs(self) -> tuple[float, float]:
        """Loudness of the customer's and the operator's side in the newest block; 0 is full scale."""
        return self._voices[Speaker.CUSTOMER].level_dbfs, self._voices[Speaker.OPERATOR].level_dbfs

    def feed(self, block: AudioBlock) -> list[Event]:
        """Take the next audio of the line; return what it brought, in order."""
        # Lost blocks took their time too: without it every later word would be dated too early.
        self._at += block.dropped * (RATE // 10)
        said: list[tuple[Speaker, Words]] = []
        for speaker, samples in ((Speaker.CUSTOMER, block.customer), (Speaker.OPERATOR, block.operator)):
            if samples is not None:
                said += [(speaker, words) for words in self._voices[speaker].hear(samples, at=self._at)]
        self._at += len(block.customer)
        events: list[Event] = []
        if self._call is None:
            events += self._start_if_spoken(first=self._at - len(block.customer))
        if self._call is None:
            if all(voice.opened is None for voice in self._voices.values()):
                self._numbers.restart()
            return events
        self._call.dropped += block.dropped
        for speaker, words in said:
            events += self._call.say(speaker, words)
        if not self._whole and self._at - self._last_speech() >= self._end_silence:
            events += self._end()
        return events

    def finish(self) -> list[Event]:
        """End the source: flush what was said, end the alert and the call."""
        if self._call is None:
            self._forget()
            return []
        return self._end()

    def _start_if_spoken(self, *, first: int) -> list[Event]:
        if self._whole:
            origin = first
        else:
            long_enough = any(voice.spoken >= self._start_speech for voice in self._voices.values())
            if not long_enough:
                return []
            origin = min(voice.opened for voice in self._voices.values() if voice.opened is not None)
        self._call = Conversation(
            call_id=self._new_id(),
            seat=self._seat,
            origin=max(0, origin),
            classifier=self._classifier,
            policy=self._policy,
            new_id=self._new_id,
        )
        started_s_ago = self._call.seconds(self._at)
        return [CallStarted(call_id=self._call.call_id, seat=self._seat, started_s_ago=started_s_ago)]

    def _end(self) -> list[Event]:
        call = self._call
        if call is None:
            return []
        events: list[Event] = []
        for speaker, voice in self._voices.items():
            for words in voice.close():
                events += call.say(speaker, words)
        duration_s = call.seconds(self._at if self._whole else self._last_speech())
        self._call = None
        self._forget()
        return [*events, *call.end(duration_s=duration_s)]

    def _last_speech(self) -> int:
        origin = self._call.origin if self._call is not None else 0
        return max(origin, *(voice.last_speech or 0 for voice in self._voices.values()))

    def _forget(self) -> None:
        for voice in self._voices.values():
            voice.forget()
        self._numbers.restart()
