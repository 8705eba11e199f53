"""Wrong answers at the log-in, counted by the address they came from."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from edge_agent.store.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusals:
    """What an address has tried. Times are ISO 8601 in UTC.

    Attributes:
        since: when the counting began.
        failed: wrong answers since then.
        locked_until: until when nothing is tried, or None.
    """

    address: str
    since: str
    failed: int = 0
    locked_until: str | None = None


def find(db: Database, address: str) -> Refusals | None:
    """Return what an address has tried, or None if nothing is known."""
    for row in db.table("refusals").rows_where("address = ?", [address]):
        return Refusals(**row)
    return None


def save(db: Database, refused: Refusals) -> None:
    """Keep the count of an address, in place of an earlier one."""
    db.put("refusals", asdict(refused), key=("address",))


def forget_before(db: Database, moment: str) -> None:
    """Forget addresses whose counting began before a moment (ISO 8601)."""
    db.table("refusals").delete_where("since < ?", [moment])
