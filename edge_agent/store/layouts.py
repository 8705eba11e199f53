"""The floor map on disk: a cell for every seat laid out, and one row that says which version it is."""

from __future__ import annotations

from datetime import datetime

from edge_agent.domain.layout import AS_CONFIGURED, Cell, Layout
from edge_agent.store.database import Database


def put(db: Database, layout: Layout) -> None:
    """Keep a layout in place of the one before; call it inside a transaction."""
    db.table("layout").delete_where()
    db.table("layout").insert_all(
        {"seat": seat, "across": cell.across, "down": cell.down} for seat, cell in layout.cells.items()
    )
    at = layout.at.isoformat() if layout.at else None
    row = {"row_id": 1, "version": layout.version, "saved_by": layout.by, "saved_at": at}
    db.put("layout_saved", row, key=("row_id",))


def read(db: Database) -> Layout:
    """Return the layout; of version 0 and empty if nobody has saved one."""
    cells = {row["seat"]: Cell(across=row["across"], down=row["down"]) for row in db.table("layout").rows}
    for row in db.table("layout_saved").rows:
        at = datetime.fromisoformat(row["saved_at"]) if row["saved_at"] else None
        return Layout(cells=cells, version=row["version"], by=row["saved_by"], at=at)
    return AS_CONFIGURED
