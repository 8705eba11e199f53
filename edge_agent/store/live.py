"""What is going on now: line states and live words. Kept in memory, forgotten when a call ends."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from edge_agent.domain.call import LineState, Speaker
from edge_agent.domain.line_trouble import Trouble
from edge_agent.domain.pause import Pause
from edge_agent.errors import Text
from edge_agent.store import line_health
from edge_agent.store.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class LineStatus:
    """A line as the floor page shows it.

    Attributes:
        since: start of the call (UTC), None when idle.
        fault: what is wrong with the line, and the remedy; None when it works.
        dropped: blocks of audio lost in this call, because the box was too slow or on the network.
        customer_level: loudness of the customer's side, dBFS (0 is full scale).
        operator_level: loudness of the operator's side, dBFS.
        troubles: what is wrong with its audio, the gravest first; they outlast calls.
        paused_since: when the pause under way began (UTC), None if the line is listened to.
        paused_until: when that pause ends at the latest.
        pause_cut: the last pause of this call ended because it was too long, not because somebody said so.
    """

    seat: str
    state: LineState
    call_id: str | None = None
    since: datetime | None = None
    fault: Text | None = None
    dropped: int = 0
    warnings: int = 0
    complaint: bool = False
    life_safety: bool = False
    customer_level: float = -120.0
    operator_level: float = -120.0
    troubles: tuple[Trouble, ...] = ()
    paused_since: datetime | None = None
    paused_until: datetime | None = None
    pause_cut: bool = False

    def in_call(self, call_id: str, since: datetime) -> LineStatus:
        """Return the line at the start of a call."""
        return replace(self.idle(), state=LineState.IN_CALL, call_id=call_id, since=since)

    def idle(self) -> LineStatus:
        """Return the line between calls; a pause has an end of its own."""
        return LineStatus(
            seat=self.seat,
            state=LineState.IDLE,
            troubles=self.troubles,
            paused_since=self.paused_since,
            paused_until=self.paused_until,
        )

    def paused(self, pause: Pause | None, *, cut: bool = False) -> LineStatus:
        """Return the line in a pause, or after one (None); `cut` if it ended because it was too long."""
        if pause is None:
            return replace(self, paused_since=None, paused_until=None, pause_cut=cut)
        return replace(self, paused_since=pause.begun_at, paused_until=pause.until, pause_cut=False)

    def faulty(self, fault: Text) -> LineStatus:
        """Return the line with something wrong; a call under way is shown on."""
        return replace(self, state=LineState.FAULT, fault=fault)

    def mended(self) -> LineStatus:
        """Return the line without its fault; a call under way goes on."""
        return replace(self, state=LineState.IN_CALL if self.call_id else LineState.IDLE, fault=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveWords:
    """Words of a call under way; `telling` marks those an alert relied on."""

    call_id: str
    seat: str
    sequence: int
    speaker: Speaker
    text: str
    final: bool
    start_s: float
    end_s: float
    telling: bool = False


def put_line(db: Database, status: LineStatus) -> None:
    """Show a line's state."""
    fault = json.dumps([status.fault.ja, status.fault.en], ensure_ascii=False) if status.fault else None
    since = status.since.isoformat() if status.since else None
    troubles = line_health.dump(status.troubles)
    paused = {
        name: at.isoformat() if (at := getattr(status, name)) else None for name in ("paused_since", "paused_until")
    }
    db.put("lines", {**asdict(status), "fault": fault, "since": since, "troubles": troubles, **paused}, key=("seat",))


def lines(db: Database) -> list[LineStatus]:
    """Return all lines by seat."""
    return [
        LineStatus(
            seat=row["seat"],
            state=LineState(row["state"]),
            call_id=row["call_id"],
            since=datetime.fromisoformat(row["since"]) if row["since"] else None,
            fault=Text(*json.loads(row["fault"])) if row["fault"] else None,
            dropped=row["dropped"],
            warnings=row["warnings"],
            complaint=bool(row["complaint"]),
            life_safety=bool(row["life_safety"]),
            customer_level=row["customer_level"],
            operator_level=row["operator_level"],
            troubles=line_health.parse(row["troubles"]),
            paused_since=datetime.fromisoformat(row["paused_since"]) if row["paused_since"] else None,
            paused_until=datetime.fromisoformat(row["paused_until"]) if row["paused_until"] else None,
            pause_cut=bool(row["pause_cut"]),
        )
        for row in db.table("lines").rows_where(order_by="seat")
    ]


def put_words(db: Database, words: LiveWords) -> None:
    """Show words, in place of an earlier version of the same utterance."""
    db.put("words", asdict(words), key=("call_id", "sequence"))


def mark_telling(db: Database, call_id: str, quotes: tuple[str, ...]) -> None:
    """Mark the customer's utterances an alert relied on."""
    for quote in quotes:
        db.execute(
            "UPDATE words SET telling = 1 WHERE call_id = ? AND speaker = ? AND text = ?",
            [call_id, Speaker.CUSTOMER.value, quote],
        )


def words(db: Database, call_id: str) -> list[LiveWords]:
    """Return a call's words in the order they were begun."""
    return [
        LiveWords(
            call_id=row["call_id"],
            seat=row["seat"],
            sequence=row["sequence"],
            speaker=Speaker(row["speaker"]),
            text=row["text"],
            final=bool(row["final"]),
            start_s=row["start_s"],
            end_s=row["end_s"],
            telling=bool(row["telling"]),
        )
        for row in db.table("words").rows_where("call_id = ?", [call_id], order_by="sequence")
    ]


def forget_under_way(db: Database, call_id: str) -> None:
    """Forget the words of a call that may still change."""
    db.table("words").delete_where("call_id = ? AND final = 0", [call_id])


def forget_call(db: Database, call_id: str) -> None:
    """Forget a call's words."""
    db.table("words").delete_where("call_id = ?", [call_id])


def forget_all(db: Database) -> None:
    """Forget everything, as at the start of the agent."""
    db.table("words").delete_where()
    db.table("lines").delete_where()
    db.table("listenings").delete_where()
