"""Small stand-ins for speech models: what installation looks at, without weights."""

from __future__ import annotations

import hashlib
import shutil
import tomllib
import zipfile
from typing import TYPE_CHECKING

from edge_agent.settings import Models, Paths, Settings, share

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

FILES = {
    "am/final.mdl": b"weights",
    "conf/mfcc.conf": b"--num-mel-bins=40\n",
    "conf/model.conf": b"--beam=12\n",
    "graph/HCLG.fst": b"graph",
}
CLIPS = share() / "models/speech/self-test"
SAID = tuple(
    clip["text"] for clip in tomllib.loads((CLIPS / "clips.toml").read_text(encoding="utf-8"))["clip"]
)  # fmt: skip
"""What is said in the self-test's clips."""


def model_zip(file: Path, *, top: str = "vosk-model-test-ja-1.0", files: Mapping[str, bytes] = FILES) -> Path:
    """Write an archive with a model in one folder."""
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in files.items():
            archive.writestr(f"{top}/{name}" if top else name, content)
    return file


def model_folder(folder: Path, files: Mapping[str, bytes] = FILES) -> Path:
    """Write a model's folder."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def a_box(tmp_path: Path, *, known: str = "") -> Settings:
    """Return a box whose shipped model is a stand-in called `shipped`, with the real self-test's clips."""
    models = tmp_path / "shipped-models"
    model_folder(models / "speech/shipped")
    shutil.copytree(CLIPS, models / "speech/self-test")
    digests = "\n".join(f'"{name}" = "{hashlib.sha256(content).hexdigest()}"' for name, content in FILES.items())
    (models / "manifest.toml").write_text(
        '[[model]]\nname = "shipped"\nkind = "speech"\nversion = "1"\nfolder = "speech/shipped"\n'
        f'licence = "CC-BY-SA-4.0"\n[model.files]\n{digests}\n{known}'
    )
    paths = Paths(data=str(tmp_path / "data"), run=str(tmp_path / "run"), models=str(models))
    return Settings(paths=paths, models=Models(speech="shipped"))


def hears_all(_model: Path, _clips: Sequence[Path]) -> Sequence[str]:
    """A probe of a model that recognises the clips word for word."""
    return SAID
