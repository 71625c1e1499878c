# SPDX-License-Identifier: Apache-2.0
"""What the service counts of itself in; how often to look, and whether another participant fits, out."""
