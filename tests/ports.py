"""Ports for what tests start: no two tests that run side by side get the same.

They lie below those the kernel gives to outgoing connections (32768 and up on Linux): a broker that is killed and
started again does not find its port taken by somebody who tried to reach it meanwhile.
"""

from __future__ import annotations

import itertools
import os
import random
import socket

FIRST = 12_000
EACH = 2_000
"""Ports of one worker of pytest-xdist."""
WORKERS = 10

_worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % WORKERS
_own = range(FIRST + _worker * EACH, FIRST + (_worker + 1) * EACH)
# Somewhere in between: another run on the same machine begins elsewhere.
_begin = random.SystemRandom().randrange(EACH)
_next = itertools.cycle([*_own[_begin:], *_own[:_begin]])


def free_ports(count: int) -> list[int]:
    """Return ports that nobody uses, neither for TCP nor for UDP."""
    return list(itertools.islice(filter(_is_free, _next), count))


def free_port() -> int:
    """Return one."""
    return free_ports(1)[0]


def _is_free(port: int) -> bool:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("", port))
            except OSError:
                return False
    return True
