"""How is a text written in TOML? As a basic string (TOML 1.0, "String")."""

import json


def quoted(text: str) -> str:
    """JSON's escapes are TOML's, but for DEL, which JSON leaves alone."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def listed(texts: tuple[str, ...]) -> str:
    return f"[{', '.join(quoted(text) for text in texts)}]"
