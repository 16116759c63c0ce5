from __future__ import annotations

import itertools
import json
import threading
from pathlib import Path
from typing import Any

import pytest

from bot.errors import ConfigError, GeneratorError
from bot.generators.base import PhraseRequest
from bot.generators.gpt2 import LONGEST_REPEAT, Gpt2Generator
from bot.training.checkpoint import export, new_model
from bot.training.tokenizer import train
from prompts.acts import inventory, markers
from prompts.filling import prompt_of

REQUEST = PhraseRequest("en", "price", ("title_1", "price_1"), "how much is it", k=4, seed=1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tokenizer = train(["It costs this much.", "这个多少钱"], vocabulary=500)
    path = tmp_path_factory.mktemp("models") / "tiny"
    export(new_model(tokenizer, layers=2, width=32, heads=2, seed=0), tokenizer, path)
    return path


@pytest.fixture(scope="module")
def tiny(folder: Path) -> Gpt2Generator:
    return Gpt2Generator(folder, seconds=60)


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A GPT-2 that has never heard of our control words, in the old two-file layout."""
    from tokenizers import ByteLevelBPETokenizer
    from transformers import GPT2Config, GPT2LMHeadModel

    path = tmp_path_factory.mktemp("models") / "foreign"
    path.mkdir()
    tokenizer = ByteLevelBPETokenizer()
    tokenizer.train_from_iterator(["a plain text"], 300, special_tokens=["<|endoftext|>"])
    tokenizer.save_model(str(path))
    size = tokenizer.get_vocab_size()
    config = GPT2Config(
        vocab_size=size, n_positions=256, n_layer=1, n_embd=16, n_head=2,
        bos_token_id=0, eos_token_id=0,
    )  # fmt: skip
    GPT2LMHeadModel(config).save_pretrained(path)
    return path


def test_that_random_weights_say_each_given_slot_at_most_once(tiny: Gpt2Generator) -> None:
    for candidate in tiny.phrase(REQUEST):
        assert set(markers(candidate.marked)) <= set(REQUEST.slots)
        assert len(markers(candidate.marked)) == len(set(markers(candidate.marked)))


def test_that_candidates_with_all_slots_come_first_then_the_likelier(tiny: Gpt2Generator) -> None:
    ranks = [
        (len(set(REQUEST.slots) - set(markers(c.marked))), -c.logprob) for c in tiny.phrase(REQUEST)
    ]
    assert ranks == sorted(ranks)
    assert all(minus_logprob > 0 for _, minus_logprob in ranks)


def test_that_a_retry_and_another_seed_write_other_texts(tiny: Gpt2Generator) -> None:
    def texts(**change: int) -> set[str]:
        values = {"attempt": 0, "seed": 1} | change
        request = PhraseRequest("en", "price", REQUEST.slots, "how much is it", 4, **values)
        return {candidate.marked for candidate in tiny.phrase(request)}

    assert texts() != texts(attempt=1)
    assert texts() != texts(seed=2)


def test_that_the_order_of_slots_in_a_request_does_not_matter(tiny: Gpt2Generator) -> None:
    turned = PhraseRequest("en", "price", ("price_1", "title_1"), "how much is it", 4, seed=1)
    assert tiny.phrase(turned) == tiny.phrase(REQUEST)


def test_that_greedy_decoding_with_a_cache_equals_decoding_without(folder: Path) -> None:
    import torch
    from tokenizers import Tokenizer
    from transformers import GPT2LMHeadModel

    (candidate,) = Gpt2Generator(folder, seconds=60).phrase(
        PhraseRequest("en", "greet", (), "hi", k=1)
    )
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    model = GPT2LMHeadModel.from_pretrained(folder, dtype=torch.float32)
    forbidden = [
        number for token, number in tokenizer.get_vocab().items() if "<" in token or ">" in token
    ]
    end = tokenizer.token_to_id("<|end|>")
    ids = tokenizer.encode(prompt_of("en", "greet", (), "hi")).ids
    written: list[int] = []
    total = 0.0
    while not written or written[-1] != end:
        with torch.inference_mode():
            logits = model(torch.tensor([ids + written])).logits[0, -1]
        scores = logits.log_softmax(-1)
        blocked = set(forbidden) - ({end} if written else set())
        for start in range(len(written) - LONGEST_REPEAT + 1):
            run = written[start : start + LONGEST_REPEAT]
            if run[:-1] == written[len(written) - LONGEST_REPEAT + 1 :]:
                blocked.add(run[-1])
        allowed = logits.clone()
        allowed[sorted(blocked)] = -torch.inf
        written.append(int(allowed.argmax()))
        total += float(scores[written[-1]])
        if len(written) > 32:
            break
    if written[-1] == end:
        assert tokenizer.decode(written[:-1]).strip() == candidate.marked
        assert candidate.logprob == pytest.approx(total / len(written), abs=1e-4)


@pytest.mark.parametrize("activation", ["gelu_new", "gelu_pytorch_tanh", "relu"])
@pytest.mark.parametrize("by_layer", [False, True])
def test_that_the_fast_forward_pass_equals_the_reference(activation: str, by_layer: bool) -> None:
    """Three rows go apart, the middle one is dropped; each must read its own past."""
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    from bot.generators.forward import FastGPT2

    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=50, n_positions=40, n_layer=3, n_embd=24, n_head=3, bos_token_id=0,
        eos_token_id=0, activation_function=activation, scale_attn_by_inverse_layer_idx=by_layer,
        initializer_range=0.3,
    )  # fmt: skip
    model = GPT2LMHeadModel(config).eval()
    fast = FastGPT2(model)
    texts = [[4, 9, 2, 30] for _ in range(3)]
    with torch.inference_mode():
        found = fast.start(texts[0], rows=3, room=6)
        for number in range(6):
            if number == 3:
                fast.keep([0, 2])
                del texts[1]
            tokens = [7 + number + 5 * row for row in range(len(texts))]
            found = fast.step(tokens)
            for text, token in zip(texts, tokens, strict=True):
                text.append(token)
            wanted = model(torch.tensor(texts)).logits[:, -1]
            assert torch.allclose(found, wanted, atol=1e-4)


def test_that_an_exhausted_time_budget_is_an_error(folder: Path) -> None:
    ticks = itertools.count(step=10.0)
    slow = Gpt2Generator(folder, seconds=5, clock=lambda: next(ticks))
    with pytest.raises(GeneratorError, match="finished no text within 5 s"):
        slow.phrase(REQUEST)


def test_that_waiting_for_another_request_counts_against_the_budget(folder: Path) -> None:
    """The first request halts between two tokens, where it looks at the clock."""
    inside, leave = threading.Event(), threading.Event()
    looks = itertools.count()

    def clock() -> float:
        if threading.current_thread() is first and next(looks) == 1:
            inside.set()
            leave.wait(30)
        return 0.0

    busy = Gpt2Generator(folder, seconds=0.05, clock=clock)
    first = threading.Thread(target=lambda: busy.phrase(REQUEST))
    first.start()
    assert inside.wait(30)
    with pytest.raises(GeneratorError, match="busy"):
        busy.phrase(REQUEST)
    leave.set()
    first.join()


def test_that_an_unknown_slot_is_an_error(tiny: Gpt2Generator) -> None:
    with pytest.raises(GeneratorError, match="title_9"):
        tiny.phrase(PhraseRequest("en", "price", ("title_9",)))


def test_that_an_over_long_message_still_fits_the_context(tiny: Gpt2Generator) -> None:
    assert tiny.phrase(PhraseRequest("zh", "greet", (), "很" * 4000, k=1))


def test_that_threads_share_one_generator_without_mixing_texts(tiny: Gpt2Generator) -> None:
    alone = tiny.phrase(REQUEST)
    found: list[Any] = []
    threads = [
        threading.Thread(target=lambda: found.append(tiny.phrase(REQUEST))) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [alone] * 3


def test_that_a_foreign_gpt2_is_served_with_our_words_added(foreign: Path) -> None:
    generator = Gpt2Generator(foreign, seconds=60)
    for candidate in generator.phrase(REQUEST):
        assert set(markers(candidate.marked)) <= set(REQUEST.slots)


def test_that_name_and_version_come_from_folder_and_weights(folder: Path, foreign: Path) -> None:
    one, other = Gpt2Generator(folder), Gpt2Generator(foreign)
    assert one.name == "tiny"
    assert one.version == Gpt2Generator(folder).version != other.version


def test_that_a_folder_without_a_model_names_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="generator.kind"):
        Gpt2Generator(tmp_path)


def test_that_broken_weights_are_a_configuration_error(folder: Path, tmp_path: Path) -> None:
    for name in ("config.json", "tokenizer.json"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    (tmp_path / "model.safetensors").write_bytes(b"not weights")
    with pytest.raises(ConfigError, match="cannot be read"):
        Gpt2Generator(tmp_path)


def test_that_an_exported_folder_is_half_precision_and_says_its_format(folder: Path) -> None:
    from safetensors import safe_open

    with safe_open(str(folder / "model.safetensors"), framework="pt") as weights:
        kinds = {str(weights.get_tensor(name).dtype) for name in weights.keys()}  # noqa: SIM118
    assert kinds == {"torch.float16"}
    config = json.loads((folder / "config.json").read_text())
    assert config["shopbot"]["acts"] == inventory().version
