# SPDX-License-Identifier: Apache-2.0
"""What every command that learns is told in the same words: options in, threads set and people to learn from out."""

import argparse
import ctypes
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import cv2
import torch

from models.data.crops import Footage, load_footage
from models.data.people import split_people
from models.learning.recipe import Recipe

__all__ = ["add_options", "keep_memory", "set_threads", "training_people"]

M_TRIM_THRESHOLD: Final = -1
M_MMAP_MAX: Final = -4
"""Of glibc's malloc.h; mallopt(3)."""

NEVER: Final = 2**31 - 1


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say where and with what to learn: crop_px, device, threads, workers."""
    parser.add_argument("--crop-px", type=int, help="side of the crops, instead of the recipe's")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--threads", type=int, default=1, help="torch threads of the process that learns")
    parser.add_argument("--workers", type=int, default=1, help="processes that make the pairs; 0: the one that learns")


def set_threads(threads: int) -> None:
    """Set torch's threads, and none for OpenCV: a pool of threads would not survive the fork of the workers."""
    torch.set_num_threads(threads)
    cv2.setNumThreads(0)
    keep_memory()


def keep_memory() -> None:
    """Keep freed memory in the process, where the C library is glibc.

    A step of training frees and asks for the same gigabytes again; given back each time, every page of them is a fault.
    """
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_option is not None:
        set_option(M_MMAP_MAX, 0)
        set_option(M_TRIM_THRESHOLD, NEVER)


def training_people(crops: Path, recipe: Recipe, allowed: Sequence[str] = ()) -> tuple[list[Footage], list[Footage]]:
    """Footage of people to learn from, and of people held out, by the recipe; raises `DataError` as `load_footage`."""
    footage = load_footage(
        crops, "train", for_training=True, least_px=recipe.least_face_px, crop_px=recipe.crop_px, allowed=allowed
    )
    return split_people(footage, recipe.held_out_share)
