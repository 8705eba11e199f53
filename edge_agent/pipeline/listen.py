"""A line is listened to: audio goes in, events come out. Synchronous; the same code for live lines and files.

Rules:
1. A live call starts with `start_speech_ms` of speech on either side, back-dated to where that speech began, and
   ends after `end_silence_ms` without speech on both. A file is one call from its first to its last sample. A source
   that knows when calls start and end (the telephone network) is believed. An announced call starts and ends as
   announced (`domain/announcement.py`), or after `announced_silence_s` without speech; another one ends the one before.
   People who talk as in a call (`pipeline/conversing.py`) although none was announced are told of. When announcements
   cease to decide, a call that was announced ends like any other.
2. Times of events are seconds since the call started.
3. What is said in a call is judged by its `Conversation`.
4. A call ends on the model it began with.
5. When the box is overloaded the operator's side is kept, and heard later (`catch_up`): never out of its own order, at
   the latest before the call ends or when it is `LATEST` behind. No call ends while some of it is still to be heard.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from edge_agent.domain.call import Speaker
from edge_agent.domain.overload import Stage
from edge_agent.pipeline.conversation import Conversation
from edge_agent.pipeline.conversing import Conversing
from edge_agent.pipeline.events import CallStarted, Event, Silenced, Unannounced
from edge_agent.pipeline.gathered import AT_ONCE, LATEST, TOGETHER, Gathered
from edge_agent.pipeline.voice import PARTIAL_EVERY, Numbers, Voice, Words
from edge_agent.ports import RATE

if TYPE_CHECKING:
    from edge_agent.domain.policy import Policy
    from edge_agent.ports import Announced, AudioBlock, Classifier, RecognizerFactory, VoiceDetector
    from edge_agent.settings import Settings

SHOWN_ONLY = 5
"""Words under way are looked at so many times less often on the operator's side, where they are only shown."""
FEWER = 2
"""The same of the customer's when the box is overloaded: they raise alerts, and a look costs little."""


class LineListener:
    """Listens to one line, call after call.

    Args:
        vad_factory: gives a voice detector of its own to each channel.
        new_id: gives ids for calls and alerts.
        stage: tells how much is given up at the moment.
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
        stage: Callable[[], Stage] = lambda: Stage.NORMAL,
    ) -> None:
        self._seat = seat
        self._models = models
        self._model = models.in_use()
        self._stage = stage
        self._classifier = classifier
        self._policy = policy
        self._new_id = new_id
        self._whole = whole_source_is_one_call
        self._start_speech = settings.calls.start_speech_ms * RATE // 1000
        self._end_silence = settings.calls.end_silence_ms * RATE // 1000
        self._announced_silence = settings.calls.announced_silence_s * RATE
        self._conversing = Conversing(limit_s=settings.calls.announced_missed_s)
        self._numbers = Numbers()
        self._voices = {
            speaker: Voice(
                recognizer=self._model.recognizer, detector=vad_factory(), vad=settings.vad, numbers=self._numbers
            )
            for speaker in Speaker
        }
        self._voices[Speaker.OPERATOR].partial_every = PARTIAL_EVERY * SHOWN_ONLY
        self._at = 0
        self._later = Gathered()
        self._private = False
        self._unsaid_until = 0
        """Silence up to here is no sign that the call is over: it was paused, or had not been announced yet."""
        self._call: Conversation | None = None
        self.announced = False
        """Whether the call under way was announced."""
        self._told: bool | None = None
        self._announced: Announced | None = None
        self._over = ""
        """The call that ended last: where it was announced, it is announced on until that is known there too."""

    @property
    def in_call(self) -> bool:
        """Whether a call is under way."""
        return self._call is not None

    @property
    def dropped(self) -> int:
        """Blocks lost in the call under way."""
        return self._call.dropped if self._call is not None else 0

    @property
    def later(self) -> int:
        """Samples of the operator that are still to be heard; may be asked from any thread.

        What is gathered until it is worth a run (`TOGETHER`) is not late.
        """
        return self._later.late

    @property
    def recognizers(self) -> int:
        """Recognizers at work: one for each side on which somebody speaks; may be asked from any thread."""
        return sum(voice.opened is not None for voice in self._voices.values())

    @property
    def levels_dbfs(self) -> tuple[float, float]:
        """Loudness of the customer's and the operator's side in the newest block; 0 is full scale."""
        return self._voices[Speaker.CUSTOMER].level_dbfs, self._voices[Speaker.OPERATOR].level_dbfs

    def feed(self, block: AudioBlock) -> list[Event]:
        """Take the next audio of the line; return what it brought, in order."""
        if self._call is None and self._models.model_version != self._model.model_version:
            self._renew()
        stage = self._stage()
        fewer = stage >= Stage.FEWER_PARTIALS
        self._voices[Speaker.CUSTOMER].partial_every = PARTIAL_EVERY * (FEWER if fewer else 1)
        # Lost blocks took their time too: without it every later word would be dated too early.
        self._at += block.dropped * (RATE // 10)
        self._told, self._announced = block.in_call, block.announced
        self.announced = self.announced and block.announced is not None
        events = self._give_way()
        if block.private:
            return events + self._pass_over(block)
        self._private = False
        first = self._at
        said = self._hear(block, stage)
        self._at += len(block.customer)
        if self._call is None:
            events += self._start_if_due(first=first)
        if self._call is not None:
            self._call.dropped += block.dropped
        events += self._say(said)
        if self._call is None:
            return events + self._look_for_talk(first, len(block.customer))
        limit = self._announced_silence if self.announced else self._end_silence
        told = block.in_call is not None and not self.announced
        still = not told and not self._whole and self._at - max(self._last_speech(), self._later.sounded) >= limit
        if still or self._quiet(limit):
            # What was gathered may be speech; and if it were not heard, the next call would become part of this one.
            events += self._say(self._hear_later(AT_ONCE))
        faded = self._quiet(limit) and not self._later.waiting and not told
        if block.in_call is False or faded:
            events += self._end(faded=faded and block.in_call is not False)
        return events

    def _look_for_talk(self, first: int, length: int) -> list[Event]:
        """Tell of people who talk although no call was announced; `first` and `length` are the block's."""
        if self._announced is None or self._announced.call_id:
            self._conversing.forget()
            return []
        # The operator's side may be heard later: what is heard of it now counts now, and for all that was gathered.
        since = {Speaker.CUSTOMER: first, Speaker.OPERATOR: first + length - TOGETHER}
        speaking = {speaker: (voice.last_speech or 0) > since[speaker] for speaker, voice in self._voices.items()}
        if not self._conversing.hear(speaking, at=first, length=length):
            return []
        self._conversing.forget()
        return [Unannounced(seat=self._seat)]

    def _give_way(self) -> list[Event]:
        """End the call under way if another one was announced."""
        announced = self._announced
        if self._call is None or announced is None or announced.call_id in {"", self._call.call_id}:
            return []
        return self._end()

    def _hear(self, block: AudioBlock, stage: Stage) -> list[tuple[Speaker, Words]]:
        first = self._at
        said = [(Speaker.CUSTOMER, words) for words in self._voices[Speaker.CUSTOMER].hear(block.customer, at=first)]
        if block.operator is not None:
            behind = self.later
            self._later.add(first, block.operator)
            if stage < Stage.OPERATOR_LATER and not behind:
                said += self._hear_later(self.later)
            elif self.later > LATEST:
                said += self._hear_later(self.later - LATEST)
        return said

    def catch_up(self, samples: int) -> list[Event]:
        """Hear so much more of the operator's side that waits; return what it brought, in order."""
        said = self._hear_later(samples)
        events = self._start_if_due(first=self._at) if self._call is None and not self._whole else []
        return [*events, *self._say(said)]

    def _hear_later(self, samples: int) -> list[tuple[Speaker, Words]]:
        voice = self._voices[Speaker.OPERATOR]
        heard = [words for at, waiting in self._later.take(samples) for words in voice.hear(waiting, at=at)]
        return [(Speaker.OPERATOR, words) for words in heard]

    def _say(self, said: list[tuple[Speaker, Words]]) -> list[Event]:
        call = self._call
        if call is None:
            if all(voice.opened is None for voice in self._voices.values()):
                self._numbers.restart()
            return []
        return [event for speaker, words in said for event in call.say(speaker, words)]

    def finish(self, *, faded: bool = False) -> list[Event]:
        """End the source: flush what was said, end the alert and the call; `faded` if its audio has ceased."""
        if self._call is None:
            self._forget()
            return []
        return self._end(faded=faded)

    def _pass_over(self, block: AudioBlock) -> list[Event]:
        """Let the time of a pause pass: silence in it is no sign that the call is over."""
        before = self._at
        self._at = self._unsaid_until = before + len(block.customer)
        self._later.wipe()
        for voice in self._voices.values():
            voice.discard(until=self._at)
        events: list[Event] = []
        if self._call is None and block.in_call:
            events += self._start_if_due(first=before)
        if self._call is not None:
            self._call.dropped += block.dropped
            self._call.forget_under_way()
            if not self._private:
                events.append(Silenced(call_id=self._call.call_id))
            if block.in_call is False:
                events += self._end()
        self._private = True
        return events

    def _start_if_due(self, *, first: int) -> list[Event]:
        told, announced = self._told, self._announced if self._told else None
        if announced is not None:
            if announced.call_id == self._over:
                return []
            # Before the line was told it has begun, perhaps before the line was heard at all.
            origin = first - round(announced.ago_s * RATE)
            self._unsaid_until = first
        elif self._whole or told:
            origin = first
        elif told is False:
            return []
        else:
            long_enough = any(voice.spoken >= self._start_speech for voice in self._voices.values())
            if not long_enough:
                return []
            origin = max(0, min(voice.opened for voice in self._voices.values() if voice.opened is not None))
        self.announced = announced is not None
        self._call = Conversation(
            call_id=announced.call_id if announced is not None else self._new_id(), seat=self._seat, origin=origin,
            classifier=self._classifier, policy=self._policy, new_id=self._new_id,
        )  # fmt: skip
        started_s_ago = self._call.seconds(self._at)
        return [CallStarted(call_id=self._call.call_id, seat=self._seat, started_s_ago=started_s_ago)]

    def _end(self, *, faded: bool = False) -> list[Event]:
        call = self._call
        if call is None:
            return []
        events = self._say(self._hear_later(self._later.waiting))
        for speaker, voice in self._voices.items():
            for words in voice.close():
                events += call.say(speaker, words)
        duration_s = call.seconds(self._at if self._whole else self._last_speech())
        self._call, self._over, self.announced = None, call.call_id, False
        self._forget()
        self._renew()
        return [*events, *call.end(duration_s=duration_s, faded=faded)]

    def _quiet(self, limit: int) -> bool:
        return not self._whole and not self.later and self._at - self._last_speech() >= limit

    def _last_speech(self) -> int:
        origin = self._call.origin if self._call is not None else 0
        return max(origin, self._unsaid_until, *(voice.last_speech or 0 for voice in self._voices.values()))

    def _renew(self) -> None:
        """Listen with the model in use now, unless somebody speaks."""
        if all(voice.opened is None for voice in self._voices.values()):
            self._model = self._models.in_use()
            for voice in self._voices.values():
                voice.hear_with(self._model.recognizer)

    def _forget(self) -> None:
        self._later.forget()
        self._conversing.forget()
        for voice in self._voices.values():
            voice.forget()
        self._numbers.restart()
