"""From a shop's files to records: one module for each format, recognised by content."""

from db.feeds.documents import read_comments, read_policies
from db.feeds.errors import FeedError
from db.feeds.fields import map_columns, parse_map
from db.feeds.orders import read_orders
from db.feeds.pages import Page, parse_page, read_pages
from db.feeds.registry import columns_of, kind_of, read_products

__all__ = [
    "FeedError",
    "Page",
    "columns_of",
    "kind_of",
    "map_columns",
    "parse_map",
    "parse_page",
    "read_comments",
    "read_orders",
    "read_pages",
    "read_policies",
    "read_products",
]
