"""Text to vectors: what an embedder promises, and those there are. Knows nothing of products or of
how vectors are searched; a model is loaded when its first text is encoded."""

from retrieval.embedders.base import Embedder, Vectors, unit_rows
from retrieval.embedders.bilingual import BilingualEmbedder
from retrieval.embedders.chinese import ChineseEmbedder
from retrieval.embedders.folder import MiniLmEmbedder, SentenceTransformerEmbedder
from retrieval.embedders.hashing import HashingEmbedder

__all__ = [
    "BilingualEmbedder",
    "ChineseEmbedder",
    "Embedder",
    "HashingEmbedder",
    "MiniLmEmbedder",
    "SentenceTransformerEmbedder",
    "Vectors",
    "unit_rows",
]
