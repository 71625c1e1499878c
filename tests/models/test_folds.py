# SPDX-License-Identifier: Apache-2.0
"""Leave-one-method-out folds: no figure rests on a person, method or source that its model learnt from."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models import folds as command
from models.data import open_pairs
from models.data.batches import FOREIGN, Shape
from models.data.crops import Footage
from models.data.excerpt import beginning, load_films
from models.data.making import Making
from models.data.open_fakes import everything, learnable, make_folds
from models.data.open_pairs import OpenStream, open_pair
from models.errors import DataError
from models.evaluation.folded import FoldRun, fold_gain, fold_table, merged
from models.evaluation.predictions import Prediction, read_predictions
from models.learning.loss import paired_loss
from models.learning.recipe import Recipe
from models.networks.stream import ATTACKS, StreamNetwork
from models.tuning import write_weights
from tests.fakes.drawn_faces import drawn_footage, write_crops

OPEN = ("MIT", "Apache-2.0", "CC BY-SA 4.0 (website template licence)")
CLOSED = ("none", "", "Apache-2.0 (clips from HDTF, academic demonstration)", "CC BY-SA 4.0; page says research only")
SMALL = replace(Recipe(), crop_px=112, shapes=(Shape(3, 2, films=True),), held_out_share=0.0)


def _row(number: int, **fields: str) -> dict[str, str]:
    label = fields.get("label", "swap")
    made = {"path": f"val/{label}/{number}.mp4", "split": "val", "label": label, "method": "A", "repo": "one",
            "identity": f"p{number}", "licence": "MIT", "pair": ""}  # fmt: skip
    return made | fields


def _said(row: dict[str, str], score: float) -> Prediction:
    return Prediction(row["path"], row["label"], row["method"], row["identity"], row["repo"], row["pair"], "clean",
                      film=True, logits=(score, score), face_px=(90.0, 90.0), sharpness=(5.0, 5.0))  # fmt: skip


ROWS = st.lists(
    st.builds(
        _row,
        st.integers(0, 10_000),
        label=st.sampled_from(["swap", "lipsync", "real", "replay"]),
        method=st.sampled_from(["A", "B", "PRNet swap", "triangulation swap"]),
        repo=st.sampled_from(["one", "two", "three", "four", "five"]),
        identity=st.sampled_from([f"p{number}" for number in range(12)]),
        licence=st.sampled_from([*OPEN, *CLOSED]),
    ),
    max_size=40,
    unique_by=lambda row: row["path"],
)


@given(rows=ROWS)
def test_what_a_fold_learns_it_never_judges(rows: list[dict[str, str]]) -> None:
    """Not the file, nor its person, nor its source, nor a variant of its method; and every lawful fake has a judge."""
    found = make_folds(rows)
    by_path = {row["path"]: row for row in rows}
    for fold in found:
        learnt = [by_path[path] for path in fold.paths]
        assert all(learnable(row) for row in learnt)
        for row in (row for row in rows if fold.unseen(row)):
            assert row["identity"] not in {one["identity"] for one in learnt}
            assert row["repo"] not in {one["repo"] for one in learnt}
            assert row["label"] == "real" or row["method"] not in {one["method"] for one in learnt}
    lawful = {row["path"] for row in rows if learnable(row)}
    assert everything(rows).paths == lawful
    for path in lawful:
        assert sum(fold.unseen(by_path[path]) for fold in found) >= 1
        assert sum(path not in fold.paths for fold in found) == 1


@pytest.mark.parametrize("licence", CLOSED)
def test_a_licence_that_forbids_training_is_not_learnt_from(licence: str) -> None:
    """Academic demonstration and research pages too; nor bona fide clips, nor pictures, nor training rows."""
    assert not learnable(_row(1, licence=licence))
    assert learnable(_row(1))
    assert not learnable(_row(1, label="real"))
    assert not learnable(_row(1, label="replay"))
    assert not learnable(_row(1, split="train"))
    assert not learnable(_row(1, path="val/swap/1.jpg"))


def test_variants_of_a_method_are_held_out_together() -> None:
    """Classic swaps of different courses are one family: a figure for one does not come from learning another."""
    rows = [
        _row(1, method="PRNet swap", repo="lawful"),
        _row(2, method="thin-plate-spline swap", repo="other course", licence="none"),
        _row(3, method="Z", repo="elsewhere", label="lipsync"),
    ]
    with_swaps = next(fold for fold in make_folds(rows) if rows[0]["path"] in fold.paths)
    assert not with_swaps.unseen(rows[1])
    assert with_swaps.unseen(rows[2])


@pytest.fixture
def people() -> list[Footage]:
    """Bona fide films and a portrait, as the training split has them."""
    return [*(drawn_footage(4, seed, repo=f"repo:{seed}") for seed in range(3)), drawn_footage(1, 9)]


def _fake(seed: int, **fields: str) -> Footage:
    row = _row(seed, **fields)
    return replace(drawn_footage(4, seed), row=row)


def test_an_open_pair_keeps_the_contract(people: list[Footage]) -> None:
    """Crops of the run-time size, an unknown boundary, the kind of attack; the same seed gives the same pair."""
    fake = _fake(50, label="lipsync")
    pair, again = (open_pair(fake, people[:3], 3, np.random.default_rng(4), Making()) for _ in range(2))
    assert pair.real.shape == pair.fake.shape == (3, 112, 112, 3)
    assert pair.boundary.shape == (3, 14, 14)
    assert pair.boundary.max() == 0
    assert pair.kind == FOREIGN + "lip_sync"
    assert (pair.real == again.real).all()
    assert (pair.fake == again.fake).all()
    with pytest.raises(DataError, match="bona fide films"):
        open_pair(fake, [], 3, np.random.default_rng(4), Making())


def test_a_partner_comes_from_the_same_source_where_there_is_one(monkeypatch: pytest.MonkeyPatch, people) -> None:
    """Otherwise what is learnt could be the source."""
    drawn = []
    monkeypatch.setattr(open_pairs, "draw_clip", lambda one, frames, rng: drawn.append(one) or one.clip([0] * frames))
    for seed in range(6):
        open_pair(_fake(60, repo="repo:1"), people[:3], 2, np.random.default_rng(seed), Making())
    assert {one.row["repo"] for one in drawn} == {"repo:1"}


def test_at_most_a_third_of_a_batch_is_foreign(people: list[Footage]) -> None:
    """The batch is as large as without; originals first, then forgeries; what is foreign is marked as such."""
    fakes = [_fake(70, method="A"), _fake(71, method="B", label="reenact")]
    recipe = replace(SMALL, shapes=(Shape(6, 2, films=True), Shape(2, 1, films=False)))
    stream = OpenStream(people, fakes, recipe, 3)
    batch, small = stream.batch(0), stream.batch(1)
    assert batch.clips.shape == (12, 2, 112, 112, 3)
    assert [kind.startswith(FOREIGN) for kind in batch.kinds] == [False] * 4 + [True] * 2
    assert batch.boundary.shape[0] == batch.attack.shape[0] == batch.quality.shape[0] == 6
    assert not batch.boundary[4:].any()
    for place in (4, 5):
        assert batch.kinds[place] == FOREIGN + ATTACKS[int(batch.attack[place])]
    assert len(small.kinds) == 2
    assert not any(kind.startswith(FOREIGN) for kind in small.kinds)
    assert (stream.batch(0).clips == batch.clips).all()


def test_a_foreign_boundary_costs_nothing(people: list[Footage]) -> None:
    """It is unknown: whatever the network says of it must not be held against it."""
    batch = OpenStream(people, [_fake(70)], SMALL, 3).batch(0)
    assert batch.kinds[2].startswith(FOREIGN)
    torch.manual_seed(0)
    network = StreamNetwork(112).eval()
    output, _ = network(batch.clips, network.new_state(6))
    bolder = output.boundary.clone()
    bolder[5] += 5.0
    before, after = (paired_loss(output._replace(boundary=one), batch, SMALL) for one in (output.boundary, bolder))
    assert float(before.boundary.detach()) == pytest.approx(float(after.boundary.detach()), rel=1e-5)


def test_a_fake_is_compared_only_by_models_that_know_neither() -> None:
    """The gain is over the same comparisons: a model that may not judge does not count, however well it does."""
    fake, real, other = _row(1), _row(2, label="real", method=""), _row(3, label="real", method="", repo="far")
    baseline = [_said(fake, 0.0), _said(real, 1.0), _said(other, 1.0)]
    better = {one.path: one for one in (_said(fake, 5.0), _said(real, 1.0))}
    unfit = {one.path: one for one in (_said(real, 9.0), _said(other, 9.0))}
    gain = fold_gain([FoldRun("x", better), FoldRun("y", unfit)], baseline[:1], baseline[1:])
    assert gain is not None
    assert (gain.without.value, gain.learnt.value, gain.gain.value) == (0.0, 1.0, 1.0)
    assert fold_gain([FoldRun("y", unfit)], baseline[:1], baseline[1:]) is None


def test_equal_models_gain_nothing() -> None:
    """Every interval of the gain is zero when the folds say what the baseline says."""
    rng = np.random.default_rng(0)
    rows = [_row(n, label="real" if n % 2 else "swap", method="" if n % 2 else "A") for n in range(20)]
    baseline = [_said(row, float(rng.normal())) for row in rows]
    same = FoldRun("x", {one.path: one for one in baseline})
    reals = [one for one in baseline if one.label == "real"]
    gain = fold_gain([same, same], [one for one in baseline if one.label != "real"], reals)
    assert gain is not None
    assert tuple(gain.gain) == (0.0, 0.0, 0.0)
    assert gain.without.low < gain.without.value < gain.without.high
    assert "| swap" in fold_table(baseline, [same])


def test_merging_averages_the_models_that_may_judge() -> None:
    """Logit by logit."""
    row = _row(1)
    runs = [
        FoldRun("x", {row["path"]: _said(row, 1.0)}),
        FoldRun("y", {row["path"]: _said(row, 4.0)}),
        FoldRun("z", {}),
    ]
    assert [one.logits for one in merged(runs)] == [(2.5, 2.5)]


def test_only_the_beginning_of_films_is_loaded(tmp_path: Path) -> None:
    """At least one frame; portraits and unwanted rows are left out."""
    footage = [drawn_footage(6, 1), drawn_footage(1, 2, path="train/portraits/2.jpg"), drawn_footage(6, 3)]
    write_crops(tmp_path, footage)
    loaded = load_films(tmp_path, "train", 0.35, 112, lambda row: row["identity"] != "person:3")
    assert [(one.identity, one.frames) for one in loaded] == [("person:1", 4)]
    assert beginning(footage[0], 0.0).frames == 1
    with pytest.raises(DataError, match="no film"):
        load_films(tmp_path, "train", 1.0, 112, lambda row: False)


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_folds_run_end_to_end_and_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    """Weights, predictions and tables of every fold; a second call reads them back and learns nothing."""
    write_crops(tmp_path / "crops", [drawn_footage(3, seed) for seed in range(4)])
    fakes = [_fake(80, repo="a", method="A"), _fake(81, repo="b", method="B", label="lipsync"),
             _fake(82, repo="c", method="C", licence="none")]  # fmt: skip
    reals = [replace(drawn_footage(3, n), row=_row(n, label="real", method="", repo=f"r{n}")) for n in (90, 91)]
    write_crops(tmp_path / "crops", [*fakes, *reals], "val")
    write_weights(tmp_path / "start.safetensors", StreamNetwork(112).state_dict())
    monkeypatch.setattr(command, "Recipe", lambda: SMALL)
    start = ["--from", str(tmp_path / "start.safetensors"), "--steps", "1", "--workers", "0", "--crop-px", "112"]
    call = [str(tmp_path / "crops"), str(tmp_path / "run"), *start, "--conditions", "clean", "--all"]
    assert command.main(call) == 0
    first = capsys.readouterr().out
    assert "fold-1 learns 1 fakes; held out: a" in first
    names = {file.name for file in (tmp_path / "run").iterdir()}
    assert {f"{name}.{end}" for name in ("baseline", "fold-1", "fold-2") for end in ("safetensors", "jsonl")} < names
    assert {"all.safetensors", "merged.jsonl", "folds.md"} < names
    assert {one.method for one in read_predictions(tmp_path / "run" / "merged.jsonl")} == {"", "A", "B", "C"}
    monkeypatch.setattr(command, "tune", lambda *_: pytest.fail("learnt again"))
    assert command.main(call) == 0
    assert capsys.readouterr().out == first


def test_one_source_alone_is_no_fold(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line says so."""
    write_crops(tmp_path, [_fake(80)], "val")
    assert command.main([str(tmp_path), str(tmp_path / "run"), "--from", "none.safetensors"]) == 1
    assert "nothing to leave out" in capsys.readouterr().err.replace("\n", " ")
