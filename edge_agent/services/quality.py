"""The measured quality of what is installed: read from the release or from the floor's own measurement."""

from __future__ import annotations

from pathlib import Path

import msgspec

from edge_agent.decoders import json_reader
from edge_agent.domain.quality import Quality
from edge_agent.errors import QualityError, Text
from edge_agent.settings import Settings

_read = json_reader(Quality)

FILE = "quality.json"


def shipped(settings: Settings) -> Path:
    """Return the file with the figures that came with the models."""
    return settings.models_folder / FILE


def measured_here(settings: Settings) -> Path:
    """Return the file with the figures measured on this box."""
    return settings.data / FILE


def load(settings: Settings) -> Quality:
    """Return the floor's own measurement if there is one, else the shipped one; raise `QualityError` if neither is."""
    own = measured_here(settings)
    return read(own if own.is_file() else shipped(settings))


def read(file: Path) -> Quality:
    """Read one measurement; raise `QualityError` if it is missing or damaged."""
    try:
        return _read(file.read_bytes())
    except OSError as error:
        raise _error(file, f"読めません（{error.strerror}）。", f"cannot be read ({error.strerror}).") from error
    except msgspec.MsgspecError as error:
        raise _error(file, f"誤りがあります: {error}", f"is wrong: {error}") from error


def write(file: Path, quality: Quality) -> None:
    """Write a measurement; a reader sees the old one or the new one."""
    part = file.with_suffix(".part")
    part.write_bytes(msgspec.json.format(msgspec.json.encode(quality), indent=1) + b"\n")
    part.replace(file)


def _error(file: Path, ja: str, en: str) -> QualityError:
    return QualityError(
        Text(f"品質の記録 {file}: {ja}", f"Quality record {file}: {en}"),
        Text("「make evaluate」で測り直せます。", "Measure anew with “make evaluate”."),
    )
