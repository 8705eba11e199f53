"""The audit chain: every entry carries the digest of the one before, so that nothing can be altered unseen."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

GENESIS = "0" * 64
"""What the first entry names as its predecessor's digest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """Who did what to what, when.

    Attributes:
        sequence: 1 for the first entry, without gaps.
        at: ISO 8601 time in UTC.
        actor: user name, device name, or ``"mamori"`` for the box itself.
        action: such as ``"incident.opened"``.
        subject: id of what was acted on.
        detail: further facts; never words of a call, names or numbers of callers.
        previous: digest of the entry before, `GENESIS` for the first.
        digest: SHA-256 (hex) over all the other fields.
    """

    sequence: int
    at: str
    actor: str
    action: str
    subject: str
    detail: Mapping[str, str]
    previous: str
    digest: str


def digest_of(
    *, sequence: int, at: str, actor: str, action: str, subject: str, detail: Mapping[str, str], previous: str
) -> str:
    """Return the SHA-256 (hex) of an entry's fields in canonical JSON."""
    fields = [sequence, at, actor, action, subject, dict(sorted(detail.items())), previous]
    return hashlib.sha256(json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


def sealed(
    last: AuditEntry | None, *, at: str, actor: str, action: str, subject: str, detail: Mapping[str, str]
) -> AuditEntry:
    """Return the entry that follows `last` (`None`: the first of the chain)."""
    sequence = 1 if last is None else last.sequence + 1
    previous = GENESIS if last is None else last.digest
    return AuditEntry(
        sequence=sequence,
        at=at,
        actor=actor,
        action=action,
        subject=subject,
        detail=detail,
        previous=previous,
        digest=digest_of(
            sequence=sequence,
            at=at,
            actor=actor,
            action=action,
            subject=subject,
            detail=detail,
            previous=previous,
        ),
    )


def first_break(entries: Iterable[AuditEntry]) -> int | None:
    """Return the sequence number at which the chain does not hold, or `None` if it is whole."""
    previous, expected = GENESIS, 1
    for entry in entries:
        right = digest_of(
            sequence=entry.sequence,
            at=entry.at,
            actor=entry.actor,
            action=entry.action,
            subject=entry.subject,
            detail=entry.detail,
            previous=entry.previous,
        )
        if entry.sequence != expected or entry.previous != previous or entry.digest != right:
            return expected
        previous, expected = entry.digest, expected + 1
    return None
