"""A tiny GPT-2 folder with random weights that writes short texts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bot.training.checkpoint import export, new_model
from bot.training.tokenizer import train


def write_tiny(
    folder: Path, *, seed: int = 0, tied: bool = False, prefix: str = "transformer.", **config: Any
) -> Path:
    """Random weights that write short texts: the end is made likely. `prefix` begins the names of
    the tensors, `config` overrides the configuration."""
    import torch
    from safetensors.torch import load_file, save_file

    tokenizer = train(["It costs this much.", "这个多少钱"], vocabulary=500)
    model = new_model(tokenizer, layers=2, width=32, heads=2, seed=seed, tied=tied)
    with torch.no_grad():
        for name, value in model.named_parameters():
            if value.ndim > 1 and "lm_head" not in name:
                value.mul_(12.0)  # spreads what the layers say
        model.transformer.ln_f.bias.fill_(0.5)
        model.lm_head.weight[tokenizer.token_to_id("<|end|>")].fill_(0.12)
    export(model, tokenizer, folder)
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | config))
    tensors = load_file(str(folder / "model.safetensors"))
    named = {name.replace("transformer.", prefix): tensor for name, tensor in tensors.items()}
    save_file(named, str(folder / "model.safetensors"))
    return folder
