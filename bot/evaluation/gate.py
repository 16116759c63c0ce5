"""Whether a candidate may take the place of the generator in use: figures of both and of the plain
sentences, each with its direction and margin, and the reasons against.

A candidate has to come nearer to corrections that no training saw, and may be worse in nothing else by more
than a margin. Knows nothing about how texts were made or how a verdict is shown.
"""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Literal

from bot.evaluation import metrics
from bot.evaluation.figures import figures_of
from bot.evaluation.generator import Said
from bot.evaluation.sets import Known
from bot.evaluation.tasks import Played
from bot.turn import Language

CANDIDATE: Final = "candidate"
INCUMBENT: Final = "incumbent"
PLAIN: Final = "plain"
FEWEST_HELD_BACK = 5  # corrections that no training saw; fewer say nothing
RESAMPLES = 2000
RUN = 3  # words of one text that are said twice

Speaker = Literal["candidate", "incumbent", "plain"]
Better = Literal["lower", "higher", "near"]


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure. `margin` is how much worse than the incumbent a candidate may be; with `near`, which
    share of the incumbent's figure it may differ by. One without a margin is told and not guarded.

    With `gain` the candidate has to be better by at least so much. `plain` says that it may not be worse
    than the plain sentences either.
    """

    name: str
    label: str
    better: Better
    form: Callable[[float], str]
    margin: float | None = None
    gain: float | None = None
    plain: bool = False


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %"


def _one(value: float) -> str:
    return f"{value:.1f}"


def _two(value: float) -> str:
    return f"{value:.2f}"


METRICS = (
    Metric("chrf", "chrF to held-back corrections", "higher", _one, gain=1.0),
    Metric("tasks", "conversations brought to their end", "higher", _percent, 0.0, plain=True),
    Metric("slot_error", "slot error, greedy", "lower", _percent, 0.01),
    Metric("slot_error_best", "slot error, best of k", "lower", _percent, 0.005),
    Metric("verifier_pass", "candidates that the verifier passes", "higher", _percent, 0.02),
    Metric("first_try", "said at the first try", "higher", _percent, 0.02),
    Metric("fallback", "fallbacks", "lower", _percent, 0.01),
    Metric("repeats", f"texts that say {RUN} words twice", "lower", _percent, 0.01),
    Metric("distinct_2", "distinct-2", "higher", _two, 0.10),
    Metric("tone", "texts with a word off the tone", "lower", _percent, 0.0),
    Metric("characters", "characters, mean", "near", _one, 0.4),
    Metric("ms", "ms with all checks, median", "lower", _one, 0.5),
)  # fmt: skip
_RELATIVE = frozenset({"ms"})  # margins that are a share of the incumbent's figure

Figures = Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class Heard:
    """What one speaker made of everything: held-out prompts of the base corpus, held-back corrections,
    whole conversations."""

    base: Sequence[Said]
    held_back: Sequence[Said]
    played: Sequence[Played]


@dataclass(frozen=True, slots=True)
class Row:
    """One metric over the three; `fault` says why the candidate is refused by it, "" where it is not."""

    metric: Metric
    figures: Mapping[Speaker, float | None]
    fault: str


def rows(heard: Mapping[Speaker, Heard], known: Known) -> list[Row]:
    """Judges the candidate by every metric."""
    figures = {speaker: figures_by(one, known) for speaker, one in heard.items()}
    found = []
    for metric in METRICS:
        values = {speaker: figures[speaker].get(metric.name) for speaker in heard}
        found.append(Row(metric, values, _fault(metric, values)))
    return found


def reasons(judged: Sequence[Row], heard: Mapping[Speaker, Heard]) -> list[str]:
    """Why the candidate may not take the incumbent's place; none where it may."""
    found = [f"{row.metric.label}: {row.fault}" for row in judged if row.fault]
    candidate, incumbent = heard[CANDIDATE].held_back, heard[INCUMBENT].held_back
    if len(candidate) < FEWEST_HELD_BACK:
        told = f"{len(candidate)} held-back corrections are too few to judge by, {FEWEST_HELD_BACK} is the least"
        return [told, *found]
    low, high = interval(nearness(candidate), nearness(incumbent))
    if low <= 0 and not any(row.fault and row.metric.gain for row in judged):
        told = f"the gain may be chance: 95 % of resamples lie between {low:+.1f} and {high:+.1f}"
        found.append(f"chrF to held-back corrections: {told}")
    return found


def figures_by(heard: Heard, known: Known) -> Figures:
    """The figures of one speaker."""
    base = figures_of(heard.base, known)
    texts = [*heard.base, *heard.held_back]
    scores = nearness(heard.held_back)
    return {
        "chrf": sum(scores) / len(scores) if scores else None,
        "tasks": sum(one.done for one in heard.played) / max(1, len(heard.played)),
        "slot_error": base.get("slot_error_greedy"),
        "slot_error_best": base.get("slot_error_best"),
        "verifier_pass": base.get("verifier_pass"),
        "first_try": base.get("first_try"),
        "fallback": base.get("fallback"),
        "repeats": sum(repeats(one.marked) for one in texts) / max(1, len(texts)),
        "distinct_2": base.get("distinct_2"),
        "tone": sum(bool(off_tone(one.marked, one.prompt.example.language)) for one in texts) / max(1, len(texts)),
        "characters": base.get("characters"),
        "ms": base.get("reply_ms_p50"),
    }  # fmt: skip


def nearness(said: Sequence[Said]) -> list[float]:
    """How near each text is to what a person of the shop wrote (chrF2, 0 to 100)."""
    return [metrics.chrf([one.text], [one.prompt.reference]) or 0.0 for one in said]


def interval(candidate: Sequence[float], incumbent: Sequence[float]) -> tuple[float, float]:
    """The middle 95 % of the mean difference over resampled prompts (paired bootstrap; Koehn 2004)."""
    gains = [one - other for one, other in zip(candidate, incumbent, strict=True)]
    dice = random.Random(0)
    means = sorted(sum(dice.choices(gains, k=len(gains))) / len(gains) for _ in range(RESAMPLES))
    return means[int(0.025 * RESAMPLES)], means[int(0.975 * RESAMPLES) - 1]


def repeats(marked: str) -> bool:
    """Whether a text says a run of RUN words twice."""
    words = metrics.words(marked)
    runs = [tuple(words[at : at + RUN]) for at in range(len(words) - RUN + 1)]
    return len(set(runs)) < len(runs)


def off_tone(marked: str, language: Language) -> str:
    """The first word or sign of a text that no assistant of a shop says, "" where there is none."""
    found = _tone(language).search(re.sub(r"<[a-z_0-9]+>", " ", marked).lower())
    return found[0] if found else ""


@cache
def _tone(language: Language) -> re.Pattern[str]:
    listed = tomllib.loads(Path(__file__).with_name("tone.toml").read_text(encoding="utf-8"))
    words = "|".join(map(re.escape, listed[language]))
    return re.compile(
        rf"\b(?:{words})\b|[!！]{{2,}}" if language == "en" else rf"{words}|[!！]{{2,}}"
    )


def _fault(metric: Metric, values: Mapping[Speaker, float | None]) -> str:
    candidate, incumbent = values[CANDIDATE], values[INCUMBENT]
    if candidate is None or incumbent is None:
        return ""
    if metric.gain is not None:
        return _no_gain(metric, candidate, incumbent)
    if metric.margin is None:
        return ""
    if fault := _worse(metric, candidate, incumbent, "the one in use"):
        return fault
    plain = values.get(PLAIN)
    return (
        _worse(metric, candidate, plain, "the plain sentences")
        if metric.plain and plain is not None
        else ""
    )


def _no_gain(metric: Metric, candidate: float, incumbent: float) -> str:
    gained = candidate - incumbent if metric.better == "higher" else incumbent - candidate
    if metric.gain is None or gained >= metric.gain:
        return ""
    told = f"{metric.form(candidate)}, {metric.form(incumbent)} of the one in use"
    return f"{told}; it has to be better by {metric.form(metric.gain)}"


def _worse(metric: Metric, candidate: float, other: float, whose: str) -> str:
    """Why a figure is worse than another by more than the margin, "" where it is not."""
    margin = metric.margin or 0.0
    if metric.better == "near":
        bad = abs(candidate - other) > margin * other
        allowed = f"may differ by {100 * margin:.0f} %"
    else:
        allowance = margin * other if metric.name in _RELATIVE else margin
        lost = candidate - other if metric.better == "lower" else other - candidate
        bad = lost > allowance + 1e-9
        allowed = f"may be worse by {metric.form(allowance)}"
    if not bad:
        return ""
    return f"{metric.form(candidate)}, {metric.form(other)} of {whose}; it {allowed}"
