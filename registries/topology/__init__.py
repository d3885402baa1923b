"""Which registries are there, what is each for, where does it stand, and is it well?"""
