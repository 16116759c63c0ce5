"""What a generator's texts come to, in numbers: over all prompts, by language, by act.

Every figure has a direction; `FIGURES` lists them in the order in which they are shown. Knows
nothing about how texts were made or how figures are shown.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bot.evaluation import metrics
from bot.evaluation.generator import Said, Timing
from bot.evaluation.sets import Known

Figures = dict[str, float | int | None]


@dataclass(frozen=True, slots=True)
class Figure:
    """`better` is `lower`, `higher` or nothing; `form` writes a value as people read it."""

    label: str
    better: str
    form: Callable[[float], str]


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %"


def _plain(value: float) -> str:
    return f"{value:.1f}"


def _milli(value: float) -> str:
    return f"{value:.0f}" if value >= 10 else f"{value:.2g}"


def _hundredths(value: float) -> str:
    return f"{value:.2f}"


FIGURES: dict[str, Figure] = {
    "prompts": Figure("prompts", "", "{:.0f}".format),
    "slot_error_greedy": Figure("slot error, greedy", "lower", _percent),
    "slot_error_best": Figure("slot error, best of k", "lower", _percent),
    "first_try": Figure("said at the first try", "higher", _percent),
    "verifier_pass": Figure("candidates that the verifier passes", "higher", _percent),
    "fallback": Figure("fallbacks", "lower", _percent),
    "distinct_1": Figure("distinct-1", "higher", _hundredths),
    "distinct_2": Figure("distinct-2", "higher", _hundredths),
    "self_bleu": Figure("self-BLEU within an act", "lower", _plain),
    "chrf": Figure("chrF against references", "higher", _plain),
    "identical": Figure("identical to a training reply", "lower", _percent),
    "characters": Figure("characters, mean", "", "{:.0f}".format),
    "greedy_ms_p50": Figure("ms for one candidate, median", "lower", _milli),
    "greedy_ms_p95": Figure("… 95th percentile", "lower", _milli),
    "ms_p50": Figure("ms for k candidates, median", "lower", _milli),
    "ms_p95": Figure("… 95th percentile", "lower", _milli),
    "reply_ms_p50": Figure("ms with all checks, median", "lower", _milli),
    "reply_ms_p95": Figure("… 95th percentile", "lower", _milli),
    "greedy_tokens_per_second": Figure("tokens/s, one candidate", "higher", "{:.0f}".format),
    "tokens_per_second": Figure("tokens/s, k candidates", "higher", "{:.0f}".format),
}


def shown(name: str, value: float | None) -> str:
    """Writes a figure as people read it; a dash where there is none."""
    return "–" if value is None else FIGURES[name].form(value)


def by_group(said: Sequence[Said], known: Known) -> dict[str, Any]:
    """Returns the figures of all texts, of unseen slot sets, by language, and by language and act."""
    languages: dict[str, list[Said]] = defaultdict(list)
    acts: dict[str, dict[str, list[Said]]] = defaultdict(lambda: defaultdict(list))
    for one in said:
        languages[one.prompt.example.language].append(one)
        acts[one.prompt.example.language][one.prompt.example.act].append(one)
    return {
        "all": figures_of(said, known),
        "unseen_slot_sets": figures_of([one for one in said if one.prompt.unseen], known),
        "languages": {name: figures_of(some, known) for name, some in languages.items()},
        "acts": {
            language: {act: figures_of(some, known) for act, some in sorted(of_language.items())}
            for language, of_language in acts.items()
        },
        "refused": dict(Counter(why for one in said for why in one.refused).most_common()),
    }


def figures_of(said: Sequence[Said], known: Known) -> Figures:
    """Returns every figure of `FIGURES` and, beside slot error, what it is made of."""
    if not said:
        return {"prompts": 0}
    given = sum(len(one.prompt.example.slots) for one in said)
    greedy, best = [one.greedy for one in said], [one.best for one in said]
    marked = [one.marked for one in said]
    served = said[0].timing is not None
    judged = sum(one.judged for one in said)
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for one in said:
        groups[one.prompt.example.language, one.prompt.example.act].append(one.marked)
    found: Figures = {
        "prompts": len(said),
        "slots": given,
        "slot_error_greedy": metrics.slot_error(greedy, given),
        "slot_error_best": metrics.slot_error(best, given),
        "missing_greedy": sum(e.missing for e in greedy),
        "added_greedy": sum(e.added for e in greedy),
        "repeated_greedy": sum(e.repeated for e in greedy),
        "first_try": _share([one.first_try for one in said]) if served else None,
        "verifier_pass": sum(one.passed for one in said) / judged if judged else None,
        "fallback": _share([not one.own for one in said]) if served else None,
        "distinct_1": metrics.distinct(marked, 1),
        "distinct_2": metrics.distinct(marked, 2),
        "self_bleu": metrics.self_bleu(groups.values()),
        "chrf": metrics.chrf([one.text for one in said], [one.prompt.reference for one in said]),
        "identical": None if known.replies is None else metrics.identical(marked, known.replies),
        "characters": sum(len(one.text) for one in said) / len(said),
    }
    found |= _speed("greedy_", [one.greedy_timing for one in said])
    found |= _speed("", [one.timing for one in said])
    found |= _milliseconds(
        "reply_", [one.reply_seconds for one in said if one.reply_seconds is not None]
    )
    return {
        name: round(value, 4) if isinstance(value, float) else value
        for name, value in found.items()
    }


def _speed(prefix: str, timings: Sequence[Timing | None]) -> Figures:
    """Milliseconds of a call, and tokens of all texts it returned by its seconds."""
    noted = [timing for timing in timings if timing is not None]
    counted = [(t.tokens, t.seconds) for t in noted if t.tokens is not None]
    seconds = sum(spent for _, spent in counted)
    rate = sum(tokens for tokens, _ in counted) / seconds if seconds else None
    found = _milliseconds(prefix, [timing.seconds for timing in noted])
    return found | {f"{prefix}tokens_per_second": rate}


def _milliseconds(prefix: str, seconds: Sequence[float]) -> Figures:
    found = {}
    for name, share in (("ms_p50", 0.5), ("ms_p95", 0.95)):
        value = metrics.percentile(seconds, share)
        found[f"{prefix}{name}"] = None if value is None else 1000 * value
    return dict(found)


def _share(flags: Sequence[bool]) -> float:
    return sum(flags) / max(1, len(flags))
