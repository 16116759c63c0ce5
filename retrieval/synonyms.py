"""Words that shops and shoppers use for one thing: laptop and notebook, couch and sofa.

Knows nothing of a shop's own words; those that the catalogue holds are found by the indexes.
"""

from __future__ import annotations

from retrieval.text import stem

# Each line is one thing. A word that often means something else is left out, as are kinds of a
# thing (a kettle is no pot) and words that differ in spelling alone, which `text` evens out.
_GROUPS = """
laptop notebook
phone telephone smartphone cellphone
earphones earbuds headphones
ebook ereader
couch sofa settee
armchair recliner
cupboard cabinet
wardrobe closet armoire
curtains drapes
carpet rug
duvet comforter
rucksack backpack
daypack backpack
handbag purse
suitcase luggage
trousers pants slacks
sneakers trainers
sweater jumper pullover
hoodie sweatshirt
raincoat mackintosh
underwear lingerie
swimsuit swimwear
slippers houseshoes
spectacles eyeglasses
fridge refrigerator
freezer deepfreeze
stove cooker
skillet frypan
cutlery flatware silverware
dishtowel teatowel
tap faucet
torch flashlight
hoover vacuum
bin wastebasket
bicycle bike
motorbike motorcycle
pram stroller pushchair buggy
nappies diapers
pacifier dummy
crib cot
candy sweets
perfume fragrance
sunscreen sunblock
lipstick lipcolor
plaster bandage
secateurs pruners
lawnmower mower
spanner wrench
"""


def _by_word() -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for line in _GROUPS.strip().splitlines():
        group = frozenset(map(stem, line.split()))
        for word in group:
            found[word] = found.get(word, frozenset()) | group - {word}
    return found


_SYNONYMS = _by_word()


def synonyms(word: str) -> tuple[str, ...]:
    """Stems of the words that name the same thing as an English word; of most there are none."""
    return tuple(sorted(_SYNONYMS.get(stem(word), frozenset())))
