"""Measures what is understood of messages against gold answers. Never imported by the chat path."""
