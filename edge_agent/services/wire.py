"""Every kind of message there is on the floor's broker: its topic, its schema, whether it stays and when it expires.

Rules:
1. A message whose topic is not in this table is not ours: tests fail on it.
2. What is true only for a while expires by itself, so that nobody is told late: words, steps of the ladder, commands.
3. Alerts, receipts and presses never expire: they are kept until they have arrived. What is under way and told again
   to one panel does: it asks for it whenever it comes.
4. Every message carries two user properties: `schema`, the version of its shape, and `trace`, which is the same for all
   messages that follow from one another.
"""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import dataclass, field

SCHEMA = 1
"""Version of the messages' shape; whoever reads one ignores keys it does not know."""
DISCOVERY_PREFIX = "homeassistant"
"""Where Home Assistant looks for what it may show, unless somebody has changed it there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageKind:
    """One kind of message.

    Attributes:
        name: also the name of its JSON Schema in docs/mqtt, unless it has the `shape` of another kind.
        topic: below the box's own; a part in braces stands for one level.
        retained: the broker keeps the newest and gives it to whoever comes later.
        expiry_s: seconds after which the broker throws it away, None for never.
        trace: the part of the topic that is the trace, or of the payload if the topic has none of that name.
        own: its topic lies below the box's own.
        shape: name of its JSON Schema, if another kind has the same.
    """

    name: str
    topic: str
    retained: bool = False
    expiry_s: int | None = None
    trace: str = ""
    own: bool = True
    shape: str = ""
    pattern: re.Pattern[str] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Turn the topic into a pattern."""
        prefix = "mamori/v1/[^/]+/[^/]+/[^/]+/" if self.own else ""
        pattern = re.compile(prefix + re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", self.topic))
        object.__setattr__(self, "pattern", pattern)

    @property
    def schema_name(self) -> str:
        """Return the name of its JSON Schema."""
        return self.shape or self.name


KINDS = (
    MessageKind(name="status", topic="status", retained=True),
    # A minute after the box has gone, nobody who comes later takes its last heartbeat for a new one.
    MessageKind(name="health", topic="health", retained=True, expiry_s=60),
    # The process that watches the buttons: alone, so that it is there when the agent is not.
    MessageKind(name="buttons-status", topic="buttons/status", retained=True),
    MessageKind(name="buttons-health", topic="buttons/health", retained=True, expiry_s=60),
    MessageKind(name="line", topic="line/{seat}/state", retained=True),
    MessageKind(name="alert", topic="alert/{alert_id}", trace="alert_id"),
    MessageKind(name="words", topic="words/{alert_id}", expiry_s=600, trace="alert_id"),
    MessageKind(name="escalation", topic="escalation/{alert_id}", expiry_s=600, trace="alert_id"),
    # The same to one panel that has just come. It asks again when it comes back: nothing of it has to wait.
    MessageKind(name="alert-again", topic="alert/{alert_id}/{name}", expiry_s=60, trace="alert_id", shape="alert"),
    MessageKind(name="words-again", topic="words/{alert_id}/{name}", expiry_s=60, trace="alert_id", shape="words"),
    MessageKind(
        name="escalation-again", topic="escalation/{alert_id}/{name}", expiry_s=60, trace="alert_id", shape="escalation"
    ),
    MessageKind(name="ack", topic="ack/{alert_id}/{name}", trace="alert_id"),
    MessageKind(name="alive", topic="device/{name}/alive", expiry_s=60),
    MessageKind(name="lamp", topic="lamp/{name}/state", retained=True),
    MessageKind(name="lamp-status", topic="lamp/{name}/status", retained=True),
    MessageKind(name="button", topic="button/{name}"),
    # A Shelly's own topics below its prefix; what it says there is its maker's.
    MessageKind(name="button-events", topic="button/{name}/events/rpc"),
    MessageKind(name="button-online", topic="button/{name}/online", retained=True),
    MessageKind(name="led", topic="button/{name}/led", retained=True),
    MessageKind(name="command", topic="cmd/{name}/{command}", expiry_s=60, trace="id"),
    MessageKind(name="box-command", topic="cmd/box/{command}/{name}", expiry_s=60, trace="id"),
    MessageKind(name="result", topic="result/{id}/{name}", expiry_s=600, trace="id"),
    # An ask may hold a caller's number: it waits for nobody, and whoever asks sends it without retain.
    MessageKind(name="ask", topic="ask/{name}/{seat}", expiry_s=60, trace="id"),
    MessageKind(name="answer", topic="answer/{name}/{id}", expiry_s=60, trace="id"),
    MessageKind(
        name="discovery",
        topic=f"{DISCOVERY_PREFIX}/{{component}}/{{node}}/{{entity}}/config",
        retained=True,
        own=False,
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A topic's kind and the parts of it that stand for something."""

    kind: MessageKind
    parts: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What goes with a payload: user properties, and the seconds after which it is thrown away (None: never)."""

    schema: str
    trace: str
    expiry_s: int | None


def find(topic: str) -> Found | None:
    """Return what a topic is, or None if it is none of ours."""
    for kind in KINDS:
        if match := kind.pattern.fullmatch(topic):
            return Found(kind=kind, parts=match.groupdict())
    return None


def expiry_of(name: str) -> int:
    """Return the seconds after which a kind of message is thrown away; raise `KeyError` for one that is kept."""
    return {kind.name: kind.expiry_s for kind in KINDS if kind.expiry_s is not None}[name]


def envelope(topic: str, payload: str) -> Envelope:
    """Return what goes with a message; what follows from nothing has a trace of its own."""
    found = find(topic)
    if found is None:
        return Envelope(schema=str(SCHEMA), trace=uuid.uuid4().hex, expiry_s=None)
    kind = found.kind
    # An empty payload takes a retained message away: it must not come back by expiring.
    expiry = kind.expiry_s if payload else None
    return Envelope(schema=str(SCHEMA), trace=_trace(found, payload), expiry_s=expiry)


def _trace(found: Found, payload: str) -> str:
    name = found.kind.trace
    if name in found.parts:
        return found.parts[name]
    if name:
        try:
            return str(json.loads(payload)[name])
        except (ValueError, KeyError, TypeError):
            # Not as it should be: it is refused by whoever reads it, not here.
            return uuid.uuid4().hex
    return uuid.uuid4().hex
