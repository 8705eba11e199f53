"""The installable shell: what a tablet keeps of the pages to say loudly that the box cannot be reached.

Rules:
1. Only what is the same for everybody is kept: one page without data, its style and its script. No page of the floor.
2. None of it needs a session, and none of it opens a database.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path

from flask import Blueprint, Response, jsonify, render_template, url_for
from flask.typing import ResponseReturnValue

from web_ui.access import language
from web_ui.context import context

blueprint = Blueprint("shell", __name__)

FOLDER = Path(__file__).parent
STATIC = ("shell.css", "js/offline.js", "js/contact.js", "mamori.svg")
"""What the offline page is made of, below the folder of static files."""
ICONS = ((192, "any"), (512, "any"), (512, "maskable"))
"""Sizes in pixels and purposes; drawn by ``python -m tests.icons`` from `mamori.svg`."""
BRAND = "#14506b"


@blueprint.get("/manifest.webmanifest")
def manifest() -> ResponseReturnValue:
    """Say what is installed, under which name and with which icons."""
    t = context().texts[language()]
    answer = jsonify(
        {
            "id": "/",
            "name": t("shell.name"),
            "short_name": "Mamori",
            "description": t("login.lead"),
            "lang": language(),
            "start_url": "/",
            "scope": "/",
            "display": "standalone",
            "background_color": BRAND,
            "theme_color": BRAND,
            "icons": [
                {
                    "src": _static(icon(size, purpose)),
                    "sizes": f"{size}x{size}",
                    "type": "image/png",
                    "purpose": purpose,
                }
                for size, purpose in ICONS
            ],
        }
    )
    answer.mimetype = "application/manifest+json"
    return answer


@blueprint.get("/service-worker.js")
def worker() -> ResponseReturnValue:
    """Return the worker with the list of what it keeps; it lies at the top because it answers for every page."""
    files = [url_for(".offline"), *(_static(name) for name in STATIC)]
    head = f"const KEPT = {json.dumps(files)};\nconst VERSION = {json.dumps(_version())};\n"
    script = (FOLDER / "static/js/worker.js").read_text(encoding="utf-8")
    return Response(head + script, mimetype="text/javascript")


@blueprint.get("/offline")
def offline() -> ResponseReturnValue:
    """Show that the box cannot be reached, in both languages: who looks at it is not known then."""
    return render_template("offline.html", catalogues=context().texts.values())


@blueprint.get("/reach")
def reach() -> ResponseReturnValue:
    """Answer whoever asks whether the box is there again."""
    return Response(status=204)


def icon(size: int, purpose: str) -> str:
    """Return where the icon of a size and purpose lies below the folder of static files."""
    return f"icons/{'maskable' if purpose == 'maskable' else 'icon'}-{size}.png"


def _static(name: str) -> str:
    return url_for("static", filename=name)


@cache
def _version() -> str:
    """Return a name that differs when anything that is kept differs."""
    parts = [FOLDER / "templates/offline.html", *(FOLDER / "static" / name for name in STATIC)]
    parts += sorted((FOLDER / "i18n").glob("*.toml"))
    return hashlib.sha256(b"".join(part.read_bytes() for part in parts)).hexdigest()[:12]
