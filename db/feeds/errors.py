"""The one error of feeds that are refused as a whole."""

from __future__ import annotations


class FeedError(Exception):
    """A file cannot be read as a whole; the message names the file and the remedy in one line."""
