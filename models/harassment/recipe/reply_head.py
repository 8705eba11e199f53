"""What an operator's words do: refuse, give the final answer, warn, or end the call. A head of its own.

Logistic regression over the embedding, which comes from the frozen layers, and hashed character n-grams: it depends
neither on a seed nor on how the rest was trained. In the graph: output ``replies`` (4,), as in `replies.REPLIES`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from .linear import features_of
from .spec import NGRAM_BUCKETS

Floats = npt.NDArray[np.float32]

EMBEDDING_WEIGHT = 0.15
"""The embedding's length beside the n-grams' 1, of ten from 0 to 8; leaving out one author at a time, 0.1 to 0.25
are as good, none and 1 are worse."""
INVERSE_REGULARIZATION = 30.0
"""Of 10, 30 and 100, in the same way; they hardly differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyHead:
    """The fitted head, ready for the graph."""

    weights: Floats
    """Shape (hidden, outputs), for the embedding."""
    table: npt.NDArray[np.float16]
    """Shape (buckets, outputs + 1), as in `linear`."""
    bias: Floats


def fit(cleaned: Sequence[str], embeddings: Floats, targets: npt.NDArray[Any]) -> ReplyHead:
    """Fit on texts, their embeddings (texts, hidden) and targets (texts, outputs)."""
    ngrams, idf, used = features_of(cleaned)
    features = sparse.hstack([sparse.csr_matrix(embeddings * EMBEDDING_WEIGHT), ngrams[:, used]]).tocsr()
    hidden, outputs = embeddings.shape[1], targets.shape[1]
    weights = np.zeros((hidden, outputs), np.float32)
    table = np.zeros((NGRAM_BUCKETS, outputs + 1), np.float32)
    bias = np.zeros(outputs, np.float32)
    for column in range(outputs):
        model = LogisticRegression(C=INVERSE_REGULARIZATION, max_iter=1000)
        model.fit(features, targets[:, column])
        weights[:, column] = model.coef_[0][:hidden] * EMBEDDING_WEIGHT
        table[used, column] = model.coef_[0][hidden:] * idf[used]
        bias[column] = model.intercept_[0]
    table[used, outputs] = idf[used] ** 2
    return ReplyHead(weights=weights, table=table.astype(np.float16), bias=bias)
