"""Mechanism: what registries are, who may do what in them, what they hold, and how content moves between them."""
