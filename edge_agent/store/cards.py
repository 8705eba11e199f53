"""How the sound cards do; only for now, like the states of the lines."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from edge_agent.store.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class CardReport:
    """A sound card, and what it lost since the agent's start.

    Attributes:
        card: the name it is found by.
        running: frames come.
        overruns: times it lost frames because the box was too busy.
        dropped: blocks of 100 ms that are missing for whatever reason, overruns and absence among them.
        losses: times it was gone after it had run.
    """

    name: str
    card: str
    running: bool = False
    overruns: int = 0
    dropped: int = 0
    losses: int = 0


def put(db: Database, report: CardReport) -> None:
    """Show how a card does."""
    db.put("cards", asdict(report), key=("name",))


def everything(db: Database) -> list[CardReport]:
    """Return all cards by name."""
    return [
        CardReport(**row | {"running": bool(row["running"])}) for row in db.table("cards").rows_where(order_by="name")
    ]


def forget_all(db: Database) -> None:
    """Forget all cards, as at the start of the agent."""
    db.table("cards").delete_where()
