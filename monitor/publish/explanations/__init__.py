# SPDX-License-Identifier: Apache-2.0
"""Alerts and the worst looks of their faces in; what explains them, to people who ask, out."""
