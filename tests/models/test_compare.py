# SPDX-License-Identifier: Apache-2.0
"""Two models are compared on the same films and the same draws of people."""

from pathlib import Path

import numpy as np
import pytest

from models.compare import common, compared, main
from models.errors import DataError
from models.evaluation.predictions import Prediction, write_predictions


def _film(number: int, label: str, score: float, **fields: object) -> Prediction:
    given = {
        "path": f"val/{label}/{number}.mp4", "label": label, "method": "", "identity": f"{label}:{number}",
        "repo": "drawn", "pair": "", "condition": "clean", "film": True, "logits": (score,), "face_px": (90.0,),
        "sharpness": (9.0,),
    }  # fmt: skip
    return Prediction(**(given | fields))  # type: ignore[arg-type]


def _said(shift: float, seed: int = 1) -> list[Prediction]:
    """Twenty bona fide films and twenty swaps that lie `shift` higher; the noise of a film is the same every time."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(0.0, 1.0, 40)
    reals = [_film(number, "real", float(noise[number])) for number in range(20)]
    return reals + [_film(number, "swap", float(noise[20 + number] + shift)) for number in range(20)]


def test_a_better_model_is_called_better_and_a_worse_one_worse() -> None:
    """Whichever comes first; the gain's interval leaves out zero."""
    weak, strong = _said(0.2), _said(2.5)
    assert "| better |" in compared(weak, strong)
    assert "| worse |" in compared(strong, weak)


def test_the_same_model_twice_differs_by_nothing_at_all() -> None:
    """Pairing: the draws are the same, so the interval is a point."""
    text = compared(_said(1.0), _said(1.0))
    assert "+0.000 [+0.000, +0.000]" in text
    assert "better" not in text
    assert "not to be told apart" in text


def test_noise_is_not_called_a_gain() -> None:
    """A model that scores every film otherwise, but no better."""
    assert "not to be told apart" in compared(_said(1.0, seed=1), _said(1.0, seed=2))


def test_only_films_that_both_judged_are_compared() -> None:
    """The other one may have abstained where it is hard; those are counted, and conditions are kept apart."""
    before = [*_said(1.0), _film(99, "swap", -9.0)]
    after = [*_said(1.0), _film(0, "swap", 5.0, condition="vp8")]
    first, second = common(before, after)
    assert [one.path for one in first] == [one.path for one in second]
    assert len(first) == 40
    text = compared(before, after)
    assert "left out: 2." in text
    assert "vp8" not in text


@pytest.mark.parametrize("kept", ["real", "swap", "neither"])
def test_nothing_to_compare_is_said(kept: str) -> None:
    """One class alone, or no film at all, gives no figure."""
    said = [one for one in _said(1.0) if one.label == kept]
    with pytest.raises(DataError):
        compared(said, said)


def test_the_command_reads_what_the_evaluation_wrote(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A table on stdout; for a file that is not there, one line on stderr and exit 1."""
    before, after = tmp_path / "before.jsonl", tmp_path / "after.jsonl"
    write_predictions(before, _said(0.5))
    write_predictions(after, _said(2.5))
    assert main([str(before), str(after)]) == 0
    assert "| mean of the labels |" in capsys.readouterr().out
    assert main([str(before), str(tmp_path / "none.jsonl")]) == 1
    assert "no comparison" in capsys.readouterr().err
