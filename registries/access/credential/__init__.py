"""Which secrets did we hand out, what are they good for, and when do they end?"""
