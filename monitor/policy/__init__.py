# SPDX-License-Identifier: Apache-2.0
"""Evidence in, verdicts out; pure, no clock, no I/O."""
