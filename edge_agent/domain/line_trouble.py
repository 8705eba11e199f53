"""What can be wrong with a line's audio, or with what is announced of its calls, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from edge_agent.domain.call import Speaker
from edge_agent.errors import Text


class TroubleKind(StrEnum):
    """What can be wrong with a line, the gravest first."""

    NO_AUDIO = "no_audio"
    UNANNOUNCED = "unannounced"
    UNENDED = "unended"
    SWAPPED = "swapped"
    CROSS_TALK = "cross_talk"
    QUIET = "quiet"
    CLIPPING = "clipping"
    OVERDRIVEN = "overdriven"
    HUM = "hum"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Something wrong with a line; `side` is None where both are concerned. `hertz` of a hum's mains: 50 or 60."""

    kind: TroubleKind
    side: Speaker | None = None
    hertz: int = 0

    @property
    def is_fault(self) -> bool:
        """Whether nobody is heard, so that it has to be told as loudly as a lost card."""
        return self.kind is TroubleKind.NO_AUDIO

    @property
    def name(self) -> str:
        """Short stable name, such as ``"clipping:customer"``."""
        return f"{self.kind}:{self.side}" if self.side else self.kind.value


_SIDES = {
    Speaker.CUSTOMER: Text("お客様側", "the customer's side"),
    Speaker.OPERATOR: Text("オペレーター側", "the operator's side"),
}
_SAID = {
    TroubleKind.NO_AUDIO: Text(
        "通話中ですが、{}の音声が届きません。配線・ミュート・席のチャンネル設定を確認してください。",
        "A call is under way, but nothing is heard on {}. Check the wiring, mute switches and the seat's channels.",
    ),
    TroubleKind.UNANNOUNCED: Text(
        "知らせのない通話が聞こえました。連携（電話システム・CTI）からの知らせが止まっているようです。"
        "いまは音声で通話の始まりと終わりを判断しています。連携が動いているかを確認してください。"
        "使うのをやめたときは「mamori device revoke」で取り消してください。",
        "A call was heard that was not announced: the integration (telephone system, CTI) seems to have fallen silent. "
        "Until it announces again, voices tell where calls start and end. See whether it runs; if it is not used any "
        "more, “mamori device revoke” it.",
    ),
    TroubleKind.UNENDED: Text(
        "通話の終わりが、連携（電話システム・CTI）から知らされませんでした。"
        "いまは音声で通話の始まりと終わりを判断しています。"
        "次の知らせで元に戻ります。続くときは、連携が ended を送っているかを確認してください。",
        "The end of a call was not announced by the integration (telephone system, CTI). Until its next announcement, "
        "voices tell where calls start and end. If it stays so, see whether it sends “ended”.",
    ),
    TroubleKind.SWAPPED: Text(
        "お客様側とオペレーター側が逆につながっているようです。配線を入れ替えるか、設定のチャンネルを入れ替えてください。",
        "Customer and operator seem to be swapped. Swap the wires, or the seat's channels in the settings.",
    ),
    TroubleKind.CROSS_TALK: Text(
        "片側の声がもう片側にも入っています。配線の混線、側音、ミックス出力でないかを確認してください。",
        "One side is heard on the other too. Check for cross-talk, side tone, or a tap that mixes both sides.",
    ),
    TroubleKind.QUIET: Text(
        "{}の声が小さすぎます（-45 dBFS 未満）。聞き取れない言葉が増えます。入力のレベルか席のゲインを上げてください。",
        "Speech on {} is too quiet (below -45 dBFS), and words are missed. Turn its input level or the seat's gain up.",
    ),
    TroubleKind.CLIPPING: Text(
        "{}の音が割れています。入力のレベルを下げてください。",
        "The sound of {} is clipped. Turn its input level down.",
    ),
    TroubleKind.OVERDRIVEN: Text(
        "{}の音が、この機器に入る前に割れています。分岐器・電話機・ヘッドセットの音量を下げてください。"
        "小さくなりすぎたら、入力のレベルか席のゲインを上げてください。",
        "The sound of {} is clipped before it reaches the box. Turn down the tap, telephone or headset; if it is too "
        "quiet then, turn the input level or the seat's gain up.",
    ),
    TroubleKind.HUM: Text(
        "{}に電源のうなり（{} Hz）が入っています。接地と、電源線との距離・シールドを確認してください。",
        "Mains hum on {} ({} Hz). Check the earthing, the shielding, and the distance to power lines.",
    ),
}


def explained(trouble: Trouble) -> Text:
    """Return what is wrong and what to do about it."""
    side = _SIDES[trouble.side] if trouble.side else Text("両側", "either side")
    said = _SAID[trouble.kind]
    return Text(said.ja.format(side.ja, trouble.hertz), said.en.format(side.en, trouble.hertz))
