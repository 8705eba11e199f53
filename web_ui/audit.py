"""Who did what when: the audit chain for whoever may read it, the newest entries first."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from edge_agent.domain.roles import Right
from edge_agent.store import audit as store
from web_ui.context import context
from web_ui.rights import needs

blueprint = Blueprint("audit", __name__, url_prefix="/audit")

LISTED = 100
"""Entries of one page."""
LONGEST_NAME = 64
DIGITS = 16
"""A longer number is no entry's: SQLite's integers end at 19 digits."""


@blueprint.get("/")
@needs(Right.READ_AUDIT)
def page() -> ResponseReturnValue:
    """Show a page of the chain: everything, or what one person or device did and what was done to it."""
    before = request.args.get("before", "")
    name = request.args.get("name", "").strip()[:LONGEST_NAME]
    entries = store.newest(
        context().main,
        LISTED,
        before=int(before) if before.isascii() and before.isdecimal() and len(before) < DIGITS else None,
        name=name or None,
    )
    older = entries[-1].sequence if len(entries) == LISTED else None
    return render_template("audit.html", entries=entries, older=older, name=name)
