# SPDX-License-Identifier: Apache-2.0
"""Harmless treatments of real faces, labelled real: what cameras, light, glasses and beauty filters do."""

from models.forgeries.harmless.choice import TREATMENTS, Treatment, harmless

__all__ = ["TREATMENTS", "Treatment", "harmless"]
