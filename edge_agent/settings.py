"""The box's settings: TOML read into frozen, checked records; a typo names its path and the remedy."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from edge_agent import settings_buttons, settings_cards, settings_lamps, settings_rtp
from edge_agent.decoders import toml_reader
from edge_agent.errors import SettingsError, Text
from edge_agent.settings_buttons import Button, Presses
from edge_agent.settings_cards import Device, Gain, Name
from edge_agent.settings_health import Health
from edge_agent.settings_lamps import Lamp
from edge_agent.settings_listening import Calls, Listening, Vad
from edge_agent.settings_privacy import Privacy
from edge_agent.settings_rtp import Rtp, SeatOnNetwork, SeatRtp

ModelName = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9.+-]{0,63}\Z")]
"""A model's name, which is also its folder's."""
Port = Annotated[int, Meta(ge=1, le=65535)]


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the settings file: frozen, and a key it does not know is an error."""


class Box(_Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which box this is; part of every topic."""

    site: Name = "site"
    floor: Name = "floor"
    box: Name = "box"


class Paths(_Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Folders. `run` should be in memory (tmpfs): live words are kept there and nowhere else."""

    data: str = "/var/lib/mamori"
    run: str = "/run/mamori"
    models: str = ""
    """Folder with manifest.toml; empty: the one that came with the program."""
    policy: str = ""
    """Policy pack; empty: the one that came with the program."""


class Seat(_Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A tapped line: seat, and where its two voices come from: channels of a card (0-based), or the network."""

    seat: Name
    label_ja: str
    label_en: str
    device: str = ""
    """Empty: the voices come over the network."""
    customer_channel: Annotated[int, Meta(ge=0, le=63)] = 0
    operator_channel: Annotated[int, Meta(ge=0, le=63)] = 1
    customer_gain_db: Gain = 0.0
    operator_gain_db: Gain = 0.0
    """By how much a card's channel is made louder or quieter."""
    rtp: SeatRtp | None = None
    group: Annotated[str, Meta(pattern=r"^([a-z0-9][a-z0-9-]{0,31})?\Z")] = ""
    """Group of seats it belongs to; supervisors may be given groups. Empty: none."""


class Models(_Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which models are used unless somebody chose another (`mamori speech use`)."""

    speech: ModelName = "speech-ja-starter"
    harassment: ModelName = "harassment-ja-starter"


class Mqtt(_Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The floor's broker and this box's identity on it."""

    host: str = "localhost"
    port: Port = 8883
    ca_file: str = ""
    """Empty: `data`/pki/ca.crt."""
    user: Name = "agent"
    password_file: str = ""
    """Empty: `data`/secrets/mqtt-agent."""


class Web(_Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the pages are served, always over TLS. Empty certificate and key: those of the box's own authority."""

    host: str = "127.0.0.1"
    port: Port = 8443
    redirect_port: Annotated[int, Meta(ge=0, le=65535)] = 0
    """Plain HTTP that only leads to `port`; 0: none."""
    names: tuple[Annotated[str, Meta(pattern=r"^[a-z0-9.-]{1,253}\Z")], ...] = ()
    """Names and addresses under which browsers of the premises find the box, beside its own."""
    certificate: str = ""
    key: str = ""


class Settings(_Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything a box is told about itself."""

    box: Box = Box()
    paths: Paths = Paths()
    devices: tuple[Device, ...] = ()
    seats: tuple[Seat, ...] = ()
    rtp: Rtp = Rtp()
    vad: Vad = Vad()
    calls: Calls = Calls()
    listening: Listening = Listening()
    health: Health = Health()
    privacy: Privacy = Privacy()
    presses: Presses = Presses()
    buttons: tuple[Button, ...] = ()
    models: Models = Models()
    mqtt: Mqtt = Mqtt()
    web: Web = Web()
    lamps: tuple[Lamp, ...] = ()

    @property
    def seats_on_network(self) -> list[SeatOnNetwork]:
        """Seats whose voices come over the network."""
        return [SeatOnNetwork(seat=seat.seat, source=seat.rtp) for seat in self.seats if seat.rtp is not None]

    @property
    def data(self) -> Path:
        """Folder of what must survive a restart."""
        return Path(self.paths.data)

    @property
    def run(self) -> Path:
        """Folder of what must not."""
        return Path(self.paths.run)

    @property
    def models_folder(self) -> Path:
        """Folder with the models' manifest.toml."""
        return Path(self.paths.models) if self.paths.models else share() / "models"

    @property
    def installed_models(self) -> Path:
        """Folder of the models that people of the floor installed, one folder each."""
        return self.data / "models"

    @property
    def policy_file(self) -> Path:
        """The policy pack in force."""
        return Path(self.paths.policy) if self.paths.policy else share() / "firmware_config/policy/mamori.toml"

    @property
    def web_certificate(self) -> Path:
        """The pages' certificate, and what is needed to check it."""
        return Path(self.web.certificate) if self.web.certificate else self.data / "pki/web.crt"

    @property
    def web_key(self) -> Path:
        """The key of the pages' certificate."""
        return Path(self.web.key) if self.web.key else self.data / "pki/web.key"

    @property
    def ca_file(self) -> Path:
        """Certificate of the authority that signed the broker's."""
        return Path(self.mqtt.ca_file) if self.mqtt.ca_file else self.data / "pki/ca.crt"

    @property
    def mqtt_password_file(self) -> Path:
        """File that holds this box's password for the broker."""
        return Path(self.mqtt.password_file) if self.mqtt.password_file else self.data / "secrets/mqtt-agent"

    @property
    def buttons_password_file(self) -> Path:
        """File that holds the broker's password of the process that watches the buttons."""
        return self.data / "secrets/mqtt-buttons"

    @property
    def broker_refusals_file(self) -> Path:
        """File in memory to which the broker's script writes what was refused."""
        return self.run / "broker/refused.log"

    def caller_key(self, process: str) -> Path:
        """File with the key of the callers' handles for a process, ``agent`` or ``web``: each has a copy of its own."""
        return self.data / f"secrets/caller-key-{process}"


_read = toml_reader(Settings)


def share() -> Path:
    """Return the folder with models/, firmware_config/ and systemd/: the checkout, or what the wheel installed.

    ``MAMORI_SHARE`` overrides it.
    """
    if told := os.environ.get("MAMORI_SHARE"):
        return Path(told)
    checkout = Path(__file__).resolve().parent.parent
    if (checkout / "models/manifest.toml").is_file():
        return checkout
    return Path(sys.prefix) / "share/mamori"


def load(path: Path) -> Settings:
    """Read and check a settings file; raise `SettingsError` naming the path, the reason and a remedy."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise _error(path, f"読めません（{error.strerror}）。", f"cannot be read ({error.strerror}).") from error
    try:
        settings = _read(raw)
    except msgspec.ValidationError as error:
        raise _error(path, f"誤りがあります: {error}", f"is wrong: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _error(path, f"TOML として読めません: {error}", f"is not valid TOML: {error}") from error
    _check(path, settings)
    return settings


def _check(path: Path, settings: Settings) -> None:
    _refuse_doubles(path, "devices", [device.name for device in settings.devices])
    _refuse_doubles(path, "seats", [seat.seat for seat in settings.seats])
    if by_number := settings_cards.problem(settings.devices):
        raise _error(path, *by_number)
    devices = {device.name: device for device in settings.devices}
    taken: dict[tuple[str, int], str] = {}
    for seat in settings.seats:
        where = f"seats[{seat.seat}]"
        if bool(seat.device) == (seat.rtp is not None):
            raise _error(
                path,
                f"{where} には device か rtp のどちらか一方が必要です。",
                f"{where} needs either device or rtp.",
            )
        if seat.rtp is not None:
            continue
        device = devices.get(seat.device)
        if device is None:
            raise _error(
                path,
                f"{where}.device の「{seat.device}」は [[devices]] にありません。",
                f"{where}.device names {seat.device!r}, which is not among [[devices]].",
            )
        for channel in (seat.customer_channel, seat.operator_channel):
            if channel >= device.channels:
                raise _error(
                    path,
                    f"{where} のチャンネル {channel} は {device.name} にありません（0〜{device.channels - 1}）。",
                    f"{where}: channel {channel} does not exist on {device.name} (0 to {device.channels - 1}).",
                )
            if other := taken.get((device.name, channel)):
                raise _error(
                    path,
                    f"{where} のチャンネル {channel} は席 {other} でも使われています。",
                    f"{where}: channel {channel} is already used by seat {other}.",
                )
            taken[device.name, channel] = seat.seat
    _refuse_doubles(path, "lamps", [lamp.name for lamp in settings.lamps])
    seats = frozenset(seat.seat for seat in settings.seats)
    lamps_problem = settings_lamps.problem(settings.lamps, seats) or settings.listening.problem(seats)
    if wrong := settings_rtp.problem(settings.rtp, settings.seats_on_network) or lamps_problem:
        raise _error(path, *wrong)
    _check_buttons(path, settings)
    _check_web(path, settings.web)


def _check_web(path: Path, web: Web) -> None:
    if bool(web.certificate) != bool(web.key):
        raise _error(
            path,
            "web.certificate と web.key は両方書くか、両方空にしてください。",
            "web.certificate and web.key belong together: both or neither.",
        )
    if web.redirect_port == web.port:
        raise _error(
            path,
            "web.redirect_port は web.port と別の番号にしてください。",
            "web.redirect_port must not be web.port.",
        )


def _check_buttons(path: Path, settings: Settings) -> None:
    _refuse_doubles(path, "buttons", [button.name for button in settings.buttons])
    if wrong := settings_buttons.problem(settings.presses, settings.buttons, {seat.seat for seat in settings.seats}):
        raise _error(path, *wrong)


def _refuse_doubles(path: Path, table: str, names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise _error(path, f"{table} に「{name}」が2つあります。", f"{table} holds {name!r} twice.")


def _error(path: Path, ja: str, en: str) -> SettingsError:
    return SettingsError(
        Text(f"設定ファイル {path}: {ja}", f"Settings file {path}: {en}"),
        Text(
            "該当箇所を直してください。書き方は firmware_config/settings/mamori.toml にあります。",
            "Correct it there; firmware_config/settings/mamori.toml explains every key.",
        ),
    )
