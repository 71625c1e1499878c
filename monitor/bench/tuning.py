# SPDX-License-Identifier: Apache-2.0
"""Settings in; a table of the ways to run the network here, and settings to paste, out."""

import asyncio
import os
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Final

from rich.table import Table

from monitor import assets
from monitor.bench.faces import CLIP, faces
from monitor.config import Settings
from monitor.liveness.catalog import crop_px
from monitor.liveness.stand import CLOSE, Trial
from monitor.liveness.tuning import advice, trials
from monitor.terminal import out, say, styled

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
    tries = partial(trials, settings.liveness, looks, threads=threads, seconds=seconds, note=say)
    tried = await asyncio.to_thread(lambda: list(tries()))
    chosen = advice(tried)
    if json:
        out({"trials": [_document(trial) for trial in tried], "liveness": chosen})
        return 0
    console = styled()
    console.print(_table([trial for trial in tried if trial.off is not None]))
    for remark in dict.fromkeys(remark for trial in tried for remark in _remarks(trial)):
        console.print(remark)
    out(snippet(chosen))
    return 0


def snippet(chosen: Mapping[str, object]) -> str:
    """The settings as YAML to paste into the configuration."""
    return "\n".join(["liveness:", *(f"  {key}: {value}" for key, value in chosen.items())])


def _table(tried: Sequence[Trial]) -> Table:
    table = Table(title="milliseconds per face looked at: of a core, or of the GPU")
    for head in ("way", "threads", *(f"{batch} a step" for batch in tried[0].ms), "logits off"):
        table.add_column(head, justify="left" if head == "way" else "right")
    for trial in tried:
        costs = (f"{trial.ms[batch]:.2f}" if batch in trial.ms else "" for batch in tried[0].ms)
        table.add_row(trial.way, str(trial.threads), *costs, f"{trial.off:.2g}")
    return table


def _remarks(trial: Trial) -> Iterator[str]:
    """Why a way is not advised, if it cannot be, and what it took to compile."""
    if trial.absent:
        yield f"{trial.way} was not tried: it {trial.absent}."
    if trial.off is not None and trial.off > CLOSE:
        yield f"{trial.way} moves logits by more than {CLOSE:g}: it is not advised."
    if trial.compile_s:
        took = ", ".join(f"{seconds:.0f} s for steps of {batch}" for batch, seconds in trial.compile_s.items())
        yield f"{trial.way} was compiled first: {took}."


def _document(trial: Trial) -> dict[str, object]:
    return trial._asdict() | {"compile_s": dict(trial.compile_s)}
