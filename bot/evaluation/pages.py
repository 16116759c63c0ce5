"""Writes pages from templates: texts side by side, and pairs to judge blindly.

Whatever models, corpora and shops wrote is escaped. Knows nothing about how texts were made.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bot.evaluation.generator import Said
from bot.evaluation.report import LANGUAGES, Measured

SHOWN = 60  # texts of one set and language on the page of samples


def samples(report: Mapping[str, Any], measured: Iterable[Measured]) -> str:
    """The page of side-by-side samples: what was to be said, the reference, each system's text."""
    sections = []
    for one in measured:
        for language, words in LANGUAGES.items():
            of_language = [
                row
                for row in zip(*one.said.values(), strict=True)
                if row[0].prompt.example.language == language
            ]
            if of_language:
                rows = _one_of_each_act_first(of_language)[:SHOWN]
                title = f"{one.prompts.name}: {words}"
                sections.append((title, language, list(one.said), rows))
    return render("samples.html", report=report, sections=sections)


def _one_of_each_act_first(rows: Sequence[tuple[Said, ...]]) -> list[tuple[Said, ...]]:
    seen: dict[str, int] = {}
    ranked = []
    for row in rows:
        act = row[0].prompt.example.act
        seen[act] = seen.get(act, 0) + 1
        ranked.append((seen[act], act, row))
    return [row for _, _, row in sorted(ranked, key=lambda r: r[:2])]


def render(template: str, **context: Any) -> str:
    """Fills a template of `pages/`; in `.html` every value is escaped, in `.txt` made harmless."""
    return _environment().get_template(template).render(**context)


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "pages"),
        autoescape=lambda name: name is None or not name.endswith(".txt"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["visible"] = visible
    return made


def visible(text: str) -> str:
    """Text without what a terminal obeys or cannot show: control and format characters."""
    return "".join(
        c
        if c == "\n" or c.isprintable()
        else " "
        if c == "\t" or unicodedata.category(c) == "Zs"
        else ""
        for c in text
    )
