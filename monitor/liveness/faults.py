# SPDX-License-Identifier: Apache-2.0
"""What a device throws in, the errors that a deployer can act on out."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from monitor.errors import DeviceLostError, DeviceMemoryError

__all__ = ["named"]

LOST = ("CUDA error", "cuDNN error", "CUDNN_STATUS", "cuBLAS error", "CUBLAS_STATUS", "device-side assert")


@contextmanager
def named() -> Iterator[None]:
    """Raise DeviceMemoryError or DeviceLostError for what torch raises; all else passes as it is."""
    try:
        yield
    except RuntimeError as error:
        if (short := _short(error)) is not None:
            raise DeviceMemoryError(
                f"The GPU has no memory left: {_first_line(short)}",
                "Lower liveness.largest_step or liveness.max_tracks, or end what else uses the GPU.",
            ) from error
        if not _lost(error):
            raise
        raise DeviceLostError(
            f"The GPU failed and cannot be used again by this process: {_first_line(error)}",
            "Restart lifesign. Should it come again, look for Xid lines in the kernel's log, or set liveness.device.",
        ) from error


def _short(error: BaseException) -> torch.OutOfMemoryError | None:
    """The lack of memory behind an error: a graph that lacks it while it is recorded ends with another error."""
    if isinstance(error, torch.OutOfMemoryError):
        return error
    return error.__context__ if isinstance(error.__context__, torch.OutOfMemoryError) else None


def _lost(error: RuntimeError) -> bool:
    return isinstance(error, torch.AcceleratorError) or any(words in str(error) for words in LOST)


def _first_line(error: RuntimeError) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
