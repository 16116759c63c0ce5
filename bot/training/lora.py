"""Low-rank adapters beside a GPT-2's matrices, and the model with them added in.

Hu et al., arXiv 2106.09685. Fewer weights move, so less is forgotten and the state of a training is
smaller; what is served has no adapters. Knows nothing about data or schedules.
"""

from __future__ import annotations

from typing import Any

TARGETS = ("c_attn", "c_proj", "c_fc")


def adapt(model: Any, *, rank: int) -> None:
    """Puts adapters into `model`; they and the embeddings, which new words need, are trained."""
    from peft import LoraConfig, inject_adapter_in_model  # noqa: PLC0415

    config = LoraConfig(
        r=rank,
        lora_alpha=2 * rank,
        target_modules=list(TARGETS),
        fan_in_fan_out=True,  # GPT-2 keeps its matrices transposed
    )
    inject_adapter_in_model(config, model)
    model.transformer.wte.weight.requires_grad_(True)


def weights_of(model: Any) -> dict[str, Any]:
    """Returns the state of a GPT-2 under its own names, adapters added in where it has any."""
    state = {
        name.replace(".base_layer.", "."): tensor
        for name, tensor in model.state_dict().items()
        if "lora_" not in name
    }
    for name, module in model.named_modules():
        if hasattr(module, "lora_A"):
            state[f"{name}.weight"] = module.base_layer.weight + module.get_delta_weight("default")
    return state
