# SPDX-License-Identifier: Apache-2.0
"""Films of people who speak in, what a mouth should do to a sound out."""
