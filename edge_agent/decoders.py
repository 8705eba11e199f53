"""Readers of JSON and TOML into types of ours, made when a module is loaded and never later.

msgspec finds out how a type is built when it first reads one, and keeps that with the type. Two threads that read the
first one at the same moment crash the process (segmentation fault; msgspec 0.22). A module is loaded by one thread
alone: what is read anywhere in the product is therefore read by a reader made here, at the top of its module.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

import msgspec

T = TypeVar("T")


def json_reader(kind: type[T]) -> Callable[[bytes | str], T]:
    """Return what reads JSON as `kind`; it raises `msgspec.MsgspecError`."""
    return msgspec.json.Decoder(kind).decode


def toml_reader(kind: type[T]) -> Callable[[bytes | str], T]:
    """Return what reads TOML as `kind`; it raises `msgspec.MsgspecError`."""
    # Only to have it find out how the type is built: TOML has no decoder that is made beforehand.
    msgspec.json.Decoder(kind)
    return partial(msgspec.toml.decode, type=kind)
