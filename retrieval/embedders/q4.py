"""Weights in four bits: blocks of 32 numbers share one scale. Knows nothing about models.

The layout is llama.cpp's Q4_0: weight = (nibble − 8) · scale, and byte j of a block holds number j
in its lower half and number j + 16 in its upper one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

BLOCK = 32


def pack(weights: npt.NDArray[Any]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float16]]:
    """Returns nibbles, shape (rows, columns / 2), and scales, shape (rows, columns / 32).

    What `unpack` gave comes back unchanged. Raises ValueError where columns are no whole blocks.
    """
    rows, columns = weights.shape
    if columns % BLOCK:
        raise ValueError(f"{columns} columns are no whole number of blocks of {BLOCK}")
    blocks = np.asarray(weights, np.float32).reshape(rows, columns // BLOCK, BLOCK)
    extreme = np.take_along_axis(blocks, np.abs(blocks).argmax(-1)[..., None], -1)[..., 0]
    scales = (extreme / -8.0).astype(np.float16)  # the largest number keeps its sign, as −8
    divisor = np.where(scales == 0, 1, scales).astype(np.float32)
    nibbles = np.clip(np.rint(blocks / divisor[..., None]) + 8, 0, 15).astype(np.uint8)
    packed = nibbles[..., : BLOCK // 2] | nibbles[..., BLOCK // 2 :] << 4
    return packed.reshape(rows, columns // 2), scales


def unpack(
    nibbles: npt.NDArray[np.uint8], scales: npt.NDArray[np.float16]
) -> npt.NDArray[np.float32]:
    """Returns the weights, shape (rows, columns). Raises ValueError where the shapes do not fit."""
    rows, count = scales.shape
    packed = nibbles.reshape(rows, count, BLOCK // 2)
    numbers = np.concatenate([packed & 15, packed >> 4], axis=-1).astype(np.float32) - 8.0
    return np.asarray(
        (numbers * scales.astype(np.float32)[..., None]).reshape(rows, count * BLOCK), np.float32
    )
