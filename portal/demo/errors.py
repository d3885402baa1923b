"""The one failure the demo knows: a sentence that says what happened, to what, and what to do."""


class DemoError(Exception):
    """Ends the demo with its sentence on one line and exit code 1."""


def one_line(text: str, limit: int = 400) -> str:
    """Folds the output of a program into one line of at most ``limit`` characters, keeping its end."""
    folded = " ".join(text.split())
    return folded if len(folded) <= limit else "…" + folded[-(limit - 1) :]
