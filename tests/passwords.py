"""Passwords hashed with next to no work: the real one takes 64 MiB and a tenth of a second each time, on purpose."""

from __future__ import annotations

from typing import TYPE_CHECKING

from argon2 import PasswordHasher

from edge_agent.services import accounts

if TYPE_CHECKING:
    import pytest

QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
NOBODYS = QUICK.hash("nobody's")


def hash_quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash quickly until the patch is taken back; tests of how strong hashes are look at the real ones."""
    monkeypatch.setattr(accounts, "_HASHER", QUICK)
    monkeypatch.setattr(accounts, "_NOBODY", NOBODYS)
