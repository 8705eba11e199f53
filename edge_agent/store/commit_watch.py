"""Reading what others write only when they have written: most threads look many times a second, and news is rare."""

from __future__ import annotations

from collections.abc import Callable

from edge_agent.store.database import Database


class CommitWatch:
    """Has a database read anew whenever another connection has committed since it was last read.

    What the connection commits itself does not count (SQLite's `PRAGMA data_version`): whoever writes through it what
    is read here calls `read_again`.
    """

    def __init__(self) -> None:
        self._db: Database | None = None
        self._version = 0

    def look(self, db: Database, read: Callable[[Database], object]) -> bool:
        """Call `read` with the database if there may be news in it; return whether it was called.

        What is committed while it reads is read at the next look, and so is everything if it raises. A connection that
        is not the last look's is read at once: its versions say nothing about the old one's.
        """
        version = db.version()
        if db is self._db and version == self._version:
            return False
        read(db)
        self._db, self._version = db, version
        return True

    def read_again(self) -> None:
        """Have the next look read, whatever others have done."""
        self._db = None
