# SPDX-License-Identifier: Apache-2.0
"""Films in; how often something is told rightly or wrongly, how late, and at what cost, as tables, out."""
