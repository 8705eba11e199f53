"""Writing files that only the appliance may read."""

from __future__ import annotations

import os
import stat
from pathlib import Path


def write_private(file: Path, text: str) -> None:
    """Write whole or not at all, readable by the owner alone, not even for a moment by others.

    A file that is replaced keeps its owner and mode: the broker's identity must go on reading its own.
    """
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    new = file.with_name(file.name + ".new")
    new.unlink(missing_ok=True)
    before = file.stat() if file.exists() else None
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as stream:
        if before is not None:
            if (before.st_uid, before.st_gid) != (os.geteuid(), os.getegid()):
                os.fchown(stream.fileno(), before.st_uid, before.st_gid)
            os.fchmod(stream.fileno(), stat.S_IMODE(before.st_mode))
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    new.replace(file)
