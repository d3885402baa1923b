"""What is being carried from where to where, how far is it, and did it arrive whole?"""
