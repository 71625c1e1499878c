# SPDX-License-Identifier: Apache-2.0
"""What a training run consists of: recipe, loss, averaged weights, checkpoints."""
