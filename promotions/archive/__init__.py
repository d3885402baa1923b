"""Which upstream images do we keep, why, and what changed upstream?"""
