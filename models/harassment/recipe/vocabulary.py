"""Cut the 250,000 pieces down to those Japanese text can use; write the tokenizer.

A piece stays if every character of it is in JIS X 0208 (levels 1 and 2, after NFKC),
kana or ASCII, and it is not a run of two or more Latin letters. Because unigram
segmentation only ever picks pieces made of the text's own characters, such text is
segmented as with the full vocabulary.
"""

from __future__ import annotations

import io
import unicodedata
from pathlib import Path
from typing import Any

import sentencepiece
from sentencepiece import sentencepiece_model_pb2

from .encoder_file import EncoderFile

_SPECIAL = (0, 1, 2, 3)
_LAST_PLAIN_PIECE = 250000
"""The file ends with a mask token and a language token: not pieces of text."""

_SPM_NORMAL, _SPM_UNKNOWN, _SPM_CONTROL = 1, 2, 3
_MARKER = "\u2581"
"""Stands for a space inside pieces."""


def japanese_piece_ids(encoder: EncoderFile) -> list[int]:
    """Return the ids to keep, in the order of the pruned vocabulary."""
    allowed = _allowed_characters()
    kept = list(_SPECIAL)
    for index, piece in enumerate(encoder.pieces[: _LAST_PLAIN_PIECE + 1]):
        if index in _SPECIAL or not piece or not allowed.issuperset(piece):
            continue
        latin = any(c.isascii() and c.isalpha() for c in piece)
        if latin and len(piece.lstrip(_MARKER)) > 1:
            continue
        kept.append(index)
    return kept


def write_tokenizer(encoder: EncoderFile, kept: list[int], path: Path) -> None:
    """Write the kept pieces as a sentencepiece model with ``nmt_nfkc`` normalization."""
    template = _template()
    model: Any = sentencepiece_model_pb2.ModelProto()
    for new, old in enumerate(kept):
        piece = model.pieces.add()
        piece.piece = encoder.pieces[old]
        piece.score = float(encoder.scores[old])
        piece.type = {3: _SPM_UNKNOWN}.get(new, _SPM_CONTROL if new < 3 else _SPM_NORMAL)
    trainer = model.trainer_spec
    trainer.CopyFrom(template.trainer_spec)
    trainer.model_type = 1
    trainer.vocab_size = len(kept)
    trainer.bos_id, trainer.pad_id, trainer.eos_id, trainer.unk_id = _SPECIAL
    trainer.bos_piece, trainer.pad_piece = "<s>", "<pad>"
    trainer.eos_piece, trainer.unk_piece = "</s>", "<unk>"
    model.normalizer_spec.CopyFrom(template.normalizer_spec)
    path.write_bytes(model.SerializeToString(deterministic=True))


def _allowed_characters() -> set[str]:
    allowed = {chr(code) for code in range(0x3041, 0x3100)} | {_MARKER}
    allowed |= {chr(code) for code in range(0x21, 0x7F)}
    for row in (*range(1, 9), *range(16, 85)):
        for cell in range(1, 95):
            try:
                character = bytes([0xA0 + row, 0xA0 + cell]).decode("euc_jp")
            except UnicodeDecodeError:
                continue  # unassigned cell
            allowed |= set(unicodedata.normalize("NFKC", character))
    greek_and_cyrillic = {chr(code) for code in range(0x370, 0x530)}
    return allowed - greek_and_cyrillic


def _template() -> Any:  # noqa: ANN401 - protobuf has no types
    """Train a throw-away model: the only way to get the ``nmt_nfkc`` character map."""
    written = io.BytesIO()
    sentences = ["これ は テスト です " + chr(0x3041 + i) + str(i) for i in range(80)] * 3
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(sentences),
        model_writer=written,
        vocab_size=120,
        hard_vocab_limit=False,
        normalization_rule_name="nmt_nfkc",
        model_type="unigram",
        minloglevel=2,
    )
    return sentencepiece_model_pb2.ModelProto.FromString(written.getvalue())
