# SPDX-License-Identifier: Apache-2.0
"""The ablation: variants differ in one thing, finished ones are not run again, the table compares like with like."""

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from models import ablate as command
from models.data.batches import Shape
from models.errors import DataError, WeightsError
from models.evaluation.ablation import Outcome, ablation_table
from models.evaluation.predictions import Prediction
from models.forgeries.style import PLAIN
from models.learning.pool import Found
from models.learning.recipe import Recipe
from models.networks.stream import StreamNetwork
from models.tuning import StillDetector, as_detector, fresh_weights, gentle, read_weights, write_weights
from models.variants import FULL, chosen, variants
from tests.fakes.drawn_faces import drawn_footage, write_crops

SMALL = replace(Recipe(), crop_px=112, shapes=(Shape(2, 2, films=True),), held_out_share=0.5)
POOL = (Found("self_blend", PLAIN, 0.5, 0.5, 0.1, 1),)


def _lively() -> StreamNetwork:
    """A network that learnt nothing, but whose answer depends on the picture."""
    torch.manual_seed(3)
    network = StreamNetwork(112)
    for part in network.backbone.modules():
        if isinstance(part, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(part.weight)
    torch.nn.init.normal_(network.moving.weight, std=0.5)
    return network


def test_a_variant_differs_in_one_thing() -> None:
    """In exactly one field of the recipe, each in another way."""
    found = variants(Recipe(), POOL)
    for one in found:
        changed = [
            field.name for field in fields(Recipe) if getattr(one.recipe, field.name) != getattr(Recipe(), field.name)
        ]
        assert len(changed) == (0 if one.name == FULL else 1), one.name
    assert len({one.name for one in found}) == len(found)
    assert len({repr(one.recipe) for one in found}) == len(found)
    assert "with-contest" not in {one.name for one in variants(Recipe())}


def test_every_kind_can_be_left_out() -> None:
    """The kinds that are drawn at all, one by one."""
    names = {one.name: one.recipe for one in variants(Recipe())}
    for kind, share in Recipe().kinds:
        if share > 0:
            assert kind not in dict(names[f"without-{kind}"].kinds)


def test_the_full_recipe_is_always_run() -> None:
    """Without it there is nothing to compare with; an unknown name is refused with those there are."""
    found = variants(Recipe())
    assert [one.name for one in chosen(found, ["without-codec"])] == [FULL, "without-codec"]
    assert chosen(found, []) == list(found)
    with pytest.raises(DataError, match=r"nonsense; there are: full"):
        chosen(found, ["nonsense"])


def _said(shift: float) -> tuple[Prediction, ...]:
    rng = np.random.default_rng(1)
    return tuple(
        Prediction(f"val/{n}.mp4", "swap" if n % 2 else "real", "A" if n % 2 else "", f"p{n}", "r", "", "clean",
                   film=True, logits=(float(rng.normal()) + shift * (n % 2),), face_px=(90.0,), sharpness=(5.0,))
        for n in range(40)
    )  # fmt: skip


def test_the_table_gives_the_change_with_its_interval() -> None:
    """Compared with the full recipe over the same people: no change is exactly none."""
    full, worse = Outcome(FULL, "nothing", 0.8, 0.9, _said(2.0)), Outcome("less", "something", 0.7, 0.8, _said(0.0))
    same = Outcome("same", "nothing", 0.8, 0.9, _said(2.0))
    lines = ablation_table([full, worse, same]).splitlines()
    less = next(line for line in lines if line.startswith("| less"))
    assert "| -0." in less
    assert next(line for line in lines if line.startswith("| same")).endswith("| +0.000 [+0.000, +0.000] |")


def test_a_network_without_time_judges_frames_by_themselves() -> None:
    """Whatever came before makes no difference, as it was learnt."""
    network = _lively()
    crops = torch.randint(0, 256, (3, 112, 112, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    still = as_detector(network.state_dict(), replace(SMALL, temporal=False))
    assert isinstance(still, StillDetector)
    together = still.judge_clip(crops)
    alone = torch.cat([still.judge_clip(crops[index : index + 1]) for index in range(3)])
    torch.testing.assert_close(together, alone, atol=1e-3, rtol=1e-3)
    moving = as_detector(network.state_dict(), SMALL).judge_clip(crops)
    assert not torch.allclose(moving, together, atol=1e-2, rtol=1e-2)


def test_weights_come_back_and_foreign_files_are_refused(tmp_path: Path) -> None:
    """From .safetensors and from a checkpoint's averaged weights."""
    made = {"still.weight": torch.arange(6.0).view(2, 3), "still.bias": torch.ones(2)}
    write_weights(tmp_path / "a.safetensors", made)
    torch.save({"average": made}, tmp_path / "b.pt")
    for file in ("a.safetensors", "b.pt"):
        found = read_weights(tmp_path / file)
        assert found.keys() == made.keys()
        assert torch.equal(found["still.weight"], made["still.weight"])
    (tmp_path / "c.safetensors").write_bytes(b"nothing")
    torch.save({"network": {}}, tmp_path / "d.pt")
    for file in ("c.safetensors", "d.pt", "none.safetensors", "none.pt"):
        with pytest.raises(WeightsError, match="no weights to start from"):
            read_weights(tmp_path / file)
    with pytest.raises(WeightsError, match="another network"):
        as_detector(made, SMALL)


def test_every_variant_starts_alike() -> None:
    """What ImageNet does not give is drawn from the recipe's seed, not from what was drawn before."""
    torch.manual_seed(5)
    first, again = (fresh_weights(SMALL, lambda network: None) for _ in range(2))
    assert all(torch.equal(value, again[name]) for name, value in first.items())


def test_going_on_is_gentler() -> None:
    """Lower rates and a warm-up that leaves steps to learn in."""
    recipe = gentle(Recipe(), 50)
    assert recipe.steps == 50
    assert recipe.warm_up_steps <= 10
    assert recipe.head_rate < Recipe().head_rate
    assert gentle(Recipe(), 1).warm_up_steps == 1


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_an_ablation_runs_end_to_end_and_skips_what_is_done(tmp_path: Path, monkeypatch, capsys) -> None:
    """Two variants and their table; the next call adds one and leaves the others alone."""
    write_crops(tmp_path / "crops", [drawn_footage(3, seed) for seed in range(8)])
    fakes = [drawn_footage(2, n, label="swap", method="A", path=f"val/swap/{n}.mp4") for n in (20, 21)]
    write_crops(tmp_path / "crops", [*fakes, *(drawn_footage(2, n) for n in (30, 31))], "val")
    write_weights(tmp_path / "start.safetensors", StreamNetwork(112).state_dict())
    monkeypatch.setattr(command, "Recipe", lambda: SMALL)
    monkeypatch.setattr(command, "CHECKED", 1)
    start = ["--from", str(tmp_path / "start.safetensors"), "--steps", "1", "--workers", "0", "--conditions", "clean"]
    call = [str(tmp_path / "crops"), str(tmp_path / "run"), *start, "--only"]
    assert command.main([*call, "without-codec"]) == 0
    assert "| without-codec |" in capsys.readouterr().out
    played = []
    made = command.tune
    monkeypatch.setattr(command, "tune", lambda *given: played.append(given[1]) or made(*given))
    assert command.main([*call, "without-codec", "without-temporal"]) == 0
    assert [recipe.temporal for recipe in played] == [False]
    assert (tmp_path / "run" / "ablation.md").read_text() == capsys.readouterr().out
    assert command.main([*call, "nonsense"]) == 1
    assert "no variant is named nonsense" in capsys.readouterr().err.replace("\n", " ")
