"""How much is given up while the box cannot keep up with its lines, and what that means for whoever sees it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from edge_agent.errors import Text


class Stage(IntEnum):
    """How much is given up; each stage holds all that the ones before give up."""

    NORMAL = 0
    FEWER_PARTIALS = 1
    OPERATOR_LATER = 2
    FEWER_LINES = 3

    @property
    def word(self) -> str:
        """Return its short stable name, such as ``"operator_later"``."""
        return self.name.lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Overloaded:
    """What is given up now; `resting` are the seats whose lines rest, the first to rest first."""

    stage: Stage = Stage.NORMAL
    resting: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What a stage means for the floor, and what to do."""

    what: Text
    remedy: Text


_BY_ITSELF = Text(
    "余裕ができると自動で戻ります。たびたび出るときは、管理者に「処理が追いつかないとき」（docs/operations.ja.md）の確認を頼んでください。",
    "It ends by itself when there is room. If it comes often, have an administrator read “When the box cannot keep "
    "up” in docs/operations.md.",
)
_MEANINGS = {
    Stage.FEWER_PARTIALS: Meaning(
        what=Text(
            "処理が混み合っています（段階1/3）。話の途中の文字の更新を減らしています。全席の聞き取りと検知は続いています。",
            "The box is busy (stage 1 of 3). Words still being spoken are shown less often. All seats are listened to.",
        ),
        remedy=Text("操作は不要です。", "Nothing needs to be done."),
    ),
    Stage.OPERATOR_LATER: Meaning(
        what=Text(
            "処理が混み合っています（段階2/3）。オペレーター側の声を最大30秒遅れて聞き取ります。お客様側の聞き取りと検知は続いています。",
            "The box is busy (stage 2 of 3). Operators are heard up to 30 s late. Customers are heard at once.",
        ),
        remedy=Text(
            "警告の回数や最終回答は、遅れて反映されます。",
            "Warnings and final answers are counted later than they are spoken.",
        ),
    ),
    Stage.FEWER_LINES: Meaning(
        what=Text(
            "処理が追いつきません（段階3/3）。{count}席の聞き取りを休んでいます。",
            "The box cannot keep up (stage 3 of 3). {count} seats are not listened to.",
        ),
        remedy=Text(
            "「障害」と出ている席は検知されません。人が気を配ってください。",
            "Nothing is detected at the seats shown as faulty: keep an eye on them yourselves.",
        ),
    ),
}


def meaning(now: Overloaded) -> Meaning | None:
    """Return what is given up and what to do; None if nothing is."""
    if now.stage is Stage.NORMAL:
        return None
    found, count = _MEANINGS[now.stage], len(now.resting)
    return Meaning(
        what=Text(found.what.ja.format(count=count), found.what.en.format(count=count)),
        remedy=Text(f"{found.remedy.ja}{_BY_ITSELF.ja}", f"{found.remedy.en} {_BY_ITSELF.en}"),
    )
