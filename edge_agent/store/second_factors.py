"""Second factors: the shared secret of somebody's telephone, and what is left of their recovery codes."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from edge_agent.store.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondFactor:
    """One person's second factor.

    Attributes:
        secret: base 32, shared with the telephone.
        confirmed: a code of it has been right once; it is asked for from then on.
        last_step: the newest 30-second step whose code was used; it and older ones are worth nothing.
        recovery: SHA-256 of the recovery codes not used yet.
    """

    name: str
    secret: str
    confirmed: bool = False
    last_step: int = 0
    recovery: tuple[str, ...] = ()


def find(db: Database, name: str) -> SecondFactor | None:
    """Return a person's second factor, or None if they never began with one."""
    for row in db.table("second_factors").rows_where("name = ?", [name]):
        return SecondFactor(
            **{**row, "confirmed": bool(row["confirmed"]), "recovery": tuple(json.loads(row["recovery"]))}
        )
    return None


def confirmed(db: Database, name: str) -> bool:
    """Return whether a person is asked for a second factor."""
    found = find(db, name)
    return found is not None and found.confirmed


def save(db: Database, factor: SecondFactor) -> None:
    """Keep a second factor, in place of an earlier one."""
    db.put("second_factors", asdict(factor) | {"recovery": json.dumps(factor.recovery)}, key=("name",))


def forget(db: Database, name: str) -> None:
    """Forget a person's second factor."""
    db.table("second_factors").delete_where("name = ?", [name])
