"""Settings of how a line's audio is watched."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta


class Health(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a line counts as badly tapped."""

    no_audio_s: Annotated[int, Meta(ge=5, le=3600)] = 30
    """A side never heard in a call so long is a fault."""
    lost_audio_s: Annotated[int, Meta(ge=0, le=3600)] = 180
    """A side silent for so long within a call is a fault; 0: never."""
    silence_dbfs: Annotated[int, Meta(ge=-100, le=-30)] = -65
    """What is quieter counts as no audio: the noise of an input with nothing connected."""
    operator_phrases: tuple[Annotated[str, Meta(min_length=5, max_length=80)], ...] = ()
    """What the operators of this floor say in every call; heard on the customer's side, channels are swapped."""
