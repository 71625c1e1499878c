# SPDX-License-Identifier: Apache-2.0
"""Settings in, the device that judges and what loads a detector for it out."""

from functools import partial
from typing import Final

import torch

from models import twofold
from models.detector import Detector as Plain
from models.twofold import TwofoldDetector
from models.ways import KINDS
from monitor.config import LivenessSettings
from monitor.errors import DeviceError
from monitor.liveness.detector import Load

__all__ = ["device_in_turn", "load_model", "loader", "resolve_device"]

ACCELERATED: Final = {"auto": None, "torch": False, "onnx": True}


def resolve_device(name: str) -> str:
    """Turn `auto` into the device there is; raises DeviceError for one that is not there."""
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(1, device=name)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise DeviceError(
            f"liveness.device {name!r} cannot be used: {reason}", "Set liveness.device to auto or cpu."
        ) from error
    return name


def device_in_turn(name: str, number: int) -> str:
    """The device of one of several engines: the GPUs in turn, unless one of them is named; the same CPU for all.

    Raises as `resolve_device` does.
    """
    device = resolve_device(name)
    return f"cuda:{number % torch.cuda.device_count()}" if device == "cuda" else device


def loader(settings: LivenessSettings) -> Load:
    """What loads a model to be run as the settings say."""
    return partial(load_model, settings)


def load_model(settings: LivenessSettings, name: str, device: str) -> Plain | TwofoldDetector:
    """Load a model onto a device, to be run as the settings say; raises as `models.registry.load` does."""
    kind = KINDS.get(settings.precision) or (torch.float32 if device == "cpu" else torch.float16)
    return twofold.load(name, device, accelerated=ACCELERATED[settings.runtime], kind=kind)
