"""The verbs of `shopbot` that build a corpus and train what understands: `corpus build`, `heads`, `answering`.

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
