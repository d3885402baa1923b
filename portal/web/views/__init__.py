"""One module per noun: read the request, ask the queries, render."""
