"""What stands behind the pages: settings, policy, live feed, texts, clock, and each thread's databases."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

from flask import current_app

from edge_agent.domain.policy import Policy
from edge_agent.ports import Clock
from edge_agent.settings import Settings
from edge_agent.store.database import Database, open_live, open_main
from web_ui.feed import Feed
from web_ui.texts import Texts

EXTENSION = "mamori"


class _OfThread(threading.local):
    main: Database | None = None
    live: Database | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Everything a request may need. Connections are opened once per thread and kept."""

    settings: Settings
    policy: Policy
    feed: Feed
    texts: Mapping[str, Texts]
    clock: Clock
    _open: _OfThread = field(default_factory=_OfThread)

    @property
    def main(self) -> Database:
        """This thread's connection to what must survive; raises `StoreError` if it cannot be opened."""
        if self._open.main is None:
            self._open.main = open_main(self.settings.data)
        return self._open.main

    @property
    def live(self) -> Database:
        """This thread's connection to what is only for now; raises `StoreError` if it cannot be opened."""
        if self._open.live is None:
            self._open.live = open_live(self.settings.run)
        return self._open.live

    def close(self) -> None:
        """Close this thread's connections."""
        for database in (self._open.main, self._open.live):
            if database is not None:
                database.close()
        self._open.main = self._open.live = None


def context() -> Context:
    """Return what stands behind the app that serves the present request."""
    return cast("Context", current_app.extensions[EXTENSION])
