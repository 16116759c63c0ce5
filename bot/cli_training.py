"""The verbs of `shopbot` that train: `corpus build` and `finetune` a generator, `heads` what understands.

Knows nothing but how to read arguments and print results; heavy imports stand in the verbs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bot.errors import ConfigError

corpus_app = typer.Typer(help="The training corpus of the generator.", no_args_is_help=True)

Data = Annotated[Path | None, typer.Option(help="folder with public data sets; see docs/data.md")]


@corpus_app.command("build")
def corpus_build(
    out: Annotated[Path, typer.Option(help="folder for corpus.jsonl and its data card")] = Path(
        "var/corpus"
    ),
    data: Data = None,
    size: Annotated[int, typer.Option(min=100, help="training examples")] = 200_000,
    seed: int = 0,
) -> None:
    """Draw the training corpus; equal arguments give an equal file."""
    from bot.training import corpus, data_card, examples

    if data is not None and not data.is_dir():
        raise ConfigError(f"--data: no folder {data}")
    drawn = corpus.build(size=size, seed=seed, data=data)
    path = out / "corpus.jsonl"
    examples.write(drawn, path)
    card = data_card.card(drawn, path, seed=seed, public=data is not None)
    (out / "DATA_CARD.md").write_text(card, encoding="utf-8")
    typer.echo(f"{len(drawn)} examples in {path}, described in {out / 'DATA_CARD.md'}")


def finetune(
    out: Annotated[Path, typer.Option(help="folder of this training; run again to go on")],
    model: Annotated[
        Path | None, typer.Option(help="GPT-2 folder to start from; the shop's own by default")
    ] = None,
    from_scratch: Annotated[bool, typer.Option(help="start from random weights")] = False,
    corpus_file: Annotated[
        Path | None, typer.Option("--corpus", help="corpus.jsonl; drawn anew by default")
    ] = None,
    data: Data = None,
    size: Annotated[int, typer.Option(min=100, help="examples to draw")] = 200_000,
    minutes: Annotated[float, typer.Option(min=0.0, help="work time")] = 60.0,
    steps: Annotated[int | None, typer.Option(min=1, help="end after so many steps")] = None,
    layers: Annotated[int, typer.Option(min=1, help="with --from-scratch")] = 6,
    width: Annotated[int, typer.Option(min=8, help="with --from-scratch")] = 256,
    heads: Annotated[int, typer.Option(min=1, help="with --from-scratch")] = 4,
    peak: Annotated[float | None, typer.Option(help="highest learning rate")] = None,
    threads: Annotated[int, typer.Option(min=1)] = 2,
    report_every: Annotated[float, typer.Option(min=0.01, help="minutes")] = 8.0,
    seed: int = 0,
) -> None:
    """Train the generator: on from a model folder, or from nothing.

    The folder OUT/latest can be served (SHOPBOT_GENERATOR__MODEL) and judged
    (`shopbot evaluate generator --model OUT/latest`).
    """
    from bot.settings import load_settings
    from bot.training.checkpoint import knows_markers
    from bot.training.trainer import PEAK, Plan, train

    if from_scratch and model is not None:
        raise ConfigError("--from-scratch and --model exclude each other")
    start = None if from_scratch else model or Path(load_settings().generator.model)
    if start is not None and not (start / "config.json").is_file():
        raise ConfigError(f"no GPT-2 in {start}; name a model folder by --model, or --from-scratch")
    for name, path in (("--corpus", corpus_file), ("--data", data)):
        if path is not None and not path.exists():
            raise ConfigError(f"{name}: {path} does not exist")
    plan = Plan(
        minutes=minutes,
        steps=steps,
        size=size,
        layers=layers,
        width=width,
        heads=heads,
        peak=peak or (PEAK if from_scratch else PEAK / 2),
        threads=threads,
        report_every=report_every,
        seed=seed,
        start=start,
        curriculum="none" if start and knows_markers(start) else "drills",
    )
    train(plan, out, data=data, given=corpus_file)
    typer.echo(f"trained: {out / 'latest'}")


def heads(
    data: Annotated[Path, typer.Option(help="folder with public data sets; see docs/data.md")],
    out: Annotated[Path, typer.Option(help="folder for the heads")] = Path("var/heads"),
) -> None:
    """Fit what tells intents and insults: from the exemplars in prompts/intents and public sets.

    Takes a few minutes; equal inputs give equal heads. The shipped ones lie in bot/checkpoints/heads.
    """
    from bot.training.heads import fit_all
    from bot.understanding.heads import save
    from retrieval.embedders import MiniLmEmbedder

    if not (data / "intents-oos-clinc").is_dir():
        raise ConfigError(f"--data: {data} holds no intents-oos-clinc; see docs/data.md")
    for name, head in fit_all(data, MiniLmEmbedder().encode, told=typer.echo).items():
        save(head, out / f"{name}.npz")
    typer.echo(f"written: {out}")


def answering(
    data: Annotated[Path, typer.Option(help="folder with public data sets; see docs/data.md")],
    out: Annotated[Path, typer.Option(help="folder for the model")] = Path("var/answering"),
    threads: Annotated[int, typer.Option(min=1)] = 2,
) -> None:
    """Train what tells whether a text answers a question, in about 20 minutes on two cores.

    OUT can be served in the place of retrieval/checkpoints/answering.
    """
    import torch

    from bot.training import answering as training
    from bot.training.answer_pairs import unjudged_products
    from retrieval.answering import AnswerScorer

    if not (data / "product-qa").is_dir():
        raise ConfigError(f"--data: {data} holds no product-qa; see docs/data.md")
    torch.set_num_threads(threads)
    judged = training.all_judged(data)
    questions = unjudged_products(data, without=judged)
    typer.echo(f"{len(questions)} questions to learn from")
    model = training.train(questions, told=typer.echo)
    training.export(model, out, certain=0.0, doubtful=0.0)
    scorer = AnswerScorer(out)  # as served: in int8
    odds = [scorer.log_odds(q.question, q.texts) for q in judged]
    certain, doubtful = training.levels(judged, odds)
    training.export(model, out, certain=certain, doubtful=doubtful)
    typer.echo(f"trained: {out}")
