# SPDX-License-Identifier: Apache-2.0
"""Forgeries made from real faces, one kind per file."""
