"""Who asks for access, who decides, and when does it end?"""
