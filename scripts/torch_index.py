# SPDX-License-Identifier: Apache-2.0
"""The machine in; the address of the small CPU build of torch out, or nothing.

PyPI's build for Linux brings gigabytes of CUDA. Nothing is printed, and that build taken, when a GPU is there
or when the address does not answer at once (offline, or behind a mirror that holds what it needs).
"""

import shutil
import sys
from urllib.error import URLError
from urllib.request import Request, urlopen

CPU_INDEX = "https://download.pytorch.org/whl/cpu"
PROBE_TIMEOUT_S = 5.0


def answers(address: str) -> bool:
    """Whether the index is reachable now."""
    try:
        with urlopen(Request(address + "/torch/", method="HEAD"), timeout=PROBE_TIMEOUT_S):  # noqa: S310 fixed address
            return True
    except (URLError, OSError):
        return False


if __name__ == "__main__" and sys.platform == "linux" and not shutil.which("nvidia-smi") and answers(CPU_INDEX):
    sys.stdout.write(CPU_INDEX)
