"""The library that gives the agent its memory, if it is installed.

Recognition asks for much memory in small pieces, from several threads
(docs/decisions/0024-the-search-and-the-allocator.md). `systemd/edge-agent.service` names the library too.
"""

from __future__ import annotations

import ctypes.util
import os
from collections.abc import MutableMapping

ALLOCATOR = "libjemalloc.so.2"
_PRELOAD = "LD_PRELOAD"


def preloading() -> dict[str, str]:
    """Return the environment by which a program gets its memory from `ALLOCATOR`; empty if it is not there.

    What is preloaded already stays.
    """
    if ctypes.util.find_library("jemalloc") != ALLOCATOR:
        return {}
    return {_PRELOAD: " ".join(filter(None, (os.environ.get(_PRELOAD), ALLOCATOR)))}


def keep_to_itself(environment: MutableMapping[str, str]) -> None:
    """Let the programs this one starts get their memory as ever: a card's reader needs little."""
    others = [name for name in environment.get(_PRELOAD, "").replace(":", " ").split() if name != ALLOCATOR]
    if others:
        environment[_PRELOAD] = " ".join(others)
    else:
        environment.pop(_PRELOAD, None)
