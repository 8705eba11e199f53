"""What the pipeline needs of the world; each port has a second real implementation or a fake."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    import numpy as np
    import numpy.typing as npt

    from edge_agent.domain.finding import Scores
    from edge_agent.domain.lamp import LampState
    from edge_agent.domain.press import Edge, Gesture
    from edge_agent.errors import Text

    Samples = npt.NDArray[np.int16]

RATE = 16_000
"""Samples per second after the one resampling at the entrance; what voice activity and recognition take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """What was announced of a line's calls.

    Attributes:
        call_id: the call under way; empty: there is none.
        ago_s: seconds by which it had begun when the line was told.
    """

    call_id: str
    ago_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioBlock:
    """Some audio of one line.

    Attributes:
        customer: int16 samples at `RATE`.
        operator: int16 samples at `RATE`, as many as the customer's, or None for a mono source.
        dropped: blocks lost just before this one because nobody fetched them in time.
        in_call: whether the source says that a call is under way; None: it cannot know, the voices alone tell.
        private: captured in a pause: its samples are silence, whatever was said.
        announced: what was announced of the line's calls, which `in_call` says then; None: announcements do not decide.
    """

    customer: Samples
    operator: Samples | None
    dropped: int = 0
    in_call: bool | None = None
    private: bool = False
    announced: Announced | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognised:
    """Words of a recogniser.

    Attributes:
        text: without spaces between Japanese tokens.
        start_s: seconds of the channel's audio given to the recogniser up to the first word.
        end_s: the same up to the end of the last word.
        words: how many words there are.
        confidence: how sure the recogniser is of them (0–1), by their letters.
    """

    text: str
    start_s: float
    end_s: float
    words: int = 1
    confidence: float = 1.0


class AudioSource(Protocol):
    """A sound card's line, or a file."""

    def blocks(self) -> Iterator[AudioBlock]:
        """Yield audio in order until the source ends; raise `AudioError` if it is lost."""
        ...


class VoiceDetector(Protocol):
    """Says how likely frames are speech."""

    frame_samples: int
    """Samples at `RATE` of a frame."""

    def probabilities(self, frames: Samples) -> Sequence[float]:
        """Return for each row, a frame, the probability (0–1) that it holds speech; frames are given in order."""
        ...

    def reset(self) -> None:
        """Forget what was heard."""
        ...


class Recognizer(Protocol):
    """Turns one channel's speech into words."""

    def accept(self, samples: Samples) -> Recognised | None:
        """Take int16 samples at `RATE`; return final words if an utterance ended in them."""
        ...

    def partial(self) -> str:
        """Return the words of the utterance so far; they may change."""
        ...

    def flush(self) -> Recognised | None:
        """End the utterance now; return its words if there are any."""
        ...


class RecognizerFactory(Protocol):
    """A loaded speech model, or the one chosen of several: then `model_version` changes with the choice."""

    @property
    def model_version(self) -> str:
        """Return the version of the model that new recognizers use."""
        ...

    def recognizer(self) -> Recognizer:
        """Return a recognizer for one channel."""
        ...

    def in_use(self) -> RecognizerFactory:
        """Return the model in use now, which stays the same whatever is chosen later."""
        ...


class Classifier(Protocol):
    """Says what a customer's words are."""

    model_version: str

    def classify(self, text: str) -> Scores:
        """Return the scores of one utterance."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the broker said of a message; `refused` is its reason, None when it took the message."""

    ticket: int
    refused: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """A message from a device; `schema` and `trace` are its user properties, empty if it has none.

    `retained`: it was sent to be kept for whoever comes later; known only of what is listened to for the moment.
    """

    topic: str
    payload: bytes
    schema: str = ""
    trace: str = ""
    retained: bool = False


class Messenger(Protocol):
    """The way to the panels: a broker, or memory in unit tests."""

    def connected(self) -> bool:
        """Return whether messages can be given to it now."""
        ...

    def generation(self) -> int:
        """Return how often a connection was made; retained states are sent again after each."""
        ...

    def send(self, *, topic: str, payload: str, retain: bool = False, expiry_s: int | None = None) -> int | None:
        """Hand over one message at least once; return its ticket, or None if it must be offered again later.

        `expiry_s`: seconds after which it is worth nothing; None: as its kind says.
        """
        ...

    def outcomes(self) -> list[Outcome]:
        """Return what has become of messages since the last call."""
        ...

    def arrived(self) -> list[Arrived]:
        """Return messages received since the last call."""
        ...


class LampDevice(Protocol):
    """A lamp or signal tower."""

    def show(self, state: LampState) -> None:
        """Show a state, again if it was shown before; raise `LampError` if the lamp cannot be reached."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactFound:
    """How a button's contact is when watching it begins, `at_s` seconds on the monotonic clock."""

    button: str
    pressed: bool
    at_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactChanged:
    """A button's contact closed or opened."""

    button: str
    edge: Edge


@dataclass(frozen=True, slots=True, kw_only=True)
class ButtonPressed:
    """A button on the network says what was meant, `age_s` seconds ago.

    `told` numbers the press, the same in every repeat of it; None: it does not number them.
    """

    button: str
    gesture: Gesture
    told: str | None = None
    age_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ButtonSeen:
    """A button is there, with its battery in percent if it has one; or `fault` says what is wrong with it."""

    button: str
    battery: int | None = None
    fault: Text | None = None


ButtonSignal = ContactFound | ContactChanged | ButtonPressed | ButtonSeen


class ButtonSource(Protocol):
    """Buttons reached in one way: pins of the box, a USB device."""

    def run(self, stop: threading.Event, tell: Callable[[ButtonSignal], None]) -> None:
        """Tell what the buttons do until told to stop; a device that goes is told, and looked for again."""
        ...


class Light(Protocol):
    """A light that is on or off: in a button, or a lamp."""

    def show(self, *, on: bool) -> None:
        """Switch it; nothing is raised, whatever the device does."""
        ...


class Clock(Protocol):
    """The time of day."""

    def now(self) -> datetime:
        """Return the time, aware, in UTC."""
        ...
