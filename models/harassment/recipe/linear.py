"""The character-n-gram half: logistic regression over hashed n-grams, as a table.

Each n-gram counts once (binary), weighted by its inverse document frequency and scaled
to unit length. All of that fits one table of shape (buckets, 14): a row holds the 13
weights times the frequency weight, then the squared frequency weight, so the graph only
gathers the rows of a text, sums them, and divides by the root of the last column.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from .spec import NGRAM_BUCKETS, ngram_buckets

INVERSE_REGULARIZATION = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class NgramModel:
    """The fitted half, ready for the graph."""

    table: npt.NDArray[np.float16]
    """Shape (buckets, outputs + 1)."""
    bias: npt.NDArray[np.float32]
    """Shape (outputs,)."""

    def logits(self, cleaned: Sequence[str]) -> npt.NDArray[np.float32]:
        """Return the logits (texts, outputs), as the graph computes them."""
        return np.stack([self._logits_of(text) for text in cleaned])

    def _logits_of(self, text: str) -> npt.NDArray[np.float32]:
        total = self.table[ngram_buckets(text)].astype(np.float32).sum(0)
        scaled: npt.NDArray[np.float32] = total[:-1] / np.sqrt(total[-1] + 1e-6) + self.bias
        return scaled


def fit(cleaned: Sequence[str], targets: npt.NDArray[np.float32], *, seed: int) -> NgramModel:
    """Fit one regression per column of targets (texts, outputs)."""
    features, idf, used = features_of(cleaned)
    narrow = features[:, used]
    outputs = targets.shape[1]
    table = np.zeros((NGRAM_BUCKETS, outputs + 1), np.float32)
    bias = np.zeros(outputs, np.float32)
    for column in range(outputs):
        model = LogisticRegression(C=INVERSE_REGULARIZATION, class_weight="balanced", max_iter=400, random_state=seed)
        if not targets[:, column].any():
            bias[column] = -6.0  # nothing to learn from: never claim this label
            continue
        model.fit(narrow, targets[:, column])
        table[used, column] = model.coef_[0]
        bias[column] = model.intercept_[0]
    table[:, :outputs] *= idf[:, None]
    # An n-gram never seen in training says nothing, not even about the text's length.
    table[used, outputs] = idf[used] ** 2
    return NgramModel(table=table.astype(np.float16), bias=bias)


def features_of(cleaned: Sequence[str]) -> tuple[sparse.csr_matrix, npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Return texts' n-grams (texts, buckets) at unit length, each bucket's frequency weight, and the buckets used."""
    rows = [ngram_buckets(text) for text in cleaned]
    indptr = np.cumsum([0, *map(len, rows)])
    indices = np.concatenate([np.asarray(row, np.int64) for row in rows])
    counts = np.bincount(indices, minlength=NGRAM_BUCKETS)
    idf = (np.log((1 + len(rows)) / (1 + counts)) + 1).astype(np.float32)
    features = sparse.csr_matrix((idf[indices], indices, indptr), shape=(len(rows), NGRAM_BUCKETS), dtype=np.float32)
    norms = np.sqrt(np.asarray(features.multiply(features).sum(1)).ravel()) + 1e-6
    return sparse.diags(1 / norms).dot(features).tocsr(), idf, np.flatnonzero(counts)
