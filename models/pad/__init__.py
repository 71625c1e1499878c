# SPDX-License-Identifier: Apache-2.0
"""Presentation attack detection: one wide picture of a face in, how much it looks like a screen or a print out."""
