"""What goes in and out of the API, one file per noun. Answers name their fields; nothing of a row leaks by default."""
