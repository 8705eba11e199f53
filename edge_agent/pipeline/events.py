"""What listening to a line brings, in order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge_agent.domain.alert import Alert
    from edge_agent.domain.call import Utterance
    from edge_agent.domain.finding import Scores


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
    """What the classifier says of a customer's final words, as they are."""

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
class Warned:
    """The operator has warned the caller; `at_s` in seconds of the call."""

    call_id: str
    at_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEnded:
    """Nobody speaks any more.

    Attributes:
        duration_s: from the start of the call to the end of its last speech (of a file: its length).
        dropped: blocks of audio lost during the call.
        faded: nobody said that it is over: nothing was heard for too long.
    """

    call_id: str
    duration_s: float
    dropped: int
    faded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Silenced:
    """A pause began: the words under way are not those of anybody any more."""

    call_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unannounced:
    """People talk as in a call on a line whose calls are announced, and none was."""

    seat: str


Event = Silenced | Unannounced | CallStarted | Heard | Scored | AlertRaised | ComplaintHeard | Warned | CallEnded
