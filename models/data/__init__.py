# SPDX-License-Identifier: Apache-2.0
"""Exported face crops in, training batches out."""
