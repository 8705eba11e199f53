"""A list of words as people keep it: tab-separated, a word a line, as `mamori speech words list` prints it."""

from __future__ import annotations

from typing import get_args

from edge_agent.errors import Text, WordError
from edge_agent.services.speech.own_words import Wanted
from edge_agent.services.speech.readings import Weight

COMMENT = "#"
COLUMNS = 3
WEIGHTS: dict[str, Weight] = {weight: weight for weight in get_args(Weight)}


def read_list(raw: bytes, name: str, *, weight: Weight | None = None) -> tuple[Wanted, ...]:
    """Return the words of a list: word, readings divided by spaces, how often it is said; the last two may be left out.

    Args:
        raw: the list, UTF-8.
        name: what it is called where it is wrong.
        weight: of words for which the list tells none.

    Raises:
        WordError: it is not UTF-8, or holds no words or a line of another form, which is named.
    """
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _error(
            f"言葉の一覧 {name} の文字コードが UTF-8 ではありません。",
            f"The list of words {name} is not written in UTF-8.",
            Text("UTF-8 で保存し直してください。", "Save it again as UTF-8."),
        ) from error
    out = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.startswith(COMMENT):
            where = Text(f"{name} の {number} 行目: ", f"{name}, line {number}: ")
            out.append(_wanted(line, where, weight))
    if not out:
        raise _error(f"言葉の一覧 {name} に言葉がありません。", f"The list {name} holds no words.")
    return tuple(out)


def _wanted(line: str, where: Text, weight: Weight | None) -> Wanted:
    columns = [column.strip() for column in line.split("\t")]
    if len(columns) > COLUMNS or ("\t" not in line and "," in line):
        raise _error(
            f"{where.ja}列は言葉・読み・頻度の3つまでで、タブで区切ります（コンマではありません）。",
            f"{where.en}there are three columns, word, readings and weight, divided by tabs (not commas).",
        )
    surface, readings, told = [*columns, "", ""][:COLUMNS]
    if told and told not in WEIGHTS:
        raise _error(
            f"{where.ja}頻度「{told}」は使えません（{', '.join(WEIGHTS)}）。",
            f"{where.en}{told!r} is no weight ({', '.join(WEIGHTS)}).",
        )
    return Wanted(
        surface=surface,
        readings=tuple(readings.split()),
        weight=WEIGHTS[told] if told else weight,
        where=where,
    )


def _error(ja: str, en: str, remedy: Text | None = None) -> WordError:
    return WordError(
        Text(ja, en),
        remedy
        or Text(
            "1行に「言葉、タブ、読み（空白区切り）、タブ、頻度」と書いてください。"
            "「mamori speech words list」の出力もそのまま使えます。",
            "Write word, tab, readings divided by spaces, tab, weight on a line; "
            "what “mamori speech words list” prints can be used as it is.",
        ),
    )
