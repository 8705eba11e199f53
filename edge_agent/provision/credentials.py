"""What is entered on a device so that it finds the broker, trusts it and is let in."""

from __future__ import annotations

import json
from pathlib import Path

import segno

from edge_agent.services import topics
from edge_agent.settings import Settings


def credentials(settings: Settings, *, name: str, kind: str, password: str) -> dict[str, str | int]:
    """Return everything a device needs, the authority's certificate (PEM) included."""
    return {
        "host": settings.mqtt.host,
        "port": settings.mqtt.port,
        "user": name,
        "password": password,
        "kind": kind,
        "topics": topics.base(settings.box),
        "ca": Path(settings.ca_file).read_text(encoding="ascii"),
    }


def api_address(settings: Settings) -> str:
    """Return where an integration asks over HTTP: the first name of the pages."""
    web = settings.web
    return f"https://{(web.names or (web.host,))[0]}:{web.port}/api/v1"


def as_json(told: dict[str, str | int]) -> str:
    """Return credentials as JSON to paste."""
    return json.dumps(told, ensure_ascii=False, indent=2)


def as_ini(told: dict[str, str | int]) -> str:
    """Return credentials as an INI section to paste; the certificate's lines are indented, as INI continues a value."""
    lines = [f"{key} = {value}".strip().replace("\n", "\n    ") for key, value in told.items()]
    return "\n".join(["[mqtt]", *lines])


def qr_code(told: dict[str, str | int]) -> segno.QRCode:
    """Return credentials as a QR code of their JSON; about 105 squares wide because of the certificate."""
    return segno.make(json.dumps(told, ensure_ascii=False, separators=(",", ":")), error="l", micro=False)
