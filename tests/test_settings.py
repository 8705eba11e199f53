"""A mistake in the settings names its place, its reason and the remedy, before anything starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_agent import settings as settings_module
from edge_agent.errors import SettingsError
from edge_agent.settings import load

ROOT = Path(__file__).parents[1]
GOOD = """
[box]
site = "tokyo"

[[devices]]
name = "tap-a"
match = "USB Tap"
channels = 4

[[seats]]
seat = "01"
label_ja = "1番"
label_en = "Seat 1"
device = "tap-a"
customer_channel = 0
operator_channel = 1

[[seats]]
seat = "02"
label_ja = "2番"
label_en = "Seat 2"
device = "tap-a"
customer_channel = 2
operator_channel = 3

[web]
port = 8081
"""


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "settings.toml"
    file.write_text(text, encoding="utf-8")
    return file


ON_NETWORK = """
[[seats]]
seat = "03"
label_ja = "3番"
label_en = "Seat 3"
rtp = { phone = "10.0.0.31", extension = "201" }

[rtp]
interface = "span0"
"""


def refused(tmp_path: Path, text: str) -> SettingsError:
    file = written(tmp_path, text)
    with pytest.raises(SettingsError) as error:
        load(file)
    assert str(file) in error.value.what.ja
    assert str(file) in error.value.what.en
    assert "firmware_config/settings/mamori.toml" in error.value.remedy.ja
    return error.value


def changed(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new, 1)


def test_good_settings_are_read_and_the_rest_has_defaults(tmp_path: Path) -> None:
    settings = load(written(tmp_path, GOOD))
    assert [seat.seat for seat in settings.seats] == ["01", "02"]
    assert settings.web.port == 8081
    assert settings.vad.hangover_ms == 500
    assert settings.data == Path("/var/lib/mamori")
    assert settings.ca_file == Path("/var/lib/mamori/pki/ca.crt")
    assert settings.mqtt_password_file == Path("/var/lib/mamori/secrets/mqtt-agent")


def test_an_empty_file_is_a_box_without_lines(tmp_path: Path) -> None:
    assert load(written(tmp_path, "")).seats == ()


@pytest.mark.parametrize("name", ["mamori.toml", "demo.toml"])
def test_the_shipped_settings_are_good(tmp_path: Path, name: str) -> None:
    text = (ROOT / "firmware_config/settings" / name).read_text(encoding="utf-8")
    load(written(tmp_path, text.replace("{data}", "/d").replace("{run}", "/r")))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param(changed("port = 8081", "prot = 8081"), "`prot` - at `$.web`", id="typo in a key"),
        pytest.param(changed("[web]", "[wbe]"), "`wbe`", id="typo in a table"),
        pytest.param(changed("port = 8081", 'port = "8081"'), "`$.web.port`", id="wrong type"),
        pytest.param(changed("port = 8081", "port = 0"), "`$.web.port`", id="impossible port"),
        pytest.param(changed('site = "tokyo"', 'site = "Tokyo/1"'), "`$.box.site`", id="name unfit for a topic"),
        pytest.param(changed('seat = "02"', 'seat = "01"'), "seats holds '01' twice", id="seat twice"),
        pytest.param(
            GOOD + '[[devices]]\nname = "tap-a"\nmatch = "x"\n', "devices holds 'tap-a' twice", id="device twice"
        ),
        pytest.param(changed('device = "tap-a"', 'device = "tap-b"'), "seats[01].device names 'tap-b'", id="no device"),
        *(
            pytest.param(
                changed('match = "USB Tap"', f'match = "{name}"'), f"devices[tap-a].match {name!r} is a number", id=name
            )
            for name in ("hw:1,0", "2", "card1")
        ),
        pytest.param(
            changed("operator_channel = 3", "operator_channel = 4"),
            "seats[02]: channel 4 does not exist on tap-a (0 to 3)",
            id="channel beyond the card",
        ),
        pytest.param(
            changed("customer_channel = 2", "customer_channel = 1"),
            "seats[02]: channel 1 is already used by seat 01",
            id="channel of another seat",
        ),
        pytest.param(
            changed("operator_channel = 1", "operator_channel = 0"),
            "seats[01]: channel 0 is already used by seat 01",
            id="both voices on one channel",
        ),
        pytest.param(
            changed("port = 8081", "port = 8081\nredirect_port = 8081"), "must not be web.port", id="one port for both"
        ),
        pytest.param(
            changed("port = 8081", 'host = "0.0.0.0"\ncertificate = "web.crt"'), "web.key", id="certificate without key"
        ),
        pytest.param("[web\n", "is not valid TOML", id="no TOML"),
    ],
)
def test_a_mistake_names_its_place(tmp_path: Path, text: str, reason: str) -> None:
    assert reason in refused(tmp_path, text).what.en


def test_the_pages_certificate_is_the_boxes_own_unless_another_is_named(tmp_path: Path) -> None:
    own = load(written(tmp_path, "[paths]\ndata = '/there'\n"))
    assert (own.web_certificate, own.web_key) == (Path("/there/pki/web.crt"), Path("/there/pki/web.key"))
    named = load(written(tmp_path, "[web]\ncertificate = 'a.crt'\nkey = 'a.key'\n"))
    assert (named.web_certificate, named.web_key) == (Path("a.crt"), Path("a.key"))


def test_settings_that_are_not_there_are_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="No such file"):
        load(tmp_path / "nothing.toml")


def test_the_program_finds_what_came_with_it_unless_it_is_told_another_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAMORI_SHARE", str(tmp_path))
    assert settings_module.share() == tmp_path
    assert settings_module.Settings().policy_file == tmp_path / "firmware_config/policy/mamori.toml"
    assert settings_module.Settings().models_folder == tmp_path / "models"


def test_a_settings_file_in_another_encoding_is_a_clear_error(tmp_path: Path) -> None:
    file = tmp_path / "mamori.toml"
    file.write_bytes('[box]\nsite = "札幌"\n'.encode("shift_jis"))
    with pytest.raises(SettingsError) as caught:
        load(file)
    assert str(file) in caught.value.what.en


def test_a_seat_may_have_its_voices_from_the_network(tmp_path: Path) -> None:
    settings = load(written(tmp_path, GOOD + ON_NETWORK))
    (seat,) = settings.seats_on_network
    assert (seat.seat, seat.source.phone, seat.source.extension) == ("03", "10.0.0.31", "201")


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ('rtp = { phone = "10.0.0.31", extension = "201" }', "", "needs either device or rtp"),
        ("rtp = {", 'device = "tap-a"\nrtp = {', "needs either device or rtp"),
        ('interface = "span0"', "", "needs phone or extension"),
        ('phone = "10.0.0.31", extension = "201"', "customer_port = 80", "port 80 is below 1024"),
        ('"10.0.0.31"', '"phone-31"', "phone is no IP address"),
        ("phone =", "customer_port = 5000, operator_port = 5000, extensions =", "unknown field `extensions`"),
        (
            'phone = "10.0.0.31", extension = "201"',
            "customer_port = 5000, operator_port = 5000",
            "one port for both voices needs phone or first",
        ),
        ("[rtp]", '[rtp]\naddress = "here"', "rtp.address is no IP address"),
        (
            "[rtp]",
            '[[seats]]\nseat = "04"\nlabel_ja = "4"\nlabel_en = "4"\nrtp = { extension = "201" }\n[rtp]',
            "201 is already used by seat 03",
        ),
    ],
)
def test_a_contradiction_about_the_network_names_its_place(tmp_path: Path, old: str, new: str, named: str) -> None:
    assert old in ON_NETWORK
    assert named in refused(tmp_path, GOOD + ON_NETWORK.replace(old, new, 1)).what.en


LAMPS = """
[[lamps]]
name = "tower-1"
kind = "patlite-http"
address = "10.0.0.9:8080"
colours = "RYG"

[[lamps]]
name = "desk-2"
kind = "esphome"
seats = ["02"]
"""


def test_lamps_are_read_with_their_addresses(tmp_path: Path) -> None:
    tower, desk = load(written(tmp_path, GOOD + LAMPS)).lamps
    assert (tower.host, tower.port, tower.seats, tower.colours) == ("10.0.0.9", 8080, (), "RYG")
    assert (desk.host, desk.port, desk.seats, desk.colours) == ("", 80, ("02",), "RYGBC")


@pytest.mark.parametrize(
    ("address", "host", "port"),
    [("tower.local", "tower.local", 80), ("[fd00::9]", "fd00::9", 80), ("[fd00::9]:8080", "fd00::9", 8080)],
)
def test_an_address_is_a_name_or_a_number_with_or_without_a_port(
    tmp_path: Path, address: str, host: str, port: int
) -> None:
    tower = load(written(tmp_path, GOOD + LAMPS.replace("10.0.0.9:8080", address))).lamps[0]
    assert (tower.host, tower.port) == (host, port)


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('address = "10.0.0.9:8080"\n', "", "lamps[tower-1] needs an address"),
        ('seats = ["02"]', 'seats = ["09"]', "lamps[desk-2].seats names '09'"),
        ('"desk-2"', '"tower-1"', "lamps holds 'tower-1' twice"),
        ('"esphome"', '"lava"', "$.lamps[1].kind"),
        ('"RYG"', '"RYR"', "$.lamps[0].colours"),
        ('"10.0.0.9:8080"', '"http://10.0.0.9/"', "$.lamps[0].address"),
    ],
)
def test_a_mistake_in_the_lamps_is_named(tmp_path: Path, old: str, new: str, place: str) -> None:
    assert old in LAMPS
    assert place in refused(tmp_path, GOOD + LAMPS.replace(old, new, 1)).what.en
