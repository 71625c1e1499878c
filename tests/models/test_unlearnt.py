# SPDX-License-Identifier: Apache-2.0
"""Figures of weights leave out what the weights learnt from."""

from dataclasses import replace
from pathlib import Path

import pytest

from models.errors import DataError
from models.evaluation.predictions import Prediction
from models.evaluation.unlearnt import without_learnt

LABELS = """path,split,label,method,identity,repo,pair,licence
val/swap/open.mp4,val,swap,GHOST,a,one/page,,Apache-2.0
val/swap/closed.mp4,val,swap,GHOST,b,two/page,,none
val/real/open.mp4,val,real,,c,one/page,,Apache-2.0
"""
KNOWN = Prediction(
    path="val/swap/open.mp4",
    label="swap",
    method="GHOST",
    identity="a",
    repo="one/page",
    pair="",
    condition="clean",
    film=True,
    logits=(1.0,),
    face_px=(100.0,),
    sharpness=(9.0,),
)


def test_forgeries_that_may_be_learnt_from_are_left_out(tmp_path: Path) -> None:
    """Under whatever suffix; bona fide files and closed sources stay."""
    (tmp_path / "labels.csv").write_text(LABELS)
    names = ("val/swap/open.mp4", "val/swap/open.mkv", "val/swap/closed.mkv", "val/real/open.mp4")
    kept = without_learnt([replace(KNOWN, path=name) for name in names], tmp_path / "labels.csv")
    assert [one.path for one in kept] == ["val/swap/closed.mkv", "val/real/open.mp4"]


def test_labels_that_cannot_be_read_are_an_error(tmp_path: Path) -> None:
    """Nothing is reported as if nothing had been learnt."""
    with pytest.raises(DataError, match="cannot be read as labels"):
        without_learnt([KNOWN], tmp_path / "labels.csv")
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match="cannot be read as labels"):
        without_learnt([KNOWN], tmp_path / "other.csv")
