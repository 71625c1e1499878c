# SPDX-License-Identifier: Apache-2.0
"""What torch throws, by what a deployer can do about it."""

import pytest
import torch

from monitor.errors import DeviceLostError, DeviceMemoryError
from monitor.liveness.faults import named

FULL = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")


@pytest.mark.parametrize(
    "error",
    [
        torch.AcceleratorError("CUDA error: device-side assert triggered"),
        RuntimeError("CUDA error: unspecified launch failure"),
        RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"),
    ],
)
def test_errors_after_which_a_gpu_is_lost(error):
    """Whatever library says so."""
    with pytest.raises(DeviceLostError) as caught, named():
        raise error
    assert caught.value.__cause__ is error


def test_a_graph_that_finds_no_memory_while_it_is_recorded_lacks_memory():
    """Though the recording then ends with an error of its own."""

    def record() -> None:
        try:
            raise FULL
        finally:
            raise torch.AcceleratorError("CUDA error: operation failed due to a previous error during capture")

    with pytest.raises(DeviceMemoryError, match="Tried to allocate"), named():
        record()


@pytest.mark.parametrize("error", [RuntimeError("a bug"), ValueError("another")])
def test_bugs_pass_as_they_are(error):
    """They are not the device's."""
    with pytest.raises(type(error)) as caught, named():
        raise error
    assert caught.value is error
