"""A suspicion that a person ruled out, and why: what the judgement has to learn from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from edge_agent.errors import Text, TransitionError

LONGEST_NOTE = 200
"""Characters of a note; it names a cause and does not tell the call again."""


class Cause(StrEnum):
    """Why it was no harassment."""

    QUOTATION = "quotation"
    """Somebody else's words were told or read out."""
    COMPLAINT = "complaint"
    """A complaint, perhaps an angry one, and nothing more."""
    JOKING = "joking"
    """Banter that nobody took amiss, or a manner of speaking."""
    MISHEARD = "misheard"
    """Recognition heard other words than were said."""
    WRONG_PERSON = "wrong_person"
    """Said by somebody else than the caller, or to somebody else than the operator."""
    OTHER = "other"
    """None of these; the note says what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FalseAlarm:
    """Who ruled a suspicion out, when and why. `note` is in their own words, and needed if the cause is another one."""

    cause: Cause
    by: str
    at: datetime
    note: str = ""


def ruled_out(*, cause: str, note: str, by: str, at: datetime) -> FalseAlarm:
    """Return what somebody has marked; raise `TransitionError` for no or an unknown cause, or an unfit note."""
    note = " ".join(note.split())
    if cause not in {known.value for known in Cause}:
        raise TransitionError(
            Text("誤検知とした理由が選ばれていません。", "No reason for the false alarm was chosen."),
            Text("理由を1つ選んでから、もう一度記録してください。", "Choose one and record it again."),
        )
    if Cause(cause) is Cause.OTHER and not note:
        raise TransitionError(
            Text("「その他」の理由が書かれていません。", "The other reason was not written down."),
            Text("理由を短く書いてください。", "Write it in a few words."),
        )
    if len(note) > LONGEST_NOTE:
        raise TransitionError(
            Text(f"メモが長すぎます（{len(note)}文字）。", f"The note is too long ({len(note)} characters)."),
            Text(f"{LONGEST_NOTE}文字までにしてください。", f"Keep it to {LONGEST_NOTE}."),
        )
    return FalseAlarm(cause=Cause(cause), by=by, at=at, note=note)
