"""How well a line is tapped: what is wrong with its audio, told only when it lasts, and what to do about it.

Rules:
1. Everything is told by whole seconds of audio; a trouble needs several of them to begin, and others to end.
2. A side without audio in a call is a fault: nobody listens there. All else is a notice: the line is heard, but badly.
3. Channels count as swapped by what is said: an operator's set phrases on the customer's side, call after call, and
   not on the operator's. The same phrase on both sides at once is cross-talk, and says nothing of swapping.
4. What cannot be told in a second (hum while somebody speaks) leaves everything as it was.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge_agent.domain.call import Speaker
from edge_agent.domain.line_trouble import Trouble, TroubleKind
from edge_agent.domain.side_faults import WINDOW, Clipping, Hum, Overdriven, Quiet

if TYPE_CHECKING:
    from edge_agent.domain.policy import Policy

SILENCE_DBFS = -120.0
"""What stands for no sound at all."""
ALIKE = 0.5
"""Likeness of both sides from which a second is cross-talk; two people who speak at once stay below 0.3."""
ALIKE_FROM, ALIKE_UNTIL = 6, 2
"""Of the last `WINDOW` seconds with speech, how many have to be alike for cross-talk to begin, and may be to end it."""
BOTH_SIDES_S = 10
"""An operator's phrase heard on both sides within so many seconds is one sound heard twice."""
SWAPPED_FROM = 2.7
"""Evidence of swapped channels: three phrases, the older ones counting `FADING` of the next."""
SWAPPED_SHARE = 0.25
"""The operator's side may have so much of that evidence against it."""
FADING = 0.9

OPERATOR_PHRASES = (
    "お電話ありがとうございます",
    "お電話いただきありがとう",
    "ご用件をお伺い",
    "お伺いいたします",
    "担当いたします",
    "承りました",
    "承ります",
    "かしこまりました",
    "お待たせいたしました",
    "お調べいたします",
    "お客様番号をお",
    "お名前を頂戴",
    "お名前をちょうだい",
    "お名前をお伺い",
    "ご不便をおかけ",
)
"""What operators of every industry say and customers hardly ever do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SideLevels:
    """One second of one side.

    Attributes:
        level_dbfs: loudness of its last 100 ms; 0 is full scale.
        rms_dbfs: loudness of the whole second.
        peak_dbfs: its loudest sample.
        speech: share of it that stands out of the side's own noise, 0 to 1.
        speech_dbfs: loudness of what stands out, faint speech included; None: nobody spoke.
        ceiling_dbfs: what the loudest hundredth of its loudest sounds exceeds.
        headroom_db: by how much that is above what their loudest tenth exceeds; None: nobody spoke, or it was a tone.
        clipped: share of its samples at full scale, 0 to 1.
        hum_hz: mains whose hum is most of what is heard below 400 Hz, 50 or 60; 0: none; None: somebody spoke.
        hum_dbfs: loudness of that hum.
    """

    level_dbfs: float = SILENCE_DBFS
    rms_dbfs: float = SILENCE_DBFS
    peak_dbfs: float = SILENCE_DBFS
    speech: float = 0.0
    speech_dbfs: float | None = None
    ceiling_dbfs: float = SILENCE_DBFS
    headroom_db: float | None = None
    clipped: float = 0.0
    hum_hz: int | None = 0
    hum_dbfs: float = SILENCE_DBFS


@dataclass(frozen=True, slots=True, kw_only=True)
class LineSecond:
    """One second of a line. `likeness`: how much of one side is in the other, 0 to 1; None: nobody spoke."""

    customer: SideLevels
    operator: SideLevels
    likeness: float | None = None
    in_call: bool | None = None
    """What the source says of a call; None: it cannot know."""

    def of(self, speaker: Speaker) -> SideLevels:
        """Return one side."""
        return self.customer if speaker is Speaker.CUSTOMER else self.operator


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """From when a side counts as silent for too long.

    Attributes:
        no_audio_s: seconds of a call in which a side was never heard.
        lost_audio_s: seconds of a call since a side was last heard; 0: never.
        silence_dbfs: what is quieter was not heard: an open input's noise.
    """

    no_audio_s: int = 30
    lost_audio_s: int = 180
    silence_dbfs: float = -65.0


class LineHealth:
    """What is wrong with one line.

    Args:
        phrases: what the operators of this floor say besides `OPERATOR_PHRASES`, greetings above all.
    """

    def __init__(self, *, limits: Limits, phrases: Collection[str] = ()) -> None:
        self._limits = limits
        self._silent = {speaker: _Silence() for speaker in Speaker}
        self._clipping = {speaker: Clipping() for speaker in Speaker}
        self._overdriven = {speaker: Overdriven() for speaker in Speaker}
        self._quiet = {speaker: Quiet() for speaker in Speaker}
        self._hum = {speaker: Hum() for speaker in Speaker}
        self._cross_talk = _CrossTalk()
        self._swapped = _Swapped((*OPERATOR_PHRASES, *phrases))
        self._call_s: int | None = None
        self._told = False

    @property
    def troubles(self) -> tuple[Trouble, ...]:
        """What is wrong now, the gravest first."""
        return tuple(self._troubles())

    def call_started(self) -> None:
        """Note that a call has begun, as the voices tell."""
        if self._call_s is None:
            self._call_s = 0
            for speaker in Speaker:
                self._silent[speaker].begin()
                self._quiet[speaker].begin()

    def call_ended(self) -> None:
        """Note that the call is over."""
        self._call_s, self._told = None, False

    def hear(self, second: LineSecond) -> None:
        """Take the next second of the line."""
        if second.in_call:
            self.call_started()
            self._told = True
        elif second.in_call is False and self._told:
            self.call_ended()
        if self._call_s is not None:
            self._call_s += 1
        for speaker in Speaker:
            side = second.of(speaker)
            heard = side.rms_dbfs >= self._limits.silence_dbfs
            self._silent[speaker].hear(heard=heard)
            self._clipping[speaker].hear(side)
            self._overdriven[speaker].hear(side)
            if self._call_s is not None:
                self._quiet[speaker].hear(side, second.of(speaker.other))
            self._hum[speaker].hear(side)
        self._cross_talk.hear(second.likeness)
        self._swapped.pass_second()

    def read(self, speaker: Speaker, text: str, policy: Policy | None = None) -> None:
        """Take an utterance's final words; `policy` knows the company's own phrases."""
        own = [m for p in policy.phrases if p.warning or p.final_answer for m in p.spoken_marks] if policy else []
        # On a line that leaks, whose words they are is not to be told.
        if not self._cross_talk.on:
            self._swapped.read(speaker, text, own)

    def _troubles(self) -> Iterable[Trouble]:
        dead = [s for s in Speaker if self._silent[s].too_long(self._call_s, self._limits)]
        if dead:
            yield Trouble(kind=TroubleKind.NO_AUDIO, side=dead[0] if len(dead) == 1 else None)
        if self._swapped.on:
            yield Trouble(kind=TroubleKind.SWAPPED)
        if self._cross_talk.on:
            yield Trouble(kind=TroubleKind.CROSS_TALK)
        yield from (Trouble(kind=TroubleKind.QUIET, side=s) for s in Speaker if self._quiet[s].on and s not in dead)
        yield from (Trouble(kind=TroubleKind.CLIPPING, side=s) for s in Speaker if self._clipping[s].on)
        # What is clipped here may have no headroom for that alone.
        before = [s for s in Speaker if self._overdriven[s].on and not self._clipping[s].on]
        yield from (Trouble(kind=TroubleKind.OVERDRIVEN, side=s) for s in before)
        yield from (Trouble(kind=TroubleKind.HUM, side=s, hertz=self._hum[s].hertz) for s in Speaker if self._hum[s].on)


class _Silence:
    """How long a side has not been heard."""

    def __init__(self) -> None:
        self._ever = False
        self._quiet_s = 0

    def begin(self) -> None:
        self._ever, self._quiet_s = False, 0

    def hear(self, *, heard: bool) -> None:
        self._ever = self._ever or heard
        self._quiet_s = 0 if heard else self._quiet_s + 1

    def too_long(self, call_s: int | None, limits: Limits) -> bool:
        if call_s is None:
            return False
        if not self._ever:
            return call_s >= limits.no_audio_s
        return 0 < limits.lost_audio_s <= self._quiet_s


class _CrossTalk:
    def __init__(self) -> None:
        self._alike: deque[bool] = deque(maxlen=WINDOW)
        self.on = False

    def hear(self, likeness: float | None) -> None:
        if likeness is None:
            return
        self._alike.append(likeness >= ALIKE)
        count = sum(self._alike)
        self.on = count > ALIKE_UNTIL if self.on else count >= ALIKE_FROM


class _Swapped:
    """Evidence of which side the operator's phrases are heard on; it outlives calls."""

    def __init__(self, phrases: Iterable[str]) -> None:
        self._phrases = tuple(phrases)
        self._fresh: list[tuple[int, Speaker, str]] = []
        self._now_s = 0
        self._weight = dict.fromkeys(Speaker, 0.0)
        self.on = False

    def read(self, speaker: Speaker, text: str, own: Iterable[str]) -> None:
        for phrase in {phrase for phrase in (*self._phrases, *own) if phrase in text}:
            twin = next((hit for hit in self._fresh if hit[1] is not speaker and hit[2] == phrase), None)
            if twin is not None:
                self._fresh.remove(twin)
            else:
                self._fresh.append((self._now_s, speaker, phrase))

    def pass_second(self) -> None:
        self._now_s += 1
        due = {hit[:2] for hit in self._fresh if self._now_s - hit[0] >= BOTH_SIDES_S}
        self._fresh = [hit for hit in self._fresh if hit[:2] not in due]
        for _, speaker in sorted(due):
            self._weight = {who: weight * FADING for who, weight in self._weight.items()}
            self._weight[speaker] += 1
            wrong, right = self._weight[Speaker.CUSTOMER], self._weight[Speaker.OPERATOR]
            self.on = wrong > right if self.on else wrong >= SWAPPED_FROM and right <= SWAPPED_SHARE * wrong
