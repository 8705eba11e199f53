"""The order in which the starter speech model is made: nothing is used before it is there."""

import fnmatch
import sys
from pathlib import Path
from queue import SimpleQueue

import pytest

RECIPE = Path(__file__).resolve().parents[2] / "models" / "speech" / "recipe"
# The recipe is a folder of scripts with an environment of its own, not a package of the appliance.
sys.path.insert(0, str(RECIPE))

import build  # noqa: E402


def planned() -> list[list[build.Stage]]:
    return build.groups(Path("data"), Path("work"), Path("out"), Path("trunk"), 2, 240)


def test_no_two_stages_have_one_name() -> None:
    names = [stage.name for group in planned() for stage in group]
    assert len(names) == len(set(names))


def test_features_are_of_recordings_made_before_and_every_recording_of_training_is_heard() -> None:
    made: set[str] = set()
    heard: set[str] = set()
    for group in planned():
        for stage in group:
            if stage.script == "features.py":
                source = stage.arguments[0]
                assert source in {"words", "nothing"} or source in made
                heard.add(source)
        made |= {stage.name.removeprefix("speech-") for stage in group if stage.name.startswith("speech-")}
    assert {name for name in made if "-train-" in name or name.startswith("kokoro-slurred-1")} <= heard


def test_every_pattern_of_a_round_finds_features_made_before_and_a_round_starts_from_the_last() -> None:
    shards: list[str] = []
    last = ""
    for group in planned():
        for stage in group:
            if stage.script == "training.py":
                patterns = stage.arguments[: stage.arguments.index("--trunk")]
                assert patterns
                assert all(fnmatch.filter(shards, pattern) for pattern in patterns)
                start = stage.arguments[stage.arguments.index("--start") + 1] if last else ""
                assert Path(start).name == last
                last = f"{stage.name.removeprefix('train-')}.pt"
        shards += [f"{stage.name.removeprefix('features-')}-00000-00250.npz" for stage in group]
    assert last == "fifth.pt"


def test_a_stage_is_done_once_and_after_one_that_fails_its_mark_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ok.py").write_text("import os, sys; open(sys.argv[1], 'a').write(os.environ['TQDM_POSITION'])")
    (tmp_path / "bad.py").write_text("raise SystemExit(3)")
    monkeypatch.setattr(build, "HERE", tmp_path)
    out = tmp_path / "said"
    good = build.Stage(name="good", script="ok.py", arguments=(str(out),))
    bad = build.Stage(name="bad", script="bad.py", arguments=())
    for _ in range(2):
        build.do_all([good], tmp_path, {}, 2)
    assert out.read_text() in {"0", "1"}
    after = build.Stage(name="after", script="ok.py", arguments=(str(tmp_path / "said-after"),))
    with pytest.raises(build.subprocess.CalledProcessError):
        build.do_all([bad, after], tmp_path, {}, 1)
    assert not (tmp_path / "bad").exists()
    assert not (tmp_path / "said-after").exists()
    assert (tmp_path / "good").read_text().endswith(" s\n")


def test_a_row_of_the_terminal_is_given_back_by_a_stage_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bad.py").write_text("raise SystemExit(3)")
    monkeypatch.setattr(build, "HERE", tmp_path)
    rows: SimpleQueue[int] = SimpleQueue()
    rows.put(1)
    with pytest.raises(build.subprocess.CalledProcessError):
        build.do(build.Stage(name="bad", script="bad.py", arguments=()), tmp_path, {}, rows)
    assert rows.get_nowait() == 1
