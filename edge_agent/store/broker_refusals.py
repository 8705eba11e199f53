"""What devices have tried on the broker and were refused, counted by device and kind of attempt."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from edge_agent.store.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerRefusals:
    """Attempts of one device; times ISO 8601 in UTC.

    Attributes:
        topic: of the newest attempt, empty for a log-in.
        count: attempts since the device was first refused.
        recorded: how many of them are in the audit chain.
        recorded_at: when that was last written, empty: never.
    """

    device: str
    attempt: str
    topic: str
    count: int
    last_at: str
    recorded: int = 0
    recorded_at: str = ""


def find(db: Database, device: str, attempt: str) -> BrokerRefusals | None:
    """Return what a device has tried, or None if nothing."""
    for row in db.table("broker_refusals").rows_where("device = ? AND attempt = ?", [device, attempt]):
        return BrokerRefusals(**row)
    return None


def save(db: Database, refused: BrokerRefusals) -> None:
    """Keep the count, in place of an earlier one."""
    db.put("broker_refusals", asdict(refused), key=("device", "attempt"))


def everything(db: Database) -> list[BrokerRefusals]:
    """Return all of them, the newest first."""
    return [BrokerRefusals(**row) for row in db.table("broker_refusals").rows_where(order_by="last_at DESC")]


def forget(db: Database, device: str) -> None:
    """Forget what a device has tried; the audit chain does not."""
    db.table("broker_refusals").delete_where("device = ?", [device])
