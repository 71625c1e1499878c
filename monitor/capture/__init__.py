# SPDX-License-Identifier: Apache-2.0
"""Call media in, few good frames out."""
