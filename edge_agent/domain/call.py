"""Lines, calls and what is said on them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from edge_agent.errors import Text, TransitionError


class Speaker(StrEnum):
    """Which side of the line speaks; each side has a channel of its own."""

    CUSTOMER = "customer"
    OPERATOR = "operator"

    @property
    def other(self) -> Speaker:
        """The other side."""
        return Speaker.OPERATOR if self is Speaker.CUSTOMER else Speaker.CUSTOMER


class LineState(StrEnum):
    """What a tapped line is doing, as the floor page shows it."""

    IDLE = "idle"
    IN_CALL = "in_call"
    FAULT = "fault"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One tapped seat: where its two voices come from.

    Attributes:
        seat: short stable name, such as ``"01"``; part of topics and addresses.
        label: what people call the seat.
        device: stable name of the capture device in the settings.
        customer_channel: 0-based channel of the card that carries the customer.
        operator_channel: 0-based channel of the card that carries the operator.
    """

    seat: str
    label: Text
    device: str
    customer_channel: int
    operator_channel: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Utterance:
    """A stretch of speech of one side, as recognised.

    Attributes:
        call_id: the call it belongs to.
        sequence: number within the call, from 0; a partial and its final share it.
        speaker: which side spoke.
        start_s: seconds from the start of the call to the first sound.
        end_s: seconds from the start of the call to the last sound.
        text: recognised words, without spaces between Japanese tokens.
        final: false while the words may still change.
        confidence: how sure recognition is of the words (0–1).
    """

    call_id: str
    sequence: int
    speaker: Speaker
    start_s: float
    end_s: float
    text: str
    final: bool = True
    confidence: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One telephone call on a line."""

    call_id: str
    seat: str
    started_at: datetime
    ended_at: datetime | None = None

    def end(self, *, at: datetime) -> Call:
        """Return the call ended at `at`; raise `TransitionError` if it already is or `at` lies before its start."""
        if self.ended_at is not None:
            raise TransitionError(
                Text(f"通話 {self.call_id} はすでに終了しています。", f"Call {self.call_id} has already ended."),
                Text("画面を読み込み直してください。", "Reload the page."),
            )
        if at < self.started_at:
            raise TransitionError(
                Text("通話の終了が開始より前になっています。", "The call would end before it started."),
                Text("機器の時計を確認してください。", "Check the clock of the box."),
            )
        return replace(self, ended_at=at)
