# SPDX-License-Identifier: Apache-2.0
"""The evidence of a scan and labels in, what each cue is worth and what all are together out, as Markdown.

`lifesign scan FOLDER --evidence > SCAN`, then `python -m models.fusion SCAN --labels labels.csv [--readme README.md]`.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rich.console import Console

from models.errors import ModelError
from models.evaluation.section import rewrite
from models.fusion.clips import read_clips
from models.fusion.table import report

__all__ = ["main"]

SECONDS: Final = 3.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables; exit 1 with one line on stderr when the input cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m models.fusion", description=__doc__)
    parser.add_argument("scan", type=Path, help="output of `lifesign scan --evidence`")
    parser.add_argument("--labels", type=Path, required=True, help="labels.csv of the footage that was scanned")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of every film; shorter ones are left out")
    parser.add_argument("--readme", type=Path, help="rewrite the section of this file between its cues markers")
    options = parser.parse_args(arguments)
    try:
        found = report(read_clips(options.scan, options.labels, options.seconds))
        if options.readme:
            rewrite(options.readme, "cues", found)
        sys.stdout.write(found)
    except ModelError as error:
        Console(stderr=True).print(f"the cues cannot be weighed: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
