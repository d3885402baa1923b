"""Who must agree, who has agreed, and who still can?"""
