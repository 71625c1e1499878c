# SPDX-License-Identifier: Apache-2.0
"""Pieces of 16 kHz sound on stdin, a JSON list of the digit in each on stdout; the program of a child process.

Its argument is the grammar that every piece is held to. Each piece is its length in bytes, 4 bytes little-endian, and
int16 samples. PocketSphinx (Huggins-Daines et al. 2006, ICASSP) holds the interpreter while it works and is C code that
reads what strangers said, so it works in a process that does nothing else. It imports nothing but the recogniser.
"""

import json
import sys
from pathlib import Path
from typing import Any, BinaryIO

from pocketsphinx import Decoder, get_model_path

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
HERE = Path(__file__).parent


def main() -> None:
    """Answer once and end."""
    decoder = _decoder(sys.argv[1])
    json.dump([_digit(decoder, piece) for piece in _pieces(sys.stdin.buffer)], sys.stdout)


def _decoder(grammar: str) -> Any:  # noqa: ANN401  # the package has no types
    return Decoder(
        hmm=get_model_path("en-us/en-us"),
        dict=str(HERE / "words.dict"),
        jsgf=str(HERE / f"{grammar}.gram"),
        lm=None,
        loglevel="FATAL",
    )


def _pieces(stream: BinaryIO) -> list[bytes]:
    pieces = []
    while head := stream.read(4):
        pieces.append(stream.read(int.from_bytes(head, "little")))
    return pieces


def _digit(decoder: Any, piece: bytes) -> int | None:  # noqa: ANN401
    if not piece:
        return None
    decoder.start_utt()
    decoder.process_raw(piece, full_utt=True)
    decoder.end_utt()
    said = decoder.hyp()
    words = [word.partition("(")[0] for word in said.hypstr.split()] if said else []
    return next((WORDS.index(word) for word in words if word in WORDS), None)


if __name__ == "__main__":
    main()
