"""What of a record can be quoted as an answer."""

from __future__ import annotations

from bot.spans import of_record
from db.records import Attribute, Product, ProductId


def test_that_a_no_can_be_told_and_the_name_again_cannot() -> None:
    product = Product(
        ProductId("1"),
        "Oak Chopping Board",
        attributes=(
            Attribute("Dishwasher safe", "No"),
            Attribute("Material", "Oak"),
            Attribute("Finish", ""),
        ),
    )

    assert [text for text, _, _ in of_record(product, "en")] == ["Dishwasher safe: No"]
