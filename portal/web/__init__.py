"""Which page answers which question? The web portal; it has no models of its own."""
