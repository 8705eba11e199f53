"""Documents, settings and code say the same."""

from __future__ import annotations

import dataclasses
import enum
import importlib
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import click
import msgspec
import pytest

from edge_agent.cli import main
from edge_agent.settings import Settings, load
from edge_agent.settings_rtp import SeatRtp

TOP = Path(__file__).parents[2]
DOCUMENTS = sorted([*TOP.glob("*.md"), *(TOP / "docs").rglob("*.md")])
SETTINGS = TOP / "firmware_config/settings/mamori.toml"
DOMAIN = (
    "alert",
    "announcement",
    "asking",
    "audit",
    "button",
    "call",
    "caller",
    "command",
    "danger",
    "device",
    "duty",
    "escalation",
    "false_alarm",
    "finding",
    "grounds",
    "incident",
    "judgement",
    "lamp",
    "layout",
    "likeness",
    "line_health",
    "line_trouble",
    "overload",
    "side_faults",
    "pause",
    "plain_facts",
    "policy",
    "press",
    "quality",
    "quotation",
    "record",
    "saying",
    "repetition",
    "roles",
    "spoken",
    "weighing",
    "wording",
)
LINK = re.compile(r"\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)")


def _tracked() -> list[Path]:
    try:
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=TOP, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this is not a git checkout")
    return [TOP / name for name in listed.decode().split("\0") if name and (TOP / name).is_file()]


def _shell_commands(readme: str) -> list[str]:
    blocks = re.findall(r"^```sh\n(.*?)^```", (TOP / readme).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line.strip()]


def _headings(document: Path) -> list[str]:
    text = re.sub(r"^```.*?^```", "", document.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return re.findall(r"^#+ (.+)$", text, re.MULTILINE)


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


# --- layout ------------------------------------------------------------------------------------------------------

TOP_LEVEL = {
    ".ci", ".gitignore", "CHANGELOG.md", "LICENSE", "Makefile", "README.ja.md", "README.md", "THIRD_PARTY_NOTICES.md",
    "docs", "edge_agent", "firmware_config", "models", "pyproject.toml", "requirements-dev.lock", "requirements.lock",
    "systemd", "tests", "web_ui",
}  # fmt: skip


def test_nothing_else_lies_beside_the_products_parts() -> None:
    assert {file.relative_to(TOP).parts[0] for file in _tracked()} == TOP_LEVEL


# --- dependencies -------------------------------------------------------------------------------------------------


def _dependencies() -> list[str]:
    project = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    python = [re.split(r"[<>=!~\[; ]", requirement)[0] for requirement in wanted]
    install = TOP / "firmware_config/install"
    debian = [word for name in ("run", "test") for word in (install / f"packages-{name}.txt").read_text().split()]
    return sorted({*python, *debian})


@pytest.mark.parametrize("dependency", _dependencies())
def test_every_dependency_has_its_reason_and_licence_on_record(dependency: str) -> None:
    rows = [
        row
        for record in (TOP / "docs/decisions").glob("*.md")
        for row in record.read_text(encoding="utf-8").splitlines()
        if row.startswith("|") and re.search(rf"(?<![\w-]){re.escape(dependency)}(?![\w-])", row.split("|")[1])
    ]
    assert len(rows) == 1
    assert all(cell.strip() for cell in rows[0].strip("|").split("|"))


def test_decisions_are_numbered_without_gaps() -> None:
    numbers = sorted(int(file.name[:4]) for file in (TOP / "docs/decisions").glob("*.md"))
    assert numbers == list(range(1, len(numbers) + 1))


def test_every_locked_package_of_a_box_is_in_the_notices() -> None:
    notices = (TOP / "THIRD_PARTY_NOTICES.md").read_text(encoding="utf-8")
    locked = re.findall(r"^([\w.-]+)==[^;\n]*(;.*)?", (TOP / "requirements.lock").read_text(), re.MULTILINE)
    for name, marker in locked:
        if "win32" not in marker:
            assert re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", notices), name


# --- settings -----------------------------------------------------------------------------------------------------


def _documented() -> dict[str, Any]:
    """Return the commented settings with every key that is shown with its default switched on."""
    return tomllib.loads(re.sub(r"^# (\w+ = .*)$", r"\1", SETTINGS.read_text(encoding="utf-8"), flags=re.MULTILINE))


def test_the_commented_settings_load_as_they_are() -> None:
    assert [seat.seat for seat in load(SETTINGS).seats] == ["01", "02", "03"]


@pytest.mark.parametrize("table", msgspec.structs.fields(Settings), ids=lambda field: field.name)
def test_every_setting_is_explained_with_its_default(table: msgspec.structs.FieldInfo) -> None:
    shown = _documented()[table.name]
    default = getattr(Settings(), table.name)
    if isinstance(default, tuple):  # devices, seats: an example, since there is no default
        row_type = type(getattr(load(SETTINGS), table.name)[0])
        keys = {key for row in shown for key in row}
        assert keys == {field.name for field in msgspec.structs.fields(row_type)}
    elif table.name == "rtp":
        # The example has a seat on a mirror, so an interface is named.
        assert shown | {"interface": ""} == msgspec.json.decode(msgspec.json.encode(default))
    else:
        assert shown == msgspec.json.decode(msgspec.json.encode(default))


def test_every_way_in_which_a_seat_is_known_on_the_network_is_explained_with_its_default() -> None:
    (shown,) = [seat["rtp"] for seat in _documented()["seats"] if "rtp" in seat]
    assert shown | {"phone": ""} == msgspec.to_builtins(SeatRtp())


def test_every_setting_is_explained_in_japanese_and_english() -> None:
    comment = ""
    explained = 0
    for line in SETTINGS.read_text(encoding="utf-8").splitlines():
        if re.match(r"(# )?\w+ = ", line):
            if comment:  # a key right below another shares its comment
                assert re.search(r"[ぁ-んァ-ヶ一-龠]", comment), line
                assert re.search(r"[a-z]{3}", comment), line
                explained += 1
            comment = ""
        elif line.startswith("#"):
            comment += line
        elif not line.strip():
            comment = ""
    assert explained > 20


def test_the_demonstration_floor_has_eight_seats_on_sixteen_channels(tmp_path: Path) -> None:
    template = (TOP / "firmware_config/settings/demo.toml").read_text(encoding="utf-8")
    file = tmp_path / "settings.toml"
    file.write_text(template.replace("{data}", "/data").replace("{run}", "/run"), encoding="utf-8")
    settings = load(file)
    assert [seat.seat for seat in settings.seats] == [f"{number:02}" for number in range(1, 9)]
    channels = [(seat.customer_channel, seat.operator_channel) for seat in settings.seats]
    assert channels == [(2 * index, 2 * index + 1) for index in range(8)]
    assert (settings.web.host, settings.paths.data, settings.paths.run) == ("127.0.0.1", "/data", "/run")


# --- words --------------------------------------------------------------------------------------------------------


def _named_things() -> list[str]:
    names = []
    for module in (importlib.import_module(f"edge_agent.domain.{name}") for name in DOMAIN):
        for thing in vars(module).values():
            if not isinstance(thing, type) or thing.__module__ != module.__name__ or thing.__name__.startswith("_"):
                continue
            if issubclass(thing, enum.IntEnum):
                names += [thing.__name__, *(member.name for member in thing)]
            elif issubclass(thing, enum.StrEnum):
                names += [thing.__name__, *(member.value for member in thing)]
            elif dataclasses.is_dataclass(thing):
                names.append(thing.__name__)
    return sorted(set(names))


def test_the_glossary_names_every_thing_and_state_of_the_domain() -> None:
    assert {path.stem for path in (TOP / "edge_agent/domain").glob("*.py")} == {"__init__", *DOMAIN}
    glossary = (TOP / "docs/glossary.md").read_text(encoding="utf-8")
    assert [name for name in _named_things() if f"`{name}`" not in glossary] == []


def test_both_readmes_hold_the_same_commands() -> None:
    commands = _shell_commands("README.md")
    assert commands == _shell_commands("README.ja.md")
    assert {"make run", "make test"} <= set(commands)


@pytest.mark.parametrize("name", ["buttons", "integration", "lamps", "operations", "policy", "speech"])
def test_a_document_says_the_same_in_both_languages(name: str) -> None:
    english, japanese = TOP / f"docs/{name}.md", TOP / f"docs/{name}.ja.md"
    assert len(_headings(english)) == len(_headings(japanese))
    rows = [document.read_text(encoding="utf-8").count("\n|") for document in (english, japanese)]
    assert rows[0] == rows[1]
    code = [re.findall(r"^ {4,}(\S.*)$", d.read_text(encoding="utf-8"), re.MULTILINE) for d in (english, japanese)]
    assert code[0] == code[1]


def test_links_between_documents_lead_somewhere() -> None:
    broken = []
    for document in DOCUMENTS:
        for target, anchor in LINK.findall(document.read_text(encoding="utf-8")):
            there = document.parent / target if target else document
            if not there.exists() or (anchor and anchor not in map(_anchor, _headings(there))):
                broken.append(f"{document.relative_to(TOP)}: {target}#{anchor}")
    assert broken == []


def test_every_command_the_documents_name_exists() -> None:
    named = set()
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        named |= set(re.findall(r"(?:`|bin/)mamori ([a-z]+)(?: ([a-z]+)\b)?", text))
    assert named
    unknown = []
    for command, subcommand in sorted(named):
        found = main.commands.get(command)
        if found is None or (isinstance(found, click.Group) and subcommand and subcommand not in found.commands):
            unknown.append(f"mamori {command} {subcommand}")
    assert unknown == []


# --- the repository -----------------------------------------------------------------------------------------------


def test_no_file_names_the_machine_it_was_written_on_or_a_package_registry() -> None:
    # Put together here, so that this file does not hold what it looks for.
    folders = r"work|root|home/\w+|Users/\w+"
    hosts = [("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("debian", "org/debian"), ("golang", "org")]
    words = "|".join(rf"{name}\.{end}" for name, end in hosts)
    forbidden = re.compile(rf"(?<![\w./~${{}}-])/(?:{folders})/|{words}".encode())
    found = [
        f"{file.relative_to(TOP)}: {match[0].decode()}"
        for file in _tracked()
        if b"\0" not in (content := file.read_bytes())[:1024] and (match := forbidden.search(content))
    ]
    assert found == []


def test_modules_are_short_enough_to_be_read() -> None:
    lines = {
        str(file.relative_to(TOP)): len(file.read_text(encoding="utf-8").splitlines())
        for file in _tracked()
        if file.suffix == ".py"
    }
    assert {name: count for name, count in lines.items() if count > 500} == {}
    program = {name: count for name, count in lines.items() if name.startswith(("edge_agent/", "web_ui/"))}
    assert {name: count for name, count in program.items() if count > 300} == {}


def test_the_changelog_knows_this_version() -> None:
    version = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert version in (TOP / "CHANGELOG.md").read_text(encoding="utf-8")
