"""What is done once a night: the audit chain is checked, what has run out is cleared."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from edge_agent.domain.audit import first_break
from edge_agent.errors import StoreError, Text
from edge_agent.settings import Settings
from edge_agent.store import audit, callers, outbox, people
from edge_agent.store.database import open_main, writing

KEEP_SENT = timedelta(days=7)
"""How long messages the broker has acknowledged are kept, to answer what was sent when."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What housekeeping found and did."""

    audit_entries: int
    cleared: int


def keep_house(settings: Settings) -> Report:
    """Check the audit chain and clear what has run out; raise `StoreError` if the chain does not hold."""
    db = open_main(settings.data)
    try:
        chain = list(audit.entries(db))
        broken = first_break(chain)
        if broken is not None:
            raise StoreError(
                Text(
                    f"監査記録が {broken} 件目でつながりません。改ざんまたは破損の疑いがあります。",
                    f"The audit chain does not hold at entry {broken}: it was altered or damaged.",
                ),
                Text(
                    "機器を触らず、バックアップとともに監査担当者へ渡してください。",
                    "Leave the box as it is and hand it, with its backups, to whoever audits it.",
                ),
            )
        now = datetime.now(UTC)
        with writing(db):
            people.end_stale_sessions(db, now=now)
            cleared = outbox.clear_sent(db, before=now - KEEP_SENT)
            callers.forget_before(db, now - settings.privacy.caller_kept)
        return Report(audit_entries=len(chain), cleared=cleared)
    finally:
        db.close()
