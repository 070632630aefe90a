"""The exercises of the book, one module per chapter."""
