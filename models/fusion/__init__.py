# SPDX-License-Identifier: Apache-2.0
"""What the cues of a scan are worth, each and together."""
