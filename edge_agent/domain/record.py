"""What judgement remembers of a call."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edge_agent.domain.policy import Severity
from edge_agent.domain.repetition import Repetition

if TYPE_CHECKING:
    from edge_agent.domain.finding import Finding
    from edge_agent.domain.wording import Turn

CALM_TURNS = 2
"""Turns of the customer without a sign of danger after which a single doubtful one no longer keeps harassment untold.

In 57 scripted calls of people in danger no harassment was told with any number from 1 to 4; the fewer, the
earlier harassment is seen that an innocent word (「推しが着てたやつだから」) had silenced."""

SURE_OF_DANGER = 0.99
"""Probability of life safety from which one sign is certain. Innocent words got up to 0.92 in scripted calls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """What judgement remembers of a call.

    Attributes:
        warning: the operator has warned since the customer's last words.
        warning_level: the gravest warning spoken: 1, 2, 3 (ending the call), or 0.
        told_level: the warning after which words that went on have been reported.
        relay: the call is interpreted.
        accommodation: the caller has asked for consideration.
        turns: the customer's newest turns, the first first.
        reporting: for how many further turns the customer is taken to tell what somebody else did or said.
        asked_of_danger: the operator has just asked whether the customer's life is in danger.
        life_safety: a sign of danger was heard and shown.
        danger_certain: it was very sure, came again, or the operator asked about it.
        calm_turns: the customer's turns since the last sign.
    """

    call_id: str
    findings: tuple[Finding, ...] = ()
    met: tuple[str, ...] = ()
    severity: Severity = Severity.B0
    warnings: int = 0
    warning: bool = False
    warning_level: int = 0
    told_level: int = 0
    complaint: bool = False
    life_safety: bool = False
    danger_certain: bool = False
    calm_turns: int = 0
    relay: bool = False
    accommodation: bool = False
    turns: tuple[Turn, ...] = ()
    repetition: Repetition = field(default_factory=Repetition)
    reporting: int = 0
    asked_of_danger: bool = False

    @property
    def unhurried(self) -> bool:
        """Whether repeating and long calls are as they must be."""
        return self.relay or self.accommodation

    @property
    def in_danger(self) -> bool:
        """Whether the caller's danger keeps harassment from being told."""
        return self.life_safety and (self.danger_certain or self.calm_turns < CALM_TURNS)

    @property
    def danger_doubted(self) -> bool:
        """Whether there was one doubtful sign of danger, and the customer has said something without one since."""
        return self.life_safety and not self.danger_certain and self.calm_turns > 0
