"""Who are the people, and what may each of them be trusted with?"""
