# SPDX-License-Identifier: Apache-2.0
"""Settings in; what the service costs beside plain aiortc, and what losses do to it, as tables out."""
