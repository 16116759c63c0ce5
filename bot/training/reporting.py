"""How a training is getting on: its log, its losses on what it does not see, slot error, and the model
as it stands.

Knows nothing about how a step is taken.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.training import curves
from bot.training import tokenizer as bpe
from bot.training.batching import batches, encode, loss_of
from bot.training.checkpoint import Progress, export
from bot.training.examples import HOUSE, Example
from bot.training.validation import slot_error

if TYPE_CHECKING:
    from bot.training.trainer import Plan

LOG, BEST, LATEST = "log.jsonl", "best", "latest"


class Log:
    """Appends each record to a JSON-lines file, and prints it where that is wanted."""

    def __init__(self, path: Path, *, printed: bool = True) -> None:
        self.path = path
        self._printed = printed

    def rewind(self, step: int) -> None:
        """Drops what a killed training wrote after its last state, half a line too."""
        if self.path.exists():
            lines = self.path.read_bytes().split(b"\n")[:-1]
            kept = [line for line in lines if json.loads(line)["step"] <= step]
            self.path.write_bytes(b"".join(line + b"\n" for line in kept))

    def __call__(self, **record: Any) -> None:
        line = json.dumps(record, ensure_ascii=False)
        if self._printed:
            print(line, flush=True)
        with self.path.open("a", encoding="utf-8") as out:
            out.write(line + "\n")


class Reporter:
    """Measures the model on the validation examples and keeps the best of them, and the latest."""

    def __init__(
        self,
        plan: Plan,
        out: Path,
        model: Any,
        tokenizer: Any,
        held: Sequence[Example],
        *,
        printed: bool = True,
    ) -> None:
        self._plan, self._out, self._model, self._tokenizer = plan, out, model, tokenizer
        self._held = held
        self._probes = _probes(held, plan)
        most = int(model.config.n_positions)
        parts = {
            "house": [e for e in held if e.source == HOUSE],
            "base": [e for e in held if e.source != HOUSE],
        }
        self._parts = {
            name: encode(part, tokenizer, most=most) for name, part in parts.items() if part
        }
        self.log = Log(out / LOG, printed=printed)
        self.stalled = (
            False  # whether the last `plan.patience` reports were all worse than one before
        )

    def begin(self, progress: Progress, *, train: int) -> None:
        """Notes what the training begins with, or from where it goes on."""
        self.log.rewind(progress.step)
        self.stalled = self._stalled()
        replies = [e.reply for e in self._held]
        self.log(
            event="start",
            parameters=sum(p.numel() for p in self._model.parameters()),
            trained=sum(p.numel() for p in self._model.parameters() if p.requires_grad),
            train=train,
            valid=sum(map(len, self._parts.values())),
            vocabulary=self._tokenizer.get_vocab_size(),
            step=progress.step,
            tokens_per_chinese_character=round(
                bpe.tokens_per_character(self._tokenizer, replies), 3
            ),
        )

    def _stalled(self) -> bool:
        if self._plan.patience is None or not self.log.path.exists():
            return False
        losses = [record["valid_loss"] for record in curves.reports(self.log.path)]
        return bool(losses) and len(losses) - 1 - losses.index(min(losses)) >= self._plan.patience

    def report(self, progress: Progress, running: Sequence[float]) -> None:
        """Measures, and writes the log, the curves and the model. `running` are the losses since the
        last report. Where a shop's own pairs are watched their loss decides which model is the best."""
        self._model.eval()
        losses = {
            name: round(validation_loss(self._model, rows, self._plan, self._pad), 4)
            for name, rows in self._parts.items()
        }
        loss = next(iter(losses.values()), 0.0)
        before = [one["valid_loss"] for one in curves.reports(self.log.path) if one["step"] < progress.step]  # fmt: skip
        self.log(
            event="report",
            step=progress.step,
            epoch=progress.epoch,
            minutes=round(progress.seconds / 60, 1),
            tokens=progress.tokens,
            train_loss=round(sum(running) / max(1, len(running)), 4),
            valid_loss=loss,
            **({"valid_losses": losses} if len(losses) > 1 else {}),
            tokens_per_second=round(progress.tokens / max(1.0, progress.seconds)),
            **_probed(self._model, self._tokenizer, self._probes),
        )
        export(self._model, self._tokenizer, self._out / LATEST)
        if loss <= min(before, default=loss) or not (self._out / BEST).exists():
            export(self._model, self._tokenizer, self._out / BEST)
        curves.draw(self.log.path, self._out / "curves.png")
        self.stalled = self._stalled()
        self._model.train()

    @property
    def _pad(self) -> int:
        return int(self._tokenizer.token_to_id(bpe.END))


def validation_loss(model: Any, rows: Sequence[Any], plan: Plan, pad: int) -> float:
    """Returns the mean loss per reply token."""
    import torch

    total, count = 0.0, 0
    with torch.inference_mode():
        for batch in batches(rows, tokens=plan.batch_tokens, seed="validation"):
            loss, tokens = loss_of(model, batch, pad)
            total, count = total + loss.item() * tokens, count + tokens
    return total / max(1, count)


def _probes(held: Sequence[Example], plan: Plan) -> dict[str, list[Example]]:
    """Draws the prompts that slot error is reported on: our own per language, and service talk."""
    rng = random.Random(plan.seed)
    parts: dict[str, list[Example]] = {}
    for example in held:
        own = example.source == "phrasings"
        parts.setdefault(example.language if own else example.source, []).append(example)
    return {name: rng.sample(part, min(plan.probe, len(part))) for name, part in parts.items()}


def _probed(model: Any, tokenizer: Any, probes: dict[str, list[Example]]) -> dict[str, Any]:
    """Returns slot error of each part of the probe, and some of the greedy texts."""
    figures, samples = {}, []
    for name, probe in probes.items():
        errors, written = slot_error(model, tokenizer, probe)
        figures[name] = {key: round(value, 4) for key, value in errors.items()}
        some = list(zip(probe, written, strict=True))[:4]
        samples += [{"prompt": example.prompt, "text": w.text} for example, w in some]
    return {"slot_error": figures, "samples": samples}
