# SPDX-License-Identifier: Apache-2.0
"""Independent cues beside the network, one per file."""
