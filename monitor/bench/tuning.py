# SPDX-License-Identifier: Apache-2.0
"""Settings in; a table of the ways to run the network here, and settings to paste, out."""

import asyncio
import os
from collections.abc import Mapping, Sequence
from typing import Final

from rich.table import Table

from monitor import assets
from monitor.bench.faces import CLIP, faces
from monitor.config import Settings
from monitor.liveness.catalog import crop_px
from monitor.liveness.tuning import BATCHES, Trial, advice, trials
from monitor.terminal import out, styled

__all__ = ["tune"]

LOOKS: Final = 16
TRACKS: Final = 2
THREADS: Final = (1, 2)


async def tune(settings: Settings, *, json: bool, seconds: float = 1.0) -> int:
    """Try every way on real faces, each figure for so many seconds; print, write nothing; returns 0.

    Raises AssetError without the clip or the face model, ModelError and DeviceError as the service does.
    """
    clip = assets.path(CLIP, settings.paths.cache)
    shots = await faces(settings, clip, crop_px(settings.liveness.model), LOOKS * TRACKS)
    looks = shots[: len(shots) // TRACKS * TRACKS].reshape(TRACKS, -1, *shots.shape[1:]).swapaxes(0, 1).copy()
    threads = [count for count in THREADS if count <= (os.cpu_count() or 1)]
    tried = await asyncio.to_thread(
        lambda: list(trials(settings.liveness, looks, threads=threads, batches=BATCHES, seconds=seconds))
    )
    chosen = advice(tried)
    if json:
        out({"trials": [trial._asdict() for trial in tried], "liveness": chosen})
        return 0
    styled().print(_table(tried))
    out(snippet(chosen))
    return 0


def snippet(chosen: Mapping[str, object]) -> str:
    """The settings as YAML to paste into the configuration."""
    return "\n".join(["liveness:", *(f"  {key}: {value}" for key, value in chosen.items())])


def _table(tried: Sequence[Trial]) -> Table:
    table = Table(title="milliseconds per face looked at: of a core, or of the GPU")
    heads = ("way", "threads", *(f"{batch} a step" for batch in BATCHES), "logits off", "")
    for head in heads:
        table.add_column(head, justify="left" if head in {"way", ""} else "right")
    for trial in tried:
        table.add_row(*_cells(trial))
    return table


def _cells(trial: Trial) -> tuple[str, ...]:
    if trial.absent:
        return (trial.way, str(trial.threads), *("–" for _ in BATCHES), "–", trial.absent)
    verdict = "" if trial.allowed else "judges otherwise" if trial.settings else "cannot be chosen"
    costs = (f"{trial.ms[batch]:.2f}" for batch in BATCHES)
    return (trial.way, str(trial.threads), *costs, f"{trial.off or 0.0:.2g}", verdict)
