"""What is sent, against the published schemas: a topic nobody has described, or a key, is a failure."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

from edge_agent.services import wire

SCHEMAS = Path(__file__).parents[1] / "docs/mqtt"


def wrong(
    topic: str, payload: bytes | str, *, schema: str = "1", trace: str = "x", expiry_s: int | None = None
) -> list[str]:
    """Return what is wrong with a message; `expiry_s` is what it was sent with, if that is known."""
    found = wire.find(topic)
    if found is None:
        return [f"{topic}: nobody has described this topic"]
    told = [f"{topic}: it has no {name}" for name, value in (("schema", schema), ("trace", trace)) if not value]
    if expiry_s is not None and found.kind.expiry_s is None:
        told.append(f"{topic}: it expires")
    if not payload:
        # A retained message is taken away.
        return told if found.kind.retained else [*told, f"{topic}: it is empty"]
    errors = validator(found.kind.schema_name).iter_errors(json.loads(payload))
    return told + [f"{topic}: {error.json_path}: {error.message}" for error in errors]


@functools.cache
def validator(name: str) -> Draft202012Validator:
    """Return the validator of a kind of message that knows no other keys than those described."""
    schema = json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(_closed(schema), format_checker=FormatChecker())


def _closed(part: Any) -> Any:
    if isinstance(part, list):
        return [_closed(each) for each in part]
    if not isinstance(part, dict):
        return part
    closed = {key: _closed(value) for key, value in part.items()}
    if closed.get("properties"):
        closed.setdefault("additionalProperties", False)
    return closed
