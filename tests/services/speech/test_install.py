"""A model is installed only if it is known or vouched for, whole, and hears Japanese."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from edge_agent.domain.audit import AuditEntry, first_break
from edge_agent.errors import ModelError, Text
from edge_agent.services.model_store import InstalledModel, read_record
from edge_agent.services.speech import choice as choosing
from edge_agent.services.speech.choice import find_speech
from edge_agent.services.speech.install import install, listing, remove
from edge_agent.services.speech.self_test import Passed, Probe
from edge_agent.settings import Settings
from edge_agent.store import audit
from edge_agent.store.database import Database, open_main
from tests.builders import START
from tests.speech_models import FILES, SAID, a_box, hears_all, model_folder, model_zip

NAME = "vosk-model-test-ja-1.0"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return a_box(tmp_path)


@pytest.fixture
def db(settings: Settings) -> Iterator[Database]:
    db = open_main(settings.data)
    yield db
    db.close()


def put_in(
    source: Path,
    settings: Settings,
    db: Database,
    *,
    name: str | None = None,
    accept: bool = True,
    probe: Probe = hears_all,
    asked: list[Text] | None = None,
) -> tuple[InstalledModel, Passed]:
    def decide(told: Text) -> bool:
        if asked is not None:
            asked.append(told)
        return accept

    return install(
        str(source),
        settings,
        db,
        name=name,
        by="sato",
        now=START,
        decide=decide,
        probe=probe,
        progress=lambda _done, _total: None,
    )


def refused(source: Path, settings: Settings, db: Database, **changes: object) -> str:
    with pytest.raises(ModelError) as error:
        put_in(source, settings, db, **changes)  # type: ignore[arg-type]
    assert error.value.remedy.ja
    assert list(settings.installed_models.iterdir()) == []
    assert list(audit.entries(db)) == []
    return error.value.what.en


def entry(db: Database, action: str) -> AuditEntry:
    chain = list(audit.entries(db))
    assert first_break(chain) is None
    return next(it for it in chain if it.action == action)


def test_a_model_somebody_vouches_for_is_installed_and_it_is_on_record_who_did(
    tmp_path: Path, settings: Settings, db: Database
) -> None:
    archive = model_zip(tmp_path / "model.zip")
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    asked: list[Text] = []
    model, passed = put_in(archive, settings, db, asked=asked)
    assert digest in asked[0].ja
    assert passed.cer == 0
    assert model == find_speech(settings, NAME)
    assert model.version == f"{NAME} {digest[:12]}"
    record = read_record(model.folder)
    assert (record.digest, record.decided_by, record.at) == (digest, "sato", START.isoformat())
    assert set(record.files) == set(FILES)
    noted = entry(db, "speech.installed")
    assert (noted.actor, noted.subject) == ("sato", NAME)
    assert (noted.detail["digest"], noted.detail["vouched_by"]) == (digest, "sato")


def test_a_model_nobody_vouches_for_is_not_installed(tmp_path: Path, settings: Settings, db: Database) -> None:
    assert "nobody vouched" in refused(model_zip(tmp_path / "model.zip"), settings, db, accept=False)


def known(archive: Path, *, size: int | None = None) -> str:
    content = archive.read_bytes()
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
    return (
        f'[[known]]\nname = "{NAME}"\nkind = "speech"\narchive = "{NAME}.zip"\nlicence = "Apache-2.0"\n'
        f'md5 = "{md5}"\nbytes = {size or len(content)}\n'
    )


def test_a_model_the_product_knows_needs_nobodys_word(tmp_path: Path) -> None:
    archive = model_zip(tmp_path / "renamed.zip")
    settings = a_box(tmp_path, known=known(archive))
    db = open_main(settings.data)
    asked: list[Text] = []
    model, _ = put_in(archive, settings, db, accept=False, asked=asked)
    record = read_record(model.folder)
    assert (asked, model.name, record.decided_by, record.licence) == ([], NAME, "", "Apache-2.0")
    db.close()


def test_an_archive_with_a_known_name_and_another_digest_is_told_as_such(tmp_path: Path) -> None:
    settings = a_box(tmp_path, known=known(model_zip(tmp_path / "right.zip")))
    db = open_main(settings.data)
    altered = model_zip(tmp_path / f"{NAME}.zip", files=FILES | {"am/final.mdl": b"other"})
    asked: list[Text] = []
    refused(altered, settings, db, accept=False, asked=asked)
    assert "not the publisher's" in asked[0].en
    assert "配布元のもの" in asked[0].ja
    db.close()


def test_the_official_models_are_known_to_the_product() -> None:
    from edge_agent.services.model_store import known_models  # noqa: PLC0415 - the real manifest, in this test alone

    small, large = known_models(Settings().models_folder)
    assert (small.name, small.md5, small.bytes) == (
        "vosk-model-small-ja-0.22",
        "0e3163dd62dfb0d823353718ac3cbf79",
        49_704_573,
    )
    assert (large.name, large.md5) == ("vosk-model-ja-0.22", "")


@pytest.mark.parametrize(
    ("heard", "reason"),
    [
        (["call me back about the parcel"] * len(SAID), "is no Japanese model"),
        ([""] * len(SAID), "recognises no word"),
        (["あああああああああああああ"] * len(SAID), "of the self-test's characters wrong"),
    ],
)
def test_a_model_that_does_not_hear_japanese_is_refused(
    tmp_path: Path, settings: Settings, db: Database, heard: list[str], reason: str
) -> None:
    def probe(_model: Path, _clips: Sequence[Path]) -> list[str]:
        return heard

    assert reason in refused(model_zip(tmp_path / "model.zip"), settings, db, probe=probe)


def test_a_model_that_ends_its_process_is_refused(tmp_path: Path, settings: Settings, db: Database) -> None:
    def probe(model: Path, _clips: Sequence[Path]) -> list[str]:
        raise ModelError(Text(f"{model} 壊れています", f"{model} is broken"), Text("入れ直す", "again"))

    assert "is broken" in refused(model_zip(tmp_path / "model.zip"), settings, db, probe=probe)


@pytest.mark.parametrize("name", ["conf/model.conf", "graph/HCLG.fst", "conf/mfcc.conf"])
def test_a_model_that_lacks_a_file_is_refused(tmp_path: Path, settings: Settings, db: Database, name: str) -> None:
    files = {key: content for key, content in FILES.items() if key != name}
    assert f"missing: {name}" in refused(model_zip(tmp_path / "model.zip", files=files), settings, db)


@pytest.mark.parametrize(
    "line",
    [
        b"--sample-frequency=44100\n",
        b"--sample-frequency = 44100\n",
        b"  --Sample_Frequency=\t44100 # CD\n",
        b"--sample-frequency=16000\n--sample-frequency=44100\n",
    ],
)
def test_a_model_for_another_sample_rate_is_refused(
    tmp_path: Path, settings: Settings, db: Database, line: bytes
) -> None:
    files = FILES | {"conf/mfcc.conf": b"# studio\n" + line}
    with pytest.raises(ModelError, match="made for 44100 Hz") as error:
        put_in(model_zip(tmp_path / "model.zip", files=files), settings, db)
    assert "16000 Hz 以下の日本語のモデル" in error.value.remedy.ja


def test_a_model_for_telephones_is_taken(tmp_path: Path, settings: Settings, db: Database) -> None:
    files = FILES | {"conf/mfcc.conf": b"--sample-frequency=8000.0\n"}
    model, _ = put_in(model_zip(tmp_path / "model.zip", files=files), settings, db)
    assert model.name == NAME


@pytest.mark.parametrize(
    ("name", "reason"), [("shipped", "already"), ("Großes Modell", "cannot be"), ("../x", "cannot be")]
)
def test_a_name_that_is_taken_or_none_is_refused(
    tmp_path: Path, settings: Settings, db: Database, name: str, reason: str
) -> None:
    assert reason in refused(model_zip(tmp_path / "model.zip"), settings, db, name=name)


def test_a_model_is_not_installed_twice_under_one_name(tmp_path: Path, settings: Settings, db: Database) -> None:
    put_in(model_zip(tmp_path / "model.zip"), settings, db)
    with pytest.raises(ModelError, match="already"):
        put_in(tmp_path / "model.zip", settings, db)
    put_in(tmp_path / "model.zip", settings, db, name="second")
    assert [model.name for model in listing(settings, db)] == ["shipped", "second", NAME]


def test_an_installed_model_that_was_altered_is_refused(tmp_path: Path, settings: Settings, db: Database) -> None:
    model, _ = put_in(model_folder(tmp_path / "stick"), settings, db, name="from-stick")
    (model.folder / "am/final.mdl").write_bytes(b"altered")
    with pytest.raises(ModelError, match="damaged or was altered"):
        find_speech(settings, "from-stick")


@pytest.mark.parametrize("name", ["none", "", "..", "x" * 300])
def test_a_name_no_model_has_is_told_as_such(settings: Settings, name: str) -> None:
    with pytest.raises(ModelError, match="There is no speech model") as error:
        find_speech(settings, name)
    assert "mamori speech list" in error.value.remedy.ja


@pytest.mark.parametrize("top", ["", "vosk-model-test-ja-1.0"])
def test_what_is_wrong_with_a_model_is_said_of_its_name(
    tmp_path: Path, settings: Settings, db: Database, top: str
) -> None:
    archive = model_zip(tmp_path / f"{NAME}.zip", top=top)
    with pytest.raises(ModelError) as error:
        put_in(archive, settings, db, probe=lambda _model, _clips: [""])
    assert error.value.what.en.startswith(f"The speech model {NAME} ")
    assert "unpacked" not in str(error.value)


def test_what_an_ended_installation_has_left_is_gone_after_the_next(
    tmp_path: Path, settings: Settings, db: Database
) -> None:
    model_folder(settings.installed_models / ".bringing-ended")
    put_in(model_zip(tmp_path / "model.zip"), settings, db)
    assert [folder.name for folder in settings.installed_models.iterdir()] == [NAME]


def test_a_folder_of_models_that_cannot_be_made_is_told(tmp_path: Path, settings: Settings, db: Database) -> None:
    settings.installed_models.write_bytes(b"")
    with pytest.raises(ModelError, match="cannot be written") as error:
        put_in(model_zip(tmp_path / "model.zip"), settings, db)
    assert "に書き込めません" in error.value.what.ja
    assert "sudo" in error.value.remedy.ja


def test_a_folder_of_models_that_goes_away_meanwhile_is_told(
    tmp_path: Path, settings: Settings, db: Database
) -> None:  # fmt: skip
    def probe(_model: Path, _clips: Sequence[Path]) -> Sequence[str]:
        shutil.rmtree(settings.installed_models)
        return SAID

    with pytest.raises(ModelError, match="cannot be written"):
        put_in(model_zip(tmp_path / "model.zip"), settings, db, probe=probe)
    assert list(audit.entries(db)) == []


def test_a_model_with_a_damaged_record_is_listed_beside_the_others_and_can_be_removed(
    tmp_path: Path, settings: Settings, db: Database
) -> None:
    put_in(model_folder(tmp_path / "stick"), settings, db, name="a-broken")
    put_in(model_folder(tmp_path / "stick"), settings, db, name="b-whole")
    (settings.installed_models / "a-broken/installed.toml").write_bytes(b"\xff")
    shipped, broken, whole = listing(settings, db)
    assert [it.damaged for it in (shipped, broken, whole)] == [False, True, False]
    assert broken.version.startswith("a-broken（記録がないか壊れています")
    with pytest.raises(ModelError) as error:
        find_speech(settings, "a-broken")
    assert "mamori speech remove a-broken" in error.value.remedy.ja
    remove("a-broken", settings, db, by="sato", now=START)
    assert entry(db, "speech.removed").detail["digest"] == ""
    assert [it.name for it in listing(settings, db)] == ["shipped", "b-whole"]


def test_a_folder_nobody_installed_that_takes_a_name_can_be_removed(
    tmp_path: Path, settings: Settings, db: Database
) -> None:
    model_folder(settings.installed_models / "copied")
    with pytest.raises(ModelError, match="already"):
        put_in(model_zip(tmp_path / "model.zip"), settings, db, name="copied")
    assert [it.name for it in listing(settings, db) if it.damaged] == ["copied"]
    remove("copied", settings, db, by="sato", now=START)
    assert list(settings.installed_models.iterdir()) == []


def test_the_chosen_model_is_listed_as_active_and_cannot_be_removed(
    tmp_path: Path, settings: Settings, db: Database
) -> None:
    model, _ = put_in(model_zip(tmp_path / "model.zip"), settings, db)
    assert [it.name for it in listing(settings, db) if it.active] == ["shipped"]
    choosing.choose(db, model, settings, by="sato", now=START)
    assert [it.name for it in listing(settings, db) if it.active] == [NAME]
    with pytest.raises(ModelError, match="is in use"):
        remove(NAME, settings, db, by="sato", now=START)
    choosing.choose(db, find_speech(settings, "shipped"), settings, by="sato", now=START)
    remove(NAME, settings, db, by="sato", now=START)
    assert not model.folder.exists()
    assert entry(db, "speech.removed").subject == NAME


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("shipped", "came with the product"),
        ("none", "no speech model"),
        ("..", "no speech model"),
        (".bringing-x", "no speech model"),
        ("", "no speech model"),
    ],
)
def test_what_is_shipped_or_unknown_is_not_removed(
    settings: Settings, db: Database, name: str, reason: str
) -> None:  # fmt: skip
    (settings.installed_models / ".bringing-x").mkdir(parents=True)
    with pytest.raises(ModelError, match=reason):
        remove(name, settings, db, by="sato", now=START)
