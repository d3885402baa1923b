"""Which grants does nobody use or need any more?"""
