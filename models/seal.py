"""Write the digests of the shipped models into manifest.toml: run after a recipe has made a better model.

python models/seal.py NAME KIND VERSION FOLDER LICENCE    adds or renews one model's entry
"""

from __future__ import annotations

import hashlib
import sys
import tomllib
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
MANIFEST = HERE / "manifest.toml"
HEAD = """\
# The models this release knows. The agent refuses a model whose files differ from these digests (SHA-256).
# Written by models/seal.py.
"""
OTHERS = "# Models of others"
"""Beginning of the part that lists them."""


def main() -> None:
    """Seal one model."""
    name, kind, version, folder, licence = sys.argv[1:]
    sealed: list[dict[str, Any]] = []
    others = ""
    if MANIFEST.is_file():
        before = MANIFEST.read_text(encoding="utf-8")
        sealed = [model for model in tomllib.loads(before).get("model", []) if model["name"] != name]
        # What is known of other people's models is written by hand and stays as it is.
        others = before[before.index(OTHERS) - 1 :] if OTHERS in before else ""
    root = HERE / folder
    files = {
        file.relative_to(root).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(root.rglob("*"))
        if file.is_file() and file.name != "CARD.md"
    }
    sealed.append(
        {"name": name, "kind": kind, "version": version, "folder": folder, "licence": licence, "files": files}
    )
    text = HEAD
    for model in sorted(sealed, key=lambda model: model["name"]):
        text += "\n[[model]]\n"
        for key in ("name", "kind", "version", "folder", "licence"):
            text += f'{key} = "{model[key]}"\n'
        text += "[model.files]\n"
        for file, digest in model["files"].items():
            text += f'"{file}" = "{digest}"\n'
    MANIFEST.write_text(text + others, encoding="utf-8")


if __name__ == "__main__":
    main()
