# SPDX-License-Identifier: Apache-2.0
"""Short pieces of sound in, the English digit that was said in each out."""
