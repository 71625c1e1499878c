# SPDX-License-Identifier: Apache-2.0
"""Small generators of faces, learnt from real faces alone: their output is what the detector learns to see."""
