"""Settings of what is heard: voice activity, and where calls begin and end."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

Milliseconds = Annotated[int, Meta(ge=0, le=600_000)]
Share = Annotated[float, Meta(ge=0.0, le=1.0)]


class Vad(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Voice activity: recognition runs only on speech."""

    threshold: Share = 0.5
    """Probability from which a frame is speech."""
    hangover_ms: Milliseconds = 700
    """Silence after speech that is still given to recognition, so that utterances end by themselves."""
    preroll_ms: Milliseconds = 400
    """Audio before the first speech frame given to recognition, so that no first syllable is lost."""


class Calls(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a call starts and ends if nothing but the audio tells."""

    start_speech_ms: Milliseconds = 300
    end_silence_ms: Milliseconds = 8000
