# SPDX-License-Identifier: Apache-2.0
"""The networks: how they are made, measured and loaded; knows nothing of the monitor."""
