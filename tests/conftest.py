"""Fixtures that are shared by several folders of tests."""

from __future__ import annotations

from tests.fixtures_audio import cards, eventually, tap_module

__all__ = ["cards", "eventually", "tap_module"]
