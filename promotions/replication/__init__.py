"""Which copies must follow, and are they complete everywhere?"""
