"""Hand-written stand-ins for unit tests; journeys use the real parts."""

from __future__ import annotations
