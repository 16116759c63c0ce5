"""Measures of what is understood of a message, and of what is hidden of it before."""
