"""How the lines are heard, second by second; only for now, like their states."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field

from edge_agent.domain.call import Speaker
from edge_agent.domain.line_health import SideLevels
from edge_agent.domain.line_trouble import Trouble, TroubleKind
from edge_agent.store.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class LineReport:
    """A line as it is heard.

    Attributes:
        customer, operator: the newest second of each side; `speech` and `clipped` are shares of the last minute.
        troubles: what is wrong, the gravest first.
    """

    seat: str
    customer: SideLevels = field(default_factory=SideLevels)
    operator: SideLevels = field(default_factory=SideLevels)
    troubles: tuple[Trouble, ...] = ()

    def of(self, speaker: Speaker) -> SideLevels:
        """Return one side."""
        return self.customer if speaker is Speaker.CUSTOMER else self.operator


def put(db: Database, report: LineReport) -> None:
    """Show how a line is heard."""
    row = {
        "seat": report.seat,
        "customer": json.dumps(asdict(report.customer)),
        "operator": json.dumps(asdict(report.operator)),
        "troubles": dump(report.troubles),
    }
    db.put("line_health", row, key=("seat",))


def everything(db: Database) -> list[LineReport]:
    """Return all lines by seat."""
    return [
        LineReport(
            seat=row["seat"],
            customer=SideLevels(**json.loads(row["customer"])),
            operator=SideLevels(**json.loads(row["operator"])),
            troubles=parse(row["troubles"]),
        )
        for row in db.table("line_health").rows_where(order_by="seat")
    ]


def forget_all(db: Database) -> None:
    """Forget all lines, as at the start of the agent."""
    db.table("line_health").delete_where()


def dump(troubles: tuple[Trouble, ...]) -> str:
    """Return troubles as text of a column."""
    return json.dumps([[t.kind, t.side, t.hertz] for t in troubles])


def parse(text: str) -> tuple[Trouble, ...]:
    """Return the troubles of a column."""
    return tuple(
        Trouble(kind=TroubleKind(kind), side=Speaker(side) if side else None, hertz=hertz)
        for kind, side, hertz in json.loads(text)
    )
