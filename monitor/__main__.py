# SPDX-License-Identifier: Apache-2.0
"""`python -m monitor` in; the command `lifesign` out."""

from monitor.cli import main

if __name__ == "__main__":
    main()
