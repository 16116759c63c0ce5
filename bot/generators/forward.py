"""The forward pass of GPT-2 for decoding, in as few PyTorch calls as it takes.

For a model this small the time of `GPT2LMHeadModel` is mostly Python and bookkeeping, not
arithmetic; the same sums without them run several times faster. All rows of a batch stand at the
same position. Knows nothing about tokens, prompts or constraints.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class FastGPT2:
    """Decodes with the weights of a GPT2LMHeadModel; holds the keys and values of one batch."""

    def __init__(self, model: Any) -> None:
        """Takes a GPT2LMHeadModel in eval mode, float32."""
        from transformers.activations import ACT2FN  # noqa: PLC0415

        config = model.config
        body = model.transformer
        self.context = int(config.n_positions)
        self._heads = int(config.n_head)
        self._width = int(config.n_embd)
        self._epsilon = float(config.layer_norm_epsilon)
        self._activation = ACT2FN[config.activation_function]
        self._tokens = body.wte.weight.detach()  # (V, C)
        self._positions = body.wpe.weight.detach()  # (P, C)
        self._head = model.lm_head.weight.detach().t().contiguous()  # (C, V)
        self._last_norm = _pair(body.ln_f)
        self._layers = [
            tuple(
                _pair(part)
                for part in (
                    block.ln_1, block.attn.c_attn, block.attn.c_proj,
                    block.ln_2, block.mlp.c_fc, block.mlp.c_proj,
                )
            )
            for block in body.h
        ]  # fmt: skip
        size = self._width // self._heads
        scale = size**-0.5 if config.scale_attn_weights else 1.0
        by_layer = config.scale_attn_by_inverse_layer_idx
        self._scales = [scale / (n + 1) if by_layer else scale for n in range(len(self._layers))]
        self._keys: list[Any] = []
        self._values: list[Any] = []
        self._at = 0

    def start(self, prompt: Sequence[int], *, rows: int, room: int) -> Any:
        """Reads one prompt for `rows` equal rows; returns logits (rows, V) of what follows.

        `room` is the number of steps that may be taken; prompt and room must fit the context.
        """
        import torch  # noqa: PLC0415

        size = self._width // self._heads
        length = len(prompt)
        self._at = 0
        self._keys = [torch.empty(1, self._heads, length, size) for _ in self._layers]
        self._values = [torch.empty(1, self._heads, length, size) for _ in self._layers]
        logits = self._forward(torch.tensor([list(prompt)]))  # (1, V)
        for held in (self._keys, self._values):
            for number, one in enumerate(held):
                held[number] = torch.empty(rows, self._heads, length + room, size)
                held[number][:, :, :length] = one
        return logits.repeat(rows, 1)

    def keep(self, rows: Sequence[int]) -> None:
        """Drops all rows but these."""
        import torch  # noqa: PLC0415

        kept = torch.tensor(list(rows))
        self._keys = [keys[kept] for keys in self._keys]
        self._values = [values[kept] for values in self._values]

    def step(self, tokens: Sequence[int]) -> Any:
        """Appends one token to each row; returns logits (rows, V) of what follows."""
        import torch  # noqa: PLC0415

        return self._forward(torch.tensor(list(tokens))[:, None])

    def _forward(self, tokens: Any) -> Any:
        from torch import addmm, cat  # noqa: PLC0415
        from torch.nn.functional import (  # noqa: PLC0415
            embedding,
            layer_norm,
            scaled_dot_product_attention,
        )

        rows, length = tokens.shape
        width, heads, size = self._width, self._heads, self._width // self._heads
        end = self._at + length
        x = embedding(tokens, self._tokens) + self._positions[self._at : end]  # (B, T, C)
        x = x.view(rows * length, width)
        shape = (width,)
        for number, (norm, attend, project, norm_2, widen, narrow) in enumerate(self._layers):
            h = addmm(attend[1], layer_norm(x, shape, *norm, self._epsilon), attend[0])
            query, key, value = (
                part.view(rows, length, heads, size).transpose(1, 2)  # (B, H, T, D)
                for part in h.chunk(3, dim=1)
            )
            keys, values = self._keys[number], self._values[number]
            keys[:, :, self._at : end] = key
            values[:, :, self._at : end] = value
            h = scaled_dot_product_attention(
                query, keys[:, :, :end], values[:, :, :end],
                is_causal=length > 1, scale=self._scales[number],
            )  # fmt: skip
            h = h.transpose(1, 2).reshape(rows * length, width)
            x = x + addmm(project[1], h, project[0])
            h = addmm(widen[1], layer_norm(x, shape, *norm_2, self._epsilon), widen[0])
            x = x + addmm(narrow[1], self._activation(h), narrow[0])
        self._at = end
        last = x.view(rows, length, width)[:, -1]
        last = layer_norm(last, shape, *self._last_norm, self._epsilon)
        # row by row: for four rows the matrix product takes six times as long as four of one row
        return cat([row[None] @ self._head for row in last])  # (B, V)


def _pair(part: Any) -> tuple[Any, Any]:
    return part.weight.detach(), part.bias.detach()
