"""Is the house built as it was drawn? Guards over the code itself."""
