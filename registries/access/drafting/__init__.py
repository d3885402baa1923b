"""What would a draft of rules have changed in what was really asked?"""
