# SPDX-License-Identifier: Apache-2.0
"""Sound chunks and mouths of one face in, how well the one follows the other out."""
