"""One family of errors: each says what is wrong, where, and what to do, in Japanese and English."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Text:
    """One text for people, in both languages of the product."""

    ja: str
    en: str

    def in_language(self, language: str) -> str:
        """Return the Japanese text for ``"ja"``, the English one for any other language."""
        return self.ja if language == "ja" else self.en


class MamoriError(Exception):
    """What is wrong and where (`what`), and what whoever stands at the box should do (`remedy`)."""

    exit_code = 1

    def __init__(self, what: Text, remedy: Text) -> None:
        super().__init__(f"{what.en} {remedy.en}")
        self.what = what
        self.remedy = remedy


class SettingsError(MamoriError):
    """The settings file is missing, mistyped, or contradicts itself."""


class PolicyError(MamoriError):
    """The policy pack is missing, mistyped, or incomplete."""


class ModelError(MamoriError):
    """A speech or classifier model is missing, altered, or does not load."""


class QualityError(MamoriError):
    """The record of measured quality, or what is measured on, is missing or damaged."""


class WordError(MamoriError):
    """A word cannot be added to a speech model: no reading, or none the model can say."""


class AudioError(MamoriError):
    """A file is no audio, or a sound card cannot be found, opened, or has gone."""


class ButtonError(MamoriError):
    """A button is not known, cannot be opened, or has gone."""


class StoreError(MamoriError):
    """The database cannot be opened or written (disk full, wrong owner, damaged)."""


class BrokerError(MamoriError):
    """The MQTT broker cannot be started or refuses this device."""


class LampError(MamoriError):
    """A lamp or signal tower does not answer, or refuses what it was told."""


class DeviceError(MamoriError):
    """There is no such device, or it cannot do what is asked of it."""


class AskError(MamoriError):
    """What an integration asks is refused; `code` says why in one word, for its program."""

    def __init__(self, code: str, what: Text, remedy: Text) -> None:
        super().__init__(what, remedy)
        self.code = code


class PortInUseError(MamoriError):
    """Another program listens where one of ours should."""


class ProvisionError(MamoriError):
    """A step of setting up the machine failed."""


class AccessError(MamoriError):
    """Someone asked for what they may not do: wrong password, missing right, locked account."""


class DutyError(MamoriError):
    """The roster does not hold who was asked for, or a shift cannot be read."""


class LayoutError(MamoriError):
    """The floor cannot be laid out so, or somebody else has laid it out meanwhile."""


class TransitionError(MamoriError):
    """An incident, alert or call was asked to go where its state does not allow."""
