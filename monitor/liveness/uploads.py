# SPDX-License-Identifier: Apache-2.0
"""Crops of single faces in, one batch where the network reads it out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["Uploads"]

TURNS = 2


@dataclass(frozen=True, slots=True)
class _Turn:
    host: Tensor
    device: Tensor
    arrived: torch.cuda.Event
    taken: torch.cuda.Event


class Uploads:
    """Fills uint8 batches of at most `rows` crops of `side_px`.

    On a GPU through pinned memory and a stream of its own, in two turns: one batch travels while the network is at the
    one before and the processor fills the next.
    """

    def __init__(self, rows: int, side_px: int, device: torch.device) -> None:
        self._turns: list[_Turn] = []
        if device.type == "cuda":
            self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
            shape = (rows, side_px, side_px, 3)
            self._turns = [_turn(shape, device) for _ in range(TURNS)]

    def fill(self, batch: Tensor, crops: Sequence[NDArray[np.uint8]]) -> None:
        """Put the crops into `batch` uint8 [B, S, S, 3]; work queued on the device after this finds them there."""
        if not self._turns:
            np.stack(crops, out=batch.numpy())
            return
        turn = self._turns.pop(0)
        self._turns.append(turn)
        turn.arrived.synchronize()
        count = len(crops)
        np.stack(crops, out=turn.host[:count].numpy())
        with torch.cuda.stream(self._stream):
            self._stream.wait_event(turn.taken)
            turn.device[:count].copy_(turn.host[:count], non_blocking=True)
            turn.arrived.record(self._stream)
        now = torch.cuda.current_stream(batch.device)
        now.wait_event(turn.arrived)
        batch.copy_(turn.device[:count])
        turn.taken.record(now)


def _turn(shape: tuple[int, ...], device: torch.device) -> _Turn:
    return _Turn(
        host=torch.empty(shape, dtype=torch.uint8, pin_memory=True),
        device=torch.empty(shape, dtype=torch.uint8, device=device),
        arrived=torch.cuda.Event(),  # type: ignore[no-untyped-call]
        taken=torch.cuda.Event(),  # type: ignore[no-untyped-call]
    )
