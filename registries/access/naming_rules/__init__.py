"""Who owns which names, and how do names have to look?"""
