"""What may go to prod, who said so, and how far is it?"""
