"""What each kind of device may read and write on the floor's broker, as `firmware_config/mosquitto/acl` says it."""

from __future__ import annotations

from functools import cache

from edge_agent.services import home_assistant, topics
from edge_agent.settings import Box, share


def block(kind: str, *, name: str, box: Box) -> str:
    """Return the broker's access list for one device; raise `KeyError` for a kind there is none of."""
    base, node = topics.base(box), home_assistant.node(box)
    return _templates()[kind].replace("{base}", base).replace("{node}", node).replace("{user}", name)


def may_read(kind: str, *, name: str, box: Box) -> list[str]:
    """Return the topic filters a device may read; raise `KeyError` for a kind there is none of."""
    found = []
    for line in block(kind, name=name, box=box).splitlines():
        words = line.split()
        if words[0] == "topic" and words[1] in {"read", "readwrite"}:
            found.append(words[2])
    return found


@cache
def _templates() -> dict[str, str]:
    blocks: dict[str, str] = {}
    kind = None
    for line in (share() / "firmware_config/mosquitto/acl").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            kind = line.strip("[] ")
            blocks[kind] = ""
        elif kind and line.strip() and not line.startswith("#"):
            blocks[kind] += line + "\n"
    return blocks
