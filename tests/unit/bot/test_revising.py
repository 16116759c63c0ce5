"""What a wish may not be said of: another model, a property that no page has."""

from __future__ import annotations

import pytest

from bot.policy.revising import other_models, property_in


@pytest.mark.parametrize(
    ("title", "wish", "other"),
    [
        ("iPhone 12 Silicone Case", "iphone 13 cases", "iphone 13"),
        ("iPhone 12 Silicone Case", "iphone 12 cases", ""),
        ("Case for iPhone 12 and iPhone 13", "an iphone 13 case", ""),
        ("Leather Phone Case", "iphone 13 cases", ""),  # it says of no model that it fits
        ("Plates, Set of 6", "a set of 4 plates", ""),
        ("Tent for 2", "a tent for 4 people", ""),
        ("Galaxy S8", "galaxy s7", ""),  # a letter before the figure: no number of a name
        ("Kettle 1.7 L", "a kettle 2 l", ""),
        ("TV 65 Inch", "a tv 55 inch", "tv 55"),
    ],
)
def test_that_another_model_is_told_by_its_number(title: str, wish: str, other: str) -> None:
    assert other_models(title, wish) == other


@pytest.mark.parametrize(
    ("wish", "found"),
    [
        ("a grain free dog food", "grain free"),
        ("dishwasher-safe mugs", "dishwasher-safe"),
        ("a free gift", ""),
        ("lamps free shipping", ""),
        ("a kettle", ""),
    ],
)
def test_that_a_property_is_read_with_the_thing_it_is_of(wish: str, found: str) -> None:
    assert property_in(wish) == found
