"""A sentence encoder in a folder takes the place of ours: index, search, and the way back."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
from shop_homes import build_example, shop_in
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from bot.errors import NotReadyError
from retrieval.values import Filters

WORDS = "kettle electric copper blanket wool garden knife lamp chair desk whistling".split()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of one layer with random weights, as sentence-transformers saves it."""
    raw, saved = tmp_path_factory.mktemp("raw"), tmp_path_factory.mktemp("encoder")
    vocabulary = {w: n for n, w in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *WORDS])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", model_max_length=64
    ).save_pretrained(raw)
    BertModel(
        BertConfig(
            vocab_size=len(vocabulary),
            hidden_size=32,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=64,
            max_position_embeddings=64,
        )
    ).save_pretrained(raw)
    body = Transformer(str(raw), max_seq_length=64)
    SentenceTransformer(modules=[body, Pooling(body.get_embedding_dimension())], device="cpu").save(
        str(saved)
    )
    return saved


def test_that_another_encoder_slots_in_and_the_way_back_is_told(
    folder: Path, tmp_path: Path
) -> None:
    home = build_example(tmp_path / "home", encoder=str(folder))
    with closing(shop_in(home, encoder=str(folder))) as shop:
        found = shop.search(query="copper kettle", k=3, filters=Filters(), explain=True)
    assert "Kettle" in found["hits"][0]["title"]
    assert "dense" in found["hits"][0]["explanation"]["parts"]
    with (
        closing(shop_in(home, encoder="bilingual")) as shop,
        pytest.raises(NotReadyError, match="shopbot index"),
    ):
        shop.search(query="copper kettle", k=3, filters=Filters(), explain=False)
