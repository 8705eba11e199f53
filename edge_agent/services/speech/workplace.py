"""Where a model is made ready beside the installed ones, moved to its place and out of it; nothing stays half done.

A run that is ended from outside, or by a power failure, cannot tidy up: the next one does. Which folders are still in
use is told by a lock on each, not by their age: the kernel frees it with the process however that ends, and the next
run, which may want the very room such a folder takes, need not wait for a day to pass. Folders are made, swept and
moved under a lock on the folder of all models, so that none is taken for left behind before it is locked itself.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from edge_agent.services.speech.refusals import cannot_write

BRINGING = ".bringing-"
REPLACED = ".old-"
REMOVED = ".removed-"
ADDING = ".adding-"
"""Where words were added before it was done under a lock too: none is made any more, some may be left."""


@contextmanager
def workplace(models: Path) -> Iterator[Path]:
    """Give an empty folder among the models, gone afterwards; raise `ModelError` if it cannot be made."""
    with ExitStack() as held:
        try:
            models.mkdir(parents=True, exist_ok=True)
            with _locked(models):
                _sweep(models)
                # What cannot be deleted now is left to the next run: it must not hide why this one ended.
                made = tempfile.TemporaryDirectory(dir=models, prefix=BRINGING, ignore_cleanup_errors=True)
                folder = Path(held.enter_context(made))
                held.enter_context(_locked(folder))
        except OSError as error:
            raise cannot_write(models, error) from error
        yield folder


def move_in(folder: Path, place: Path) -> None:
    """Move a model's folder to its place, replacing what was there; raise `OSError` and change nothing if it fails."""
    with _locked(place.parent):
        if not place.exists():
            folder.rename(place)
            return
        old = Path(tempfile.mkdtemp(dir=place.parent, prefix=REPLACED))
        place.rename(old / place.name)
        try:
            folder.rename(place)
        except OSError:
            (old / place.name).rename(place)
            old.rmdir()
            raise
        shutil.rmtree(old, ignore_errors=True)


def move_out(place: Path) -> Path:
    """Take a model away from its place at once; return the folder that is now to be deleted.

    Raises:
        ModelError: the folder of models cannot be written; the model is where it was.
    """
    try:
        with _locked(place.parent):
            gone = Path(tempfile.mkdtemp(dir=place.parent, prefix=REMOVED))
            place.rename(gone / place.name)
    except OSError as error:
        raise cannot_write(place.parent, error) from error
    return gone


def _sweep(models: Path) -> None:
    """Delete what runs that were ended have left; put a model back that was being replaced by one that never came."""
    for folder in list(models.iterdir()):
        # In use, or another user's: neither keeps this run from its work.
        with suppress(OSError):
            if folder.name.startswith((BRINGING, REPLACED, REMOVED, ADDING)):
                with _locked(folder, wait=False):
                    if folder.name.startswith(REPLACED):
                        _put_back(folder, models)
                    shutil.rmtree(folder)


def _put_back(replaced: Path, models: Path) -> None:
    for model in replaced.iterdir():
        if not (models / model.name).exists():
            model.rename(models / model.name)


@contextmanager
def _locked(folder: Path, *, wait: bool = True) -> Iterator[None]:
    """Hold a folder's lock; raise `BlockingIOError` if another holds it and it is not waited for."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(opened)
