"""How far properties are tried."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

QUICK = settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
"""Enough to find what is wrong, within a suite of seconds on a busy machine."""
