"""Which right a page or an action needs, said where it is defined.

Whatever names no right is closed to everybody: forgetting it locks a page instead of opening it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from edge_agent.domain.roles import Right

P = ParamSpec("P")
R = TypeVar("R")

_RIGHT = "mamori_right"


def needs(right: Right) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Name the right an endpoint needs; stands below the route's own decorator."""

    def named(endpoint: Callable[P, R]) -> Callable[P, R]:
        setattr(endpoint, _RIGHT, right)
        return endpoint

    return named


def right_of(endpoint: Callable[..., object]) -> Right | None:
    """Return the right an endpoint needs, or None if it names none."""
    found = getattr(endpoint, _RIGHT, None)
    return found if isinstance(found, Right) else None
