# SPDX-License-Identifier: Apache-2.0
"""Run the training of the generators as a command."""

import sys

from models.generators.train import main

if __name__ == "__main__":
    sys.exit(main())
