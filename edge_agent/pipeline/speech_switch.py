"""The speech model of new calls, changed while calls go on.

Rules:
1. Lines ask for the model in use between calls. So a call ends on the model it began with, and a model leaves memory
   with the last call that uses it.
2. A chosen model is tried and loaded beside the one in use. If it fails, the one in use stays, and the choice goes
   back.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from edge_agent.errors import MamoriError, StoreError
from edge_agent.log import Log
from edge_agent.services.speech import choice as choosing
from edge_agent.store import speech as table
from edge_agent.store.database import reading

if TYPE_CHECKING:
    from edge_agent.ports import Clock, Recognizer, RecognizerFactory
    from edge_agent.services.model_store import InstalledModel
    from edge_agent.store.database import Database

LOOK_EVERY_S = 1.0

_log = Log("speech")


class SpeechSwitch:
    """A speech model for the lines, which follows what people choose.

    Args:
        first: the model to begin with.
        default: name of the settings' model, which counts when nobody has chosen one.
        find: finds a model by its name and checks its files; raises `MamoriError`.
        load: tries and loads a model; raises `MamoriError`. May take minutes.
    """

    def __init__(
        self,
        first: RecognizerFactory,
        *,
        default: str,
        find: Callable[[str], InstalledModel],
        load: Callable[[InstalledModel], RecognizerFactory],
        open_database: Callable[[], Database],
        clock: Clock,
    ) -> None:
        self._model = first
        self._default = default
        self._find = find
        self._load = load
        self._open_database = open_database
        self._clock = clock
        self._seen: tuple[str, str, str] | None = None
        self.refused = ""
        """Version of the model that was refused last; empty while all is well."""

    @property
    def model_version(self) -> str:
        """Return the version of the model new recognizers use; may be asked from any thread."""
        return self._model.model_version

    def recognizer(self) -> Recognizer:
        """Return a recognizer of the model in use; may be asked from any thread."""
        return self._model.recognizer()

    def in_use(self) -> RecognizerFactory:
        """Return the model in use; may be asked from any thread."""
        return self._model.in_use()

    def run(self, stop: threading.Event) -> None:
        """Follow the choice until `stop` is set."""
        db = self._open_database()
        try:
            while not stop.wait(LOOK_EVERY_S):
                try:
                    self.look(db)
                except StoreError as error:
                    # The model in use goes on; the choice is looked at again in a second.
                    self._seen = None
                    _log.warning("speech.unread", error=type(error).__name__)
        finally:
            db.close()

    def look(self, db: Database) -> None:
        """Follow the choice once, if it has changed; raise `StoreError` if it cannot be read or noted."""
        with reading(db):
            wanted = table.choice(db)
        seen = (wanted.chosen, wanted.version, wanted.chosen_at)
        if seen == self._seen:
            return
        self._seen = seen
        try:
            found = self._find(wanted.chosen or self._default)
            if found.version != self._model.model_version:
                _log.info("speech.loading", model=found.version)
                self._model = self._load(found)
        except StoreError:
            raise
        except MamoriError as error:
            self.refused = wanted.version or wanted.chosen
            _log.error("speech.refused", model=self.refused, error=type(error).__name__)
            choosing.refuse(db, wanted, error, default=self._default, now=self._clock.now())
            return
        if wanted.chosen_by != choosing.BOX:
            self.refused = ""
        choosing.note_running(db, self._model.model_version, now=self._clock.now())
        _log.info("speech.in_use", model=self._model.model_version)
