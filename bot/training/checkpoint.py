"""Model folders of the generator (Hugging Face layout) and the state of a training that may go on.

Everything is safetensors and JSON, written beside its place and then renamed: a reader never meets
half a file. Knows nothing about data or schedules.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bot.training.lora import weights_of
from bot.training.tokenizer import END, PAD
from prompts.acts import inventory
from prompts.filling import FORMAT_VERSION

CONTEXT = 384


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a training stands: batches done in this epoch, all steps, seconds of work, tokens."""

    epoch: int = 0
    batch: int = 0
    step: int = 0
    seconds: float = 0.0
    tokens: int = 0


def new_model(
    tokenizer: Any, *, layers: int, width: int, heads: int, seed: int, tied: bool = True
) -> Any:
    """Returns a GPT2LMHeadModel with random weights for this tokenizer, float32."""
    import torch  # noqa: PLC0415
    from transformers import GPT2Config, GPT2LMHeadModel  # noqa: PLC0415

    torch.manual_seed(seed)
    end = tokenizer.token_to_id(END)
    config = GPT2Config(
        vocab_size=tokenizer.get_vocab_size(),
        n_positions=CONTEXT,
        n_layer=layers,
        n_embd=width,
        n_head=heads,
        # the same function as gelu_new, but one fused kernel instead of seven
        activation_function="gelu_pytorch_tanh",
        # one epoch of data leaves nothing to regularise, and drawing masks costs much time
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
        bos_token_id=end,
        eos_token_id=end,
        pad_token_id=tokenizer.token_to_id(PAD),
        tie_word_embeddings=tied,
    )
    config.shopbot = {"format": FORMAT_VERSION, "acts": inventory().version}
    return GPT2LMHeadModel(config)


def grown_model(folder: Path, tokenizer: Any, *, seed: int) -> Any:
    """Returns the GPT-2 of `folder`, float32, with rows for the words its tokenizer has gained."""
    import torch  # noqa: PLC0415
    from transformers import GPT2LMHeadModel  # noqa: PLC0415
    from transformers.utils import logging as reports  # noqa: PLC0415

    torch.manual_seed(seed)
    reports.disable_progress_bar()  # type: ignore[no-untyped-call]
    model: Any = GPT2LMHeadModel.from_pretrained(folder, local_files_only=True, dtype=torch.float32)
    if tokenizer.get_vocab_size() > model.config.vocab_size:
        model.resize_token_embeddings(tokenizer.get_vocab_size(), mean_resizing=False)
    model.config.shopbot = {"format": FORMAT_VERSION, "acts": inventory().version}
    return model


def knows_markers(folder: Path) -> bool:
    """Whether a training of ours has taught this model its markers."""
    return "shopbot" in json.loads((folder / "config.json").read_text(encoding="utf-8"))


def export(model: Any, tokenizer: Any, folder: Path) -> None:
    """Replaces `folder` by a servable one: float16 weights, `config.json`, `tokenizer.json`."""
    import torch  # noqa: PLC0415
    from safetensors.torch import save_file  # noqa: PLC0415

    fresh = folder.with_name(folder.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    tied = model.config.tie_word_embeddings
    weights = {
        name: tensor.detach().to(torch.float16).contiguous()
        for name, tensor in weights_of(model).items()
        if not (tied and name == "lm_head.weight")  # the same as transformer.wte.weight
    }
    save_file(weights, str(fresh / "model.safetensors"), metadata={"format": "pt"})
    config = model.config.to_dict() | {"architectures": ["GPT2LMHeadModel"], "dtype": "float16"}
    config["_name_or_path"] = ""  # where a training started from is nobody's path
    (fresh / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
    tokenizer.save(str(fresh / "tokenizer.json"))
    shutil.rmtree(folder, ignore_errors=True)
    fresh.rename(folder)


def save_state(model: Any, optimizer: Any, progress: Progress, path: Path) -> None:
    """Writes weights, both moments of AdamW and the progress into one file, atomically."""
    from safetensors.torch import save_file  # noqa: PLC0415

    tensors = {}
    for name, parameter in model.named_parameters():
        tensors[f"model.{name}"] = parameter.detach()
        for moment in ("exp_avg", "exp_avg_sq"):
            if moment in optimizer.state[parameter]:
                tensors[f"{moment}.{name}"] = optimizer.state[parameter][moment]
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".new")
    save_file(tensors, str(beside), metadata={"progress": json.dumps(asdict(progress))})
    os.replace(beside, path)


def load_state(model: Any, optimizer: Any, path: Path) -> Progress:
    """Restores what `save_state` wrote into `model` and `optimizer`; returns the progress."""
    import torch  # noqa: PLC0415
    from safetensors import safe_open  # noqa: PLC0415

    with safe_open(str(path), framework="pt") as stored:
        progress = Progress(**json.loads(stored.metadata()["progress"]))
        names = set(stored.keys())
        for name, parameter in model.named_parameters():
            with torch.no_grad():
                parameter.copy_(stored.get_tensor(f"model.{name}"))
            if f"exp_avg.{name}" in names:
                optimizer.state[parameter] = {
                    "step": torch.tensor(float(progress.step)),
                    "exp_avg": stored.get_tensor(f"exp_avg.{name}"),
                    "exp_avg_sq": stored.get_tensor(f"exp_avg_sq.{name}"),
                }
    return progress
