"""Figures of whole calls: was a harassing one alerted, rightly and in time; was anyone else branded."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edge_agent.domain.quality import CallError, CallQuality, Figure, GroupError
from edge_agent.services.quality_figures import DIALECTS, redrawn, share_of
from edge_agent.services.scripts import CallKind, Script


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedCall:
    """A scripted call and what became of it.

    Attributes:
        alerted: there was a harassment alert that was not withdrawn.
        types: harassment types of all its revisions.
        late: the first alert came after the utterance by which a criterion is first met.
        talk_s: seconds of customers' talk.
    """

    script: Script
    alerted: bool
    types: frozenset[str]
    late: bool
    life_safety: bool
    complaint: bool
    talk_s: float

    @property
    def right(self) -> bool:
        """Whether a harassing call was alerted with one of its right types."""
        return self.alerted and not self.types.isdisjoint(label.value for label in self.script.types)


def call_quality(calls: Sequence[JudgedCall], *, through: str) -> CallQuality:
    """Return the figures of judged calls."""
    harassing = [call for call in calls if call.script.kind is CallKind.HARASSING]
    others = [call for call in calls if call.script.kind is not CallKind.HARASSING]
    in_despair = [call for call in calls if call.script.kind is CallKind.LIFE_SAFETY]
    safe = [call for call in calls if call.script.kind is not CallKind.LIFE_SAFETY]
    complaints = [call for call in calls if call.script.kind is CallKind.COMPLAINT]

    def share(flags: list[bool]) -> Figure:
        return share_of(np.array(flags, bool), [str(number) for number in range(len(flags))])

    false = np.array([call.alerted for call in others], float)
    hours = np.array([call.talk_s for call in others]) / 3600
    return CallQuality(
        through=through,
        calls=len(calls),
        right=share([call.right for call in harassing]),
        wrong=share([call.alerted for call in others]),
        in_time=share([not call.late for call in harassing if call.alerted]),
        life_safety=share([call.life_safety and not call.alerted for call in in_despair]),
        life_safety_wrong=share([call.life_safety for call in safe]),
        complaints=share([call.complaint for call in complaints]),
        false_alarms_per_hour=redrawn(
            lambda rows: float(false[rows].sum() / max(hours[rows].sum(), 1e-9)),
            [call.script.call_id for call in others],
        ),
        groups=tuple(_groups(calls)),
        errors=tuple(_errors(calls)),
    )


def _groups(calls: Sequence[JudgedCall]) -> list[GroupError]:
    found: dict[tuple[str, str], list[JudgedCall]] = defaultdict(list)
    for call in calls:
        register = call.script.register
        found["kind", call.script.kind.value].append(call)
        found["dialect" if register in DIALECTS else "register", register].append(call)
        found["age", call.script.age].append(call)
    groups = []
    for (by, group), members in sorted(found.items()):
        others = [call.alerted for call in members if call.script.kind is not CallKind.HARASSING]
        missed = [not call.right for call in members if call.script.kind is CallKind.HARASSING]
        groups.append(
            GroupError(
                by=by,
                group=group,
                false_alarms=share_of(np.array(others, bool), list(map(str, range(len(others))))) if others else None,
                misses=share_of(np.array(missed, bool), list(map(str, range(len(missed))))) if missed else None,
            )
        )
    return groups


def _errors(calls: Sequence[JudgedCall]) -> list[CallError]:
    errors = []
    for call in calls:
        kind = call.script.kind
        what = ""
        if kind is CallKind.HARASSING and not call.alerted:
            what = "no alert"
        elif kind is CallKind.HARASSING and not call.right:
            what = f"alert of another type: {' '.join(sorted(call.types))}"
        elif kind is CallKind.HARASSING and call.late:
            what = "alert later than the first utterance that meets a criterion"
        elif kind is not CallKind.HARASSING and call.alerted:
            what = f"harassment alert: {' '.join(sorted(call.types))}"
        elif kind is CallKind.LIFE_SAFETY and not call.life_safety:
            what = "life safety not seen"
        elif kind is not CallKind.LIFE_SAFETY and call.life_safety:
            what = "shown as life safety"
        if what:
            errors.append(CallError(call=call.script.call_id, kind=kind.value, what=what))
    return errors
