# SPDX-License-Identifier: Apache-2.0
"""Challenges a participant answers: what is asked, how the answer is measured, and what it says."""
