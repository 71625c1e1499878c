# SPDX-License-Identifier: Apache-2.0
"""A detector in, the same detector with its network compiled by torch for this processor out."""

import os
import shutil
from dataclasses import replace
from typing import Final, cast

import torch

from models.detector import Detector
from models.networks.stream import StreamNetwork

__all__ = ["can_compile", "compiled"]

COMPILER: Final = "g++"
"""What torch calls unless the environment's CXX names another (torch._inductor.config.cpp.cxx)."""


def can_compile() -> bool:
    """Whether there is the C++ compiler that torch would call."""
    return shutil.which(os.environ.get("CXX", COMPILER)) is not None


def compiled(detector: Detector) -> Detector:
    """The same detector, whose first step of each number of crops compiles the network for that number.

    That takes half a minute and more of a core, and raises RuntimeError where the compiler fails. Weights are laid out
    once for the processor.
    """
    network = torch.compile(detector.network, dynamic=False, options={"freezing": True, "compile_threads": 1})
    return replace(detector, network=cast("StreamNetwork", network))
