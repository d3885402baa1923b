"""How does a registry that people already use come under the portal without an outage, and how does it go back?"""
