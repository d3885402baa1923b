"""Which files make a client pull from the closest registry?"""
