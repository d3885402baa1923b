"""Who did what, and is the record whole?"""
