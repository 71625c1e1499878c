# SPDX-License-Identifier: Apache-2.0
"""Trained weights in, weights that were set against a searching forger out."""
