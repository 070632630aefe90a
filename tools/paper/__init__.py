"""The book as one PDF, made from the built site: ``python -m tools.paper``."""
