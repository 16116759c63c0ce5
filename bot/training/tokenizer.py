"""The byte-level BPE tokenizer of the generator, trained on the corpus.

Every marker, act and control word is one token, and no text is lost: an unseen character falls
back to its bytes. Knows nothing about models.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prompts.acts import inventory
from prompts.filling import special_tokens

if TYPE_CHECKING:
    from tokenizers import Tokenizer

VOCABULARY = 6144
MAX_TOKEN_BYTES = 12  # four Chinese characters: template sentences must not become one token
PAD, END = "<|pad|>", "<|end|>"


def control_words() -> list[str]:
    """Lists the control words of the current inventory, `<|pad|>` and `<|end|>` first."""
    known = inventory()
    return special_tokens(list(known.acts), known.slots)


def train(texts: Iterable[str], *, vocabulary: int = VOCABULARY) -> Tokenizer:
    """Trains a tokenizer of at most `vocabulary` tokens, control words included (ids from 0)."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers  # noqa: PLC0415

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=control_words(),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        max_token_length=MAX_TOKEN_BYTES,
        min_frequency=2,
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def load(path: Path) -> Any:
    """Loads a `tokenizer.json`."""
    from tokenizers import Tokenizer  # noqa: PLC0415

    return Tokenizer.from_file(str(path))


def of_folder(folder: Path) -> Any:
    """Loads the tokenizer of a GPT-2 folder, in either of its two layouts."""
    from tokenizers import ByteLevelBPETokenizer  # noqa: PLC0415

    if (folder / "tokenizer.json").is_file():
        return load(folder / "tokenizer.json")
    return ByteLevelBPETokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"))


def tokens_per_character(tokenizer: Any, texts: Iterable[str]) -> float:
    """Returns how many tokens one Chinese character costs on average (lower is better)."""
    tokens = characters = 0
    for text in texts:
        chinese = "".join(c for c in text if "\u4e00" <= c <= "\u9fff")
        tokens += len(tokenizer.encode(chinese).ids)
        characters += len(chinese)
    return tokens / max(1, characters)
