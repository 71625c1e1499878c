# SPDX-License-Identifier: Apache-2.0
"""Face tracks in, calibrated evidence out."""
