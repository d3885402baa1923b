"""How does somebody come in whom another house vouches for? (OpenID Connect Core 1.0, code flow with PKCE)"""
