"""What generated texts are measured by: pure functions of texts and slots.

Each says its direction, formula and source. Text is slot-marked where variety is measured, so that
a marker is one word and values count for nothing, and filled where it is compared with what a
person wrote. Knows nothing about models.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence

from bot.training.validation import SlotErrors

_WORD = re.compile(r"<[a-z_]+(?:_\d)?>|[^\W_\u3400-\u9fff]+(?:['’][^\W_]+)*|[\u3400-\u9fff]")


def words(marked: str) -> list[str]:
    """Splits a text into markers, words and figures, and single Chinese characters, lower case."""
    return [word.lower() for word in _WORD.findall(marked)]


def slot_error(errors: Iterable[SlotErrors], given: int) -> float:
    """Slot error (lower is better): (missing + added + repeated) / slots given.

    The slot error rate of SC-GPT (arXiv 2002.12328, 4.2), with repetitions counted besides. Added
    slots may bring it above 1. Where no slot was given, errors count as of one.
    """
    return sum(e.total for e in errors) / max(1, given)


def distinct(texts: Sequence[str], n: int) -> float:
    """Distinct-n (higher is more various): different n-grams / all n-grams of all texts.

    Li et al., arXiv 1510.03055, 5. Falls as texts are added: compare equal numbers of texts only.
    """
    grams = Counter(gram for text in texts for gram in _grams(words(text), n))
    return len(grams) / max(1, grams.total())


def _grams(tokens: Sequence[str], n: int) -> Iterable[tuple[str, ...]]:
    return zip(*(tokens[at:] for at in range(n)), strict=False)


def self_bleu(groups: Iterable[Sequence[str]]) -> float | None:
    """Self-BLEU (0 to 100, lower is more various): each text's BLEU-4 with the others as references.

    Zhu et al., arXiv 1802.01886, 3.1, but within groups (the texts of one act in one language),
    since a farewell is no measure of a comparison. Texts that are alone in their group do not
    count; None where all are.
    """
    from sacrebleu.metrics.bleu import BLEU  # noqa: PLC0415

    bleu = BLEU(tokenize="none", effective_order=True, force=True)
    scores = []
    for texts in groups:
        split = [" ".join(words(text)) for text in texts]
        for at, text in enumerate(split if len(split) > 1 else ()):
            scores.append(bleu.sentence_score(text, split[:at] + split[at + 1 :]).score)
    return sum(scores) / len(scores) if scores else None


def chrf(texts: Sequence[str], references: Sequence[str]) -> float | None:
    """chrF2 (0 to 100, higher is nearer): F-score of character 1- to 6-grams, recall twice.

    Popović 2015 (aclanthology.org/W15-3049), as sacrebleu computes it, over the whole corpus; one
    reference a text. Many good texts are unlike the reference: it says how near, not how good.
    None without texts.
    """
    from sacrebleu.metrics.chrf import CHRF  # noqa: PLC0415

    if not texts:
        return None
    return float(CHRF().corpus_score(list(texts), [list(references)]).score)


def identical(texts: Sequence[str], known: Collection[str]) -> float:
    """The share of texts that are a training reply, word for word (lower is more of its own)."""
    return sum(text in known for text in texts) / max(1, len(texts))


def percentile(values: Sequence[float], share: float) -> float | None:
    """The nearest-rank percentile: the least value that `share` of the values do not exceed."""
    ranked = sorted(values)
    return ranked[max(0, math.ceil(share * len(ranked)) - 1)] if ranked else None


def sign_test(better: int, worse: int) -> float:
    """How likely a preference at least this uneven is if both are equally good (two-sided).

    Exact binomial sign test; ties are left out (Dixon and Mood 1946).
    """
    judged = better + worse
    tail = sum(math.comb(judged, n) for n in range(min(better, worse) + 1))
    return min(1.0, float(2 * tail / 2**judged))
