"""Measures generators against held-out prompts. Never imported by the chat path."""
