# SPDX-License-Identifier: Apache-2.0
"""Pieces of sound that hold one English digit each in, the digits out: PocketSphinx held to a grammar of ten words.

Source: Huggins-Daines et al. 2006, ICASSP (PocketSphinx), and the US English acoustic model in its package (BSD). "Oh"
counts as zero. Pronunciations are those of the CMU dictionary (BSD). `python -m models.digits` prints how often it is
right.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from models.errors import RecogniserError

__all__ = ["RATE_HZ", "TIMEOUT_S", "WORDS", "installed", "recognise"]

RATE_HZ: Final = 16_000
WORDS: Final = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")

TIMEOUT_S: Final = 20.0
"""Six pieces of 2.5 s take half a second of a core; a busy machine is slower."""

LONGEST: Final = 10 * RATE_HZ
CHILD: Final = Path(__file__).with_name("child.py")


def installed() -> bool:
    """Whether there is a recogniser; it comes with the extra `speech`."""
    return find_spec("pocketsphinx") is not None


def recognise(
    pieces: Sequence[NDArray[np.int16]], timeout_s: float = TIMEOUT_S, grammar: Literal["one", "grid"] = "one"
) -> tuple[int | None, ...]:
    """The digit in each piece (int16 [n], 16 kHz mono, at most 10 s of it), None where there is none.

    `grammar` "one" holds each to one digit and nothing else, "grid" to a sentence of the GRID corpus, which has one.
    Blocks while a child process works, which is ended after `timeout_s`. A piece without speech may give any digit:
    ask a voice detector first. Raises RecogniserError when the child fails or is not installed.
    """
    given = b"".join(_framed(piece[:LONGEST]) for piece in pieces)
    try:
        # -P: modules beside the program, or where the service was started, are not taken for installed ones.
        command = [sys.executable, "-P", str(CHILD), grammar]
        done = subprocess.run(command, check=True, input=given, capture_output=True, timeout=timeout_s)  # noqa: S603
        said = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise RecogniserError(f"the speech recogniser gave no answer: {type(error).__name__}") from error
    if len(said) != len(pieces):
        raise RecogniserError("the speech recogniser did not answer for every piece of sound")
    return tuple(said)


def _framed(piece: NDArray[np.int16]) -> bytes:
    content = np.ascontiguousarray(piece, "<i2").tobytes()
    return len(content).to_bytes(4, "little") + content
