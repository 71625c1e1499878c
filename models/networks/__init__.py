# SPDX-License-Identifier: Apache-2.0
"""Network architectures, one per file."""
