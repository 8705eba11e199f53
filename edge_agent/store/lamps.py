"""What the lamps show and what is wrong with them; only for now, like the states of the lines."""

from __future__ import annotations

from dataclasses import dataclass

from edge_agent.domain.lamp import Colour, LampState, Pattern
from edge_agent.errors import Text
from edge_agent.store.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class LampStatus:
    """A lamp as the pages show it; `fault` says what is wrong and what to do, None if it shows `state`."""

    name: str
    kind: str
    state: LampState
    fault: Text | None = None


def put(db: Database, status: LampStatus) -> None:
    """Show a lamp's state."""
    row = {
        "name": status.name,
        "kind": status.kind,
        "colour": status.state.colour.value,
        "pattern": status.state.pattern.value,
        "fault_ja": status.fault.ja if status.fault else None,
        "fault_en": status.fault.en if status.fault else None,
    }
    db.put("lamps", row, key=("name",))


def everything(db: Database) -> list[LampStatus]:
    """Return all lamps by name."""
    return [
        LampStatus(
            name=row["name"],
            kind=row["kind"],
            state=LampState(colour=Colour(row["colour"]), pattern=Pattern(row["pattern"])),
            fault=Text(row["fault_ja"], row["fault_en"]) if row["fault_ja"] else None,
        )
        for row in db.table("lamps").rows_where(order_by="name")
    ]


def forget_all(db: Database) -> None:
    """Forget all lamps, as at the start of the agent."""
    db.table("lamps").delete_where()
