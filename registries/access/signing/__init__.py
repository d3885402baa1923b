"""Which key signs the tokens of a registry, which does it trust, and how are they exchanged?"""
