# SPDX-License-Identifier: Apache-2.0
"""The service: call media in, verdicts and alerts out."""
