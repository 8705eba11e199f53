"""What Home Assistant is told so that it shows the floor by itself: a sensor a line, the agent, faults, alerts.

Its own documentation describes the messages (MQTT discovery, one entity a message). They are retained, and an empty one
takes an entity away. Nothing in them is a word of a call: the entities read topics without words.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from edge_agent.domain.alert import AlertKind
from edge_agent.domain.call import LineState
from edge_agent.errors import Text
from edge_agent.services import topics
from edge_agent.services.wire import DISCOVERY_PREFIX
from edge_agent.settings import Box

ASSISTANT_STATUS = f"{DISCOVERY_PREFIX}/status"
"""Where Home Assistant says `online` and `offline`: its birth and last will, unless somebody has changed them there."""
SILENT_S = 60
"""Seconds without a heartbeat after which an entity is unavailable."""
ALERT = (
    "{{ {'event_type': value_json.kind, 'change': value_json.change, 'seat': value_json.seat, "
    "'severity': value_json.severity, 'types': value_json.types, 'tentative': value_json.tentative, "
    "'incident_state': value_json.incident_state} | tojson }}"
)


def node(box: Box) -> str:
    """Return the box's name among all things Home Assistant knows."""
    return f"mamori_{box.site}_{box.floor}_{box.box}"


def entities(box: Box, lines: Iterable[tuple[str, Text]], *, version: str) -> dict[str, str]:
    """Return the discovery messages (topic to JSON) of a box with these lines (seat and label)."""
    told: dict[tuple[str, str], dict[str, Any]] = {
        ("binary_sensor", "agent"): {
            "name": "見守り / listening",
            "state_topic": topics.status(box),
            "value_template": "{{ value_json.state }}",
            "payload_on": "online",
            "payload_off": "offline",
            "device_class": "connectivity",
        },
        ("sensor", "faults"): {
            "name": "障害の回線 / faulty lines",
            "state_topic": topics.health(box),
            "value_template": "{{ value_json.faults }}",
            "expire_after": SILENT_S,
            "entity_category": "diagnostic",
        },
        ("event", "alert"): {
            "name": "アラート / alert",
            "state_topic": topics.alert(box, "+"),
            "event_types": [kind.value for kind in AlertKind],
            "value_template": ALERT,
            "qos": 1,
        },
    }
    told |= {
        ("sensor", f"line-{seat}"): {
            "name": f"{label.ja} / {label.en}",
            "state_topic": topics.line_state(box, seat),
            "value_template": "{{ value_json.state }}",
            "device_class": "enum",
            "options": [state.value for state in LineState],
            "icon": "mdi:headset",
            "availability": [{"topic": topics.status(box), "value_template": "{{ value_json.state }}"}],
        }
        for seat, label in lines
    }
    return {
        f"{DISCOVERY_PREFIX}/{component}/{node(box)}/{entity}/config": json.dumps(
            about | _common(box, entity, version), ensure_ascii=False
        )
        for (component, entity), about in told.items()
    }


def discovery_filter(box: Box) -> str:
    """Return the filter of all topics on which a box has told Home Assistant of an entity."""
    return f"{DISCOVERY_PREFIX}/+/{node(box)}/+/config"


def _common(box: Box, entity: str, version: str) -> dict[str, Any]:
    return {
        "unique_id": f"{node(box)}_{entity}",
        "device": {
            "identifiers": [node(box)],
            "name": f"Mamori {box.site} {box.floor} {box.box}",
            "manufacturer": "Mamori",
            "model": "Mamori",
            "sw_version": version,
        },
        "origin": {"name": "Mamori", "sw_version": version},
    }
