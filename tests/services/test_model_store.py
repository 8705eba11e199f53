"""A model is used only if it is the one the manifest names, whole and unaltered."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from edge_agent.errors import ModelError
from edge_agent.services.model_store import ModelKind, find_model

CONTENT = b"weights"


@pytest.fixture
def models(tmp_path: Path) -> Path:
    (tmp_path / "speech").mkdir()
    (tmp_path / "speech/final.mdl").write_bytes(CONTENT)
    write_manifest(tmp_path)
    return tmp_path


def write_manifest(models: Path, *, more: str = "", kind: str = "speech") -> None:
    digest = hashlib.sha256(CONTENT).hexdigest()
    (models / "manifest.toml").write_text(
        f"""
[[model]]
name = "speech-ja"
kind = "{kind}"
version = "1.2"
folder = "speech"
licence = "Apache-2.0"
{more}
[model.files]
"final.mdl" = "{digest}"
"""
    )


def refused(models: Path, name: str = "speech-ja", kind: ModelKind = ModelKind.SPEECH) -> ModelError:
    with pytest.raises(ModelError) as error:
        find_model(models, name, kind)
    assert str(models) in error.value.what.ja
    assert error.value.remedy.ja
    assert error.value.remedy.en
    return error.value


def test_a_whole_model_is_found_with_the_version_incidents_pin(models: Path) -> None:
    model = find_model(models, "speech-ja", ModelKind.SPEECH)
    assert (model.version, model.folder) == ("speech-ja 1.2", models / "speech")


def test_an_altered_model_is_refused(models: Path) -> None:
    (models / "speech/final.mdl").write_bytes(CONTENT + b"!")
    error = refused(models)
    assert "final.mdl is damaged or was altered" in error.what.en
    assert "git checkout models" in error.remedy.ja


def test_a_model_that_lacks_a_file_is_refused(models: Path) -> None:
    (models / "speech/final.mdl").unlink()
    assert "final.mdl cannot be read (No such file" in refused(models).what.en


def test_a_model_nobody_has_listed_is_refused(models: Path) -> None:
    assert "has no model 'speech-en'" in refused(models, "speech-en").what.en


def test_a_model_for_something_else_is_refused(models: Path) -> None:
    error = refused(models, kind=ModelKind.HARASSMENT)
    assert "is a model for speech, not for harassment" in error.what.en


def test_a_folder_without_a_manifest_is_refused(tmp_path: Path) -> None:
    assert "manifest.toml: cannot be read" in refused(tmp_path).what.en


@pytest.mark.parametrize(
    ("more", "kind", "reason"),
    [("size = 3", "speech", "size"), ("", "music", "music"), ("= = =", "speech", "is wrong")],
)
def test_a_mistyped_manifest_is_refused(models: Path, more: str, kind: str, reason: str) -> None:
    write_manifest(models, more=more, kind=kind)
    assert reason in refused(models).what.en


def test_a_manifest_that_is_no_text_is_refused(models: Path) -> None:
    (models / "manifest.toml").write_bytes(b"\xff\xfe\x00")
    assert "is wrong" in refused(models).what.en


def installed(folder: Path, *, kind: str = "speech") -> Path:
    (folder / "floor-model").mkdir(parents=True)
    (folder / "floor-model/final.mdl").write_bytes(CONTENT)
    digest = hashlib.sha256(CONTENT).hexdigest()
    (folder / "floor-model/installed.toml").write_text(
        f'name = "floor-model"\nkind = "{kind}"\nversion = "abc"\nlicence = ""\nsource = "usb"\ndigest = "d"\n'
        f'decided_by = "sato"\ninstalled_by = "sato"\nat = "2026-11-24"\nbase = ""\n[files]\n"final.mdl" = "{digest}"\n'
    )
    return folder


def test_a_model_somebody_installed_is_found_beside_the_shipped_ones(models: Path, tmp_path: Path) -> None:
    folder = installed(tmp_path / "data")
    found = find_model(models, "floor-model", ModelKind.SPEECH, installed=folder)
    assert (found.version, found.folder) == ("floor-model abc", folder / "floor-model")
    assert find_model(models, "speech-ja", ModelKind.SPEECH, installed=folder).version == "speech-ja 1.2"


def test_a_name_no_folder_can_have_is_no_model(models: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="has no model"):
        find_model(models, "x" * 300, ModelKind.SPEECH, installed=installed(tmp_path / "data"))


@pytest.mark.parametrize(
    ("base", "remedy"),
    [("", "mamori speech remove floor-model"), ("speech-ja", "mamori speech words rebuild --model speech-ja")],
)
def test_an_altered_installed_model_is_made_anew_by_who_installed_it(
    models: Path, tmp_path: Path, base: str, remedy: str
) -> None:
    folder = installed(tmp_path / "data") / "floor-model"
    (folder / "final.mdl").write_bytes(b"altered")
    record = folder / "installed.toml"
    record.write_text(record.read_text().replace('base = ""', f'base = "{base}"'))
    with pytest.raises(ModelError, match="damaged or was altered") as error:
        find_model(models, "floor-model", ModelKind.SPEECH, installed=folder.parent)
    assert remedy in error.value.remedy.ja
    assert remedy in error.value.remedy.en
    assert "git" not in str(error.value)
    assert "manifest" not in str(error.value)


def test_an_installed_model_is_not_found_by_a_way_round(models: Path, tmp_path: Path) -> None:
    folder = installed(tmp_path / "data")
    with pytest.raises(ModelError, match="has no model"):
        find_model(models, "../data/floor-model", ModelKind.SPEECH, installed=folder)


def test_an_installed_model_for_something_else_is_refused(models: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="is a model for harassment"):
        find_model(models, "floor-model", ModelKind.SPEECH, installed=installed(tmp_path / "data", kind="harassment"))


def test_an_installed_model_with_a_damaged_record_is_refused(models: Path, tmp_path: Path) -> None:
    folder = installed(tmp_path / "data")
    (folder / "floor-model/installed.toml").write_text("name = 3")
    with pytest.raises(ModelError, match="is wrong"):
        find_model(models, "floor-model", ModelKind.SPEECH, installed=folder)
