# SPDX-License-Identifier: Apache-2.0
"""Judged footage in, honest figures out."""
