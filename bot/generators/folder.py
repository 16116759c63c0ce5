"""A GPT-2 folder as every runtime of it reads it: its tokenizer, the prompt it is told, its limits.

A model is told only what it was taught: no hints or tones of a later prompt format, no act of a
later list. Knows nothing about weights, decoding or verification.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.errors import ConfigError, GeneratorError, UntaughtError
from bot.generators.base import PhraseRequest
from bot.turn import Candidate
from prompts.acts import inventory, markers
from prompts.filling import Hint, Tone, prompt_of, readable, special_tokens

TEMPERATURE = 0.9
TOP_P = 0.9
TOP_K = 64
# our phrasings take up to 46 tokens without slots and 82 with thirteen; 32 cut one in thirty short
TOKENS_BASE, TOKENS_PER_SLOT = 52, 8
LONGEST_REPEAT = 8  # tokens; a run of this length may not be written twice in one text
END = "<|end|>"
APPROVED = (
    "approved.json"  # slot-marked texts that the shop's people taught the model word for word
)
LEARNED = (
    "learned.json"  # what a training of ours says of the model: its name, from what it learned
)
TONES_SINCE, HINTS_SINCE = 2, 3  # of `shopbot.format` in config.json


@dataclass(frozen=True, slots=True)
class Task:
    """What a request comes to: token ids of the prompt, of the markers given, of the longest text.

    `most` counts a text's tokens with its end; prompt and `most` fit the context.
    """

    slots: tuple[str, ...]
    prompt: tuple[int, ...]
    given: frozenset[int]
    most: int


class Gpt2Folder:
    """`config.json`, `model.safetensors` and a tokenizer, as `tokenizer.json` or in the old layout.

    Control words that the tokenizer lacks are added, so that any GPT-2 can be served and then
    fine-tuned. `name` is what `learned.json` calls it, else the folder's name, `version` the start of
    the weights' SHA-256, `learned` what that file says, empty where there is none, `rows` the word of each row of the embedding matrix, `ends` the tokens that end a text, and `never` those
    that no text may hold: control words, markers, pieces that could spell one, rows without a word.
    """

    def __init__(self, path: Path) -> None:
        """Reads everything but the weights. Raises ConfigError that names the remedy."""
        self.weights = path / "model.safetensors"
        if not self.weights.is_file() or not (path / "config.json").is_file():
            pickled = any(path.glob("*.bin"))
            hint = "; a .bin file holds Python code and is not read: save the model as safetensors"
            raise ConfigError(
                f"no GPT-2 in {path}: it needs config.json and model.safetensors; set "
                "generator.model to such a folder, or generator.kind to plain"
                + (hint if pickled else "")
            )
        self.path = path
        self.learned = _learned(path / LEARNED)
        self.name = str(self.learned.get("name", path.absolute().name))
        with self.weights.open("rb") as file:
            self.digest = hashlib.file_digest(file, "sha256").hexdigest()
        self.version = self.digest[:12]
        try:
            self.config: dict[str, Any] = json.loads((path / "config.json").read_bytes())
            kind = self.config.get("model_type", "gpt2")
            tokenizer = _tokenizer(path)
        except ConfigError:
            raise
        except Exception as error:  # of tokenizers' own, which derive from nothing else
            raise ConfigError(f"the model in {path} cannot be read: {error}") from error
        if kind != "gpt2":
            raise ConfigError(f"{path} holds a {kind}: set generator.model to a GPT-2 folder")
        known = inventory()
        taught = frozenset(tokenizer.get_vocab(with_added_tokens=True))
        tokenizer.add_special_tokens(special_tokens(list(known.acts), known.slots))
        self.tokenizer = tokenizer
        self.words: dict[str, int] = tokenizer.get_vocab(with_added_tokens=True)
        self.context = int(self.config.get("n_positions", 1024))
        rows = int(self.config.get("vocab_size", 50257))
        spelled = {row: word for word, row in self.words.items()}
        size = max(rows, max(spelled) + 1)
        self.rows = [spelled.get(row, f"<|row {row}|>") for row in range(size)]
        foreign = self.config.get("eos_token_id")  # none, one or several
        ends = {self.words[END], *(foreign if isinstance(foreign, list) else [foreign])}
        self.ends = sorted(end for end in ends if end is not None and end < size)
        spelling = {row for row, word in enumerate(self.rows) if "<" in word or ">" in word}
        self.never = frozenset(spelling - set(self.ends))
        # where a training of ours left no note, nothing is known of what the model was taught
        ours: dict[str, int] | None = self.config.get("shopbot")
        self._taught = taught if ours else None
        self._format = ours.get("format", 1) if ours else 1
        self.approved = _approved(path / APPROVED)

    def check_weights(self) -> None:
        """Raises ConfigError where the file of the weights is cut off or no such file, unloaded."""
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(self.weights, framework="numpy") as weights:
                weights.keys()
        except (OSError, SafetensorError) as error:
            raise ConfigError(
                f"the weights in {self.weights} cannot be read ({error}): copy the folder anew, or "
                "set generator.model to another"
            ) from error

    def task(self, request: PhraseRequest) -> Task:
        """Puts a request to the model. Raises UnknownActError, UntaughtError for what the model was
        never taught, and GeneratorError for what no model knows."""
        spec = inventory().act(request.act)
        if unknown := set(request.slots) - set(inventory().slots):
            raise GeneratorError(f"no slots {sorted(unknown)}; acts.toml lists the known ones")
        slots = [slot for slot in spec.slots if slot in request.slots]
        slots += [slot for slot in request.slots if slot not in spec.slots]
        needed = {f"<|{request.act}|>", *(f"<{slot}>" for slot in slots)}
        if self._taught is not None and (new := needed - self._taught):
            raise UntaughtError(f"{self.name} was not taught {sorted(new)}: train it anew")
        text = prompt_of(
            request.language,
            request.act,
            slots,
            request.message,
            tone=request.tone if self._reads_tone(request.tone) else "neutral",
            hints=self._readable(request.hints),
        )
        most = TOKENS_BASE + TOKENS_PER_SLOT * len(slots)
        prompt = self.tokenizer.encode(text).ids[-max(1, self.context - most) :]
        return Task(
            tuple(slots),
            tuple(prompt),
            frozenset(self.words[f"<{slot}>"] for slot in slots),
            min(most, self.context - len(prompt)),
        )

    def untaught(self) -> tuple[str, ...]:
        """The acts of today's list that this model was never taught; none where nothing is known."""
        if self._taught is None:
            return ()
        return tuple(act for act in inventory().acts if f"<|{act}|>" not in self._taught)

    def _reads_tone(self, tone: Tone) -> bool:
        """Whether a training of ours has taught the model this tone."""
        known = self._taught is not None and f"<|{tone}|>" in self._taught
        return known and self._format >= TONES_SINCE

    def _readable(self, hints: Mapping[str, Hint]) -> dict[str, Hint]:
        """Leaves out the hints that no training of ours has taught the model."""
        known = self._taught is not None and self._format >= HINTS_SINCE
        return readable(hints, self._taught or ()) if known else {}

    def candidates(
        self, texts: Iterable[tuple[Sequence[int], float]], slots: Sequence[str]
    ) -> list[Candidate]:
        """Returns the distinct texts, most slots said first, then likeliest.

        `texts` are tokens without their end, each with its mean log-probability per token.
        """
        found: dict[str, float] = {}
        for tokens, logprob in texts:
            text = self.tokenizer.decode(list(tokens), skip_special_tokens=False).strip()
            if text:
                found.setdefault(text, logprob)
        wanted = set(slots)
        candidates = [
            Candidate(text, logprob, approved=text in self.approved)
            for text, logprob in found.items()
        ]
        return sorted(candidates, key=lambda c: (len(wanted - set(markers(c.marked))), -c.logprob))


def _learned(file: Path) -> dict[str, Any]:
    """Reads what a training of ours left, empty where it is no model of ours. Raises ConfigError."""
    if not file.is_file():
        return {}
    try:
        learned = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{file} cannot be read ({error}): remove it, or copy it anew") from error
    if not isinstance(learned, dict) or learned.get("kind", "generator") != "generator":
        raise ConfigError(f"{file} describes no generator: name another folder")
    return learned


def _approved(file: Path) -> frozenset[str]:
    """Reads the approved texts of a folder, none where there is no list. Raises ConfigError."""
    if not file.is_file():
        return frozenset()
    try:
        texts = json.loads(file.read_text(encoding="utf-8"))
        return frozenset(map(str, texts)) if isinstance(texts, list) else frozenset()
    except (OSError, ValueError) as error:
        raise ConfigError(f"{file} cannot be read ({error}): remove it, or copy it anew") from error


def dice_of(request: PhraseRequest) -> random.Random:
    """Returns the random source of a request: equal requests draw equally."""
    return random.Random(f"{request.seed}/{request.attempt}/{request.act}")


def _tokenizer(folder: Path) -> Any:
    """Loads the byte-level BPE of a GPT-2 folder in either of its two layouts."""
    from tokenizers import ByteLevelBPETokenizer, Tokenizer

    if (folder / "tokenizer.json").is_file():
        return Tokenizer.from_file(str(folder / "tokenizer.json"))
    pair = folder / "vocab.json", folder / "merges.txt"
    if not all(path.is_file() for path in pair):
        raise ConfigError(f"no tokenizer in {folder}: it needs tokenizer.json")
    return ByteLevelBPETokenizer(*map(str, pair))
