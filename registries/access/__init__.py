"""Who may pull, push and delete what where, with which credential, and why or why not?"""
