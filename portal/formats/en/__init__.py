"""The same in every English."""
