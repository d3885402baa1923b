"""How do all faces speak HTTP? Problems, pages by key, idempotency, request ids, content policy."""
