"""A folder of recordings with transcripts, read: what is measured, and what of it had to be left out."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from io import StringIO
from pathlib import Path

from edge_agent.errors import AudioError, Text
from edge_agent.services.speech.evaluation import WITHOUT, Recording

TABLE = "transcripts.tsv"
COLUMNS = ("file", "text", "condition", "telling")
NEEDED = ("file", "text")
AUDIO = (".wav", ".flac", ".opus", ".ogg")
OTHER_AUDIO = (".mp3", ".m4a", ".mp4", ".aac", ".wma", ".amr", ".aif", ".aiff", ".au", ".3gp", ".webm", ".vox", ".dss")
"""Sound in forms that are not read."""


class Reason(StrEnum):
    """Why a file of the folder is left out."""

    NO_TRANSCRIPT = "no transcript"
    NO_RECORDING = "no recording"
    NOT_READ = "format not read"


MEANING = {
    Reason.NO_TRANSCRIPT: Text("書き起こしなし", "no transcript"),
    Reason.NO_RECORDING: Text("録音なし", "no recording"),
    Reason.NOT_READ: Text("読めない形式", "format not read"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A file that is not measured."""

    file: str
    reason: Reason


def read_recordings(folder: Path) -> list[Recording]:
    """Return the recordings of a folder, by its `transcripts.tsv` or by a NAME.txt beside each recording.

    Raises:
        AudioError: there are none, the table is wrong, a text is not UTF-8, or a recording the table names is missing.
    """
    table = folder / TABLE
    try:
        found = list(_of_table(table) if table.is_file() else _of_texts(folder))
        left = left_out(folder, found)
    except OSError as error:
        # What could not be read, be it one file in the folder.
        raise _error(
            Path(error.filename or folder), f"読めません（{error.strerror}）。", f"cannot be read ({error.strerror})."
        ) from error
    if not found:
        raise _none(folder, left)
    return found


def left_out(folder: Path, recordings: Sequence[Recording]) -> list[LeftOut]:
    """Return the files of a folder that look as if they were to be measured and are not, by name."""
    measured = {recording.file.resolve() for recording in recordings}
    files = _files(folder)
    # With a table, a text is somebody's note; without one it is a transcript that has lost its recording.
    by_text = not (folder / TABLE).is_file()
    sound = {file.stem for file in files if file.suffix.lower() in AUDIO + OTHER_AUDIO}
    out = []
    for file in files:
        suffix = file.suffix.lower()
        if file.resolve() in measured:
            continue
        if suffix in AUDIO:
            out.append(LeftOut(file=file.name, reason=Reason.NO_TRANSCRIPT))
        elif suffix in OTHER_AUDIO:
            out.append(LeftOut(file=file.name, reason=Reason.NOT_READ))
        elif by_text and suffix == ".txt" and file.stem not in sound:
            out.append(LeftOut(file=file.name, reason=Reason.NO_RECORDING))
    return out


def told_left_out(left: Sequence[LeftOut], *, most: int = 5) -> Text:
    """Return a sentence on what was left out, naming the first few."""
    ja = "、".join(f"{it.file}（{MEANING[it.reason].ja}）" for it in left[:most])
    en = ", ".join(f"{it.file} ({MEANING[it.reason].en})" for it in left[:most])
    if len(left) > most:
        ja, en = f"{ja}、ほか {len(left) - most}", f"{en} and {len(left) - most} more"
    files = "file" if len(left) == 1 else "files"
    return Text(f"{len(left)} ファイルを測っていません: {ja}", f"{len(left)} {files} left out: {en}")


def read_telling(file: Path) -> tuple[str, ...]:
    """Return the telling words of a file, one a line; raise `AudioError` if it cannot be read."""
    try:
        rows = (row.strip() for row in file.read_bytes().decode("utf-8-sig").splitlines())
        return tuple(row for row in rows if row and not row.startswith("#"))
    except OSError as error:
        raise _no_telling(file, f"読めません（{error.strerror}）。", f"cannot be read ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        raise _no_telling(file, "文字コードが UTF-8 ではありません。", "is not written in UTF-8.") from error


def _of_table(table: Path) -> Iterator[Recording]:
    reader = csv.reader(StringIO(_text_of(table), newline=""), delimiter="\t", quoting=csv.QUOTE_NONE)
    try:
        rows = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise _error(table, f"表として読めません（{error}）。", f"cannot be read as a table ({error}).") from error
    if not rows:
        return
    first = rows[0][1]
    if len(first) == 1 and "," in first[0]:
        raise _error(
            table,
            "列がコンマで区切られています。タブで区切ってください。",
            "has commas between its columns; put tabs between them.",
        )
    named = any(cell in COLUMNS for cell in first)
    columns = first if named else list(COLUMNS)
    _check_columns(table, columns)
    for number, row in rows[named:]:
        yield _of_row(table, number, columns, row)


def _check_columns(table: Path, columns: Sequence[str]) -> None:
    missing = [name for name in NEEDED if name not in columns]
    unknown = [name for name in columns if name not in COLUMNS]
    if missing:
        has = ", ".join(columns)
        raise _error(
            table,
            f"列 {', '.join(missing)} がありません（いまの列: {has}）。",
            f"has no column {', '.join(missing)} (it has: {has}).",
        )
    if unknown:
        raise _error(
            table,
            f"知らない列があります: {', '.join(unknown)}（使える列: {', '.join(COLUMNS)}）。",
            f"has unknown columns: {', '.join(unknown)} (known: {', '.join(COLUMNS)}).",
        )


def _of_row(table: Path, number: int, columns: Sequence[str], row: Sequence[str]) -> Recording:
    fields = dict(zip(columns, row, strict=False))
    file = table.parent / fields.get("file", "")
    if not file.is_file():
        raise _error(
            table, f"{number} 行目の録音 {file.name} がありません。", f"line {number}: {file.name} is not there."
        )
    if "text" not in fields:
        # Not the same as an empty text, which says that nobody speaks.
        raise _error(
            table,
            f"{number} 行目に text がありません。誰も話していない録音なら、タブを置いて空にしてください。",
            f"line {number} has no text; if nobody speaks, put a tab and leave it empty.",
        )
    told = fields.get("telling", "").split()
    return Recording(
        file=file,
        text=fields["text"],
        condition=fields.get("condition", "") or WITHOUT,
        telling=tuple(told) if told else None,
    )


def _of_texts(folder: Path) -> Iterator[Recording]:
    for file in _files(folder):
        text = file.with_suffix(".txt")
        if file.suffix.lower() in AUDIO and text.is_file():
            yield Recording(file=file, text=_text_of(text).strip())


def _files(folder: Path) -> list[Path]:
    """Return a folder's files by name, without the hidden ones that a Mac puts beside each on a stick."""
    return sorted(file for file in folder.iterdir() if file.is_file() and not file.name.startswith("."))


def _text_of(file: Path) -> str:
    """Return a text in UTF-8.

    Other codes are refused, not guessed: much that is no Shift-JIS can be read as if it were, and a transcript that is
    wrong makes every figure wrong unseen.
    """
    try:
        return file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _error(
            file,
            "文字コードが UTF-8 ではありません。",
            "is not written in UTF-8.",
            Text(
                "UTF-8 で保存してください（メモ帳: 名前を付けて保存、文字コード「UTF-8」）。",
                "Save it as UTF-8 (Notepad: Save as, encoding UTF-8).",
            ),
        ) from error


def _none(folder: Path, left: Sequence[LeftOut]) -> AudioError:
    if not any(it.reason is Reason.NOT_READ for it in left):
        told = told_left_out(left)
        return _error(
            folder,
            f"書き起こしのある録音がありません。{f'{told.ja}。' if left else ''}",
            f"holds no recording with a transcript.{f' {told.en}.' if left else ''}",
        )
    kinds = sorted({Path(it.file).suffix[1:].upper() for it in left if it.reason is Reason.NOT_READ})
    return _error(
        folder,
        f"読める録音がありません。{'・'.join(kinds)} は読めません。読めるのは WAV・FLAC・Opus・Ogg です。",
        f"holds no recording that can be read: {', '.join(kinds)} is not read; WAV, FLAC, Opus and Ogg are.",
        Text(
            "WAV か FLAC に変換してください（例: ffmpeg -i a.mp3 a.wav）。書き起こしの .txt はそのまま使えます。",
            "Convert them to WAV or FLAC (ffmpeg -i a.mp3 a.wav, say); a .txt beside them can stay as it is.",
        ),
    )


def _error(path: Path, ja: str, en: str, remedy: Text | None = None) -> AudioError:
    return AudioError(
        Text(f"評価用の録音 {path}: {ja}", f"Recordings {path} {en}"),
        remedy
        or Text(
            "transcripts.tsv（タブ区切り、列: file, text, condition, telling）か、録音と同じ名前の .txt を置いて"
            "ください。",
            "Put transcripts.tsv (tab-separated, columns file, text, condition, telling) there, or a .txt named as "
            "each recording.",
        ),
    )


def _no_telling(file: Path, ja: str, en: str) -> AudioError:
    return AudioError(
        Text(f"判断を左右する言葉の一覧 {file}: {ja}", f"The list of telling words {file} {en}"),
        Text(
            "--telling には、1行に1語を書いた UTF-8 のファイルを指定してください。省くと製品の一覧を使います。",
            "Give --telling a file in UTF-8 with one word a line, or leave it out for the product's own list.",
        ),
    )
