"""Looking at the main database again and again, as most threads beside the lines do."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing

from edge_agent.errors import StoreError
from edge_agent.log import Log
from edge_agent.store.database import Database, reading


def make_rounds(
    stop: threading.Event,
    step: Callable[[Database], object],
    *,
    every_s: float,
    open_database: Callable[[], Database],
    log: Log,
    unusable: str,
) -> None:
    """Call `step` every `every_s` seconds until told to stop, with a connection of this thread's own.

    A database that cannot be used is tried again at the next round; `log` is told so, as the event `unusable`. Anything
    else that goes wrong ends the thread.

    Raises:
        StoreError: the database cannot be opened.
    """
    with closing(open_database()) as db:
        while not stop.wait(every_s):
            try:
                with reading(db):
                    step(db)
            except StoreError as error:
                log.error(unusable, error=type(error).__name__)
