# SPDX-License-Identifier: Apache-2.0
"""Label rows in; rows whose licence or split forbids learning from them are refused, unless it was allowed by name."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from models.errors import DataError

__all__ = ["FORBIDDEN", "forbidden", "learnt_despite", "refuse_forbidden"]

FORBIDDEN: Final = ("none", "non-commercial", "noncommercial", "nc-", "-nc", "research", "academic")
"""Words in a licence that forbid training for a product."""

COLUMNS: Final = ("path", "split", "label", "licence")


def forbidden(licence: str) -> bool:
    """Whether a licence text forbids learning from the material (no licence at all forbids it)."""
    text = licence.strip().lower()
    return not text or any(word in text for word in FORBIDDEN)


def refuse_forbidden(rows: Sequence[Mapping[str, str]], split: str, allowed: Collection[str] = ()) -> None:
    """Raise `DataError` unless every row is of the training split, real, and under a licence that allows training.

    `allowed` are licences, spelled as in the rows, that were examined and are not refused: your own contract with the
    people shown, for instance. `--allow-licence` names them; an empty text stands for no licence at all.
    """
    if split != "train":
        raise DataError(f"split {split!r} is not for training: only 'train' may be learnt from")
    known = {_plain(licence) for licence in allowed}
    for row in rows:
        missing = [column for column in COLUMNS if row.get(column) is None]
        if missing:
            raise DataError(f"a row has no column {', '.join(missing)}: complete labels.csv and export it again")
        if row["split"] != "train" or row["label"] != "real":
            raise DataError(f"{row['path']} is labelled {row['split']}/{row['label']}: training takes real faces only")
        licence = row["licence"]
        if forbidden(licence) and _plain(licence) not in known:
            raise DataError(
                f"{row['path']} is under the licence {licence!r}, which forbids training on it: take it out of "
                f"labels.csv, or name the licence with --allow-licence if you hold the rights"
            )


def learnt_despite(rows: Sequence[Mapping[str, str]]) -> str:
    """Say for a model card which rows were learnt from although their licence forbids it; empty when there are none."""
    files: dict[str, int] = {}
    for row in rows:
        if forbidden(row["licence"]):
            files[row["licence"]] = files.get(row["licence"], 0) + 1
    if not files:
        return ""
    counted = "; ".join(f"{licence or 'no licence'}: {count} files" for licence, count in sorted(files.items()))
    return f"**Learnt from material whose licence does not allow it, on the trainer's word: {counted}.**\n"


def _plain(licence: str) -> str:
    return " ".join(licence.lower().split())
