"""What is given up because the box cannot keep up; only for now, like the lines' states."""

from __future__ import annotations

import json

from edge_agent.domain.overload import Overloaded, Stage
from edge_agent.store.database import Database


def put(db: Database, now: Overloaded) -> None:
    """Show what is given up."""
    db.put("overload", {"id": 1, "stage": int(now.stage), "resting": json.dumps(now.resting)}, key=("id",))


def current(db: Database) -> Overloaded | None:
    """Return what is given up; None if no agent has told it."""
    for row in db.table("overload").rows:
        return Overloaded(stage=Stage(row["stage"]), resting=tuple(json.loads(row["resting"])))
    return None


def forget_all(db: Database) -> None:
    """Forget it, as at the start of the agent."""
    db.table("overload").delete_where()
