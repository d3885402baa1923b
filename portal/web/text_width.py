"""How wide is a text likely to be? Pictures drawn on the server have no font to ask, so this errs on the wide side. Pure."""

TIGHT = 0.92  # most fonts are narrower; the few texts that then come out a little long have room to spare
# In units of the font size, after DejaVu Sans, the widest of the usual system fonts.
WIDTHS: dict[str, float] = {
    **dict.fromkeys("ijl'|I", 0.29),
    **dict.fromkeys(" .,:;!()[]{}·/-\u202frtf", 0.4),
    **dict.fromkeys("sckzvxyJ", 0.57),
    **dict.fromkeys("0123456789", 0.64),
    **dict.fromkeys("wW@%mM…—", 0.99),
}
ELLIPSIS = "…"


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """Pixels at a font size in pixels, for the wider of the usual system fonts."""
    units = sum(WIDTHS.get(letter, 0.72 if letter.isupper() else 0.63) for letter in text)
    return units * size * TIGHT * (1.1 if bold else 1.0)


def fit(text: str, width: float, size: float, *, bold: bool = False) -> str:
    """The text, shortened until it fits."""
    if text_width(text, size, bold=bold) <= width:
        return text
    while text and text_width(text + ELLIPSIS, size, bold=bold) > width:
        text = text[:-1]
    return text.rstrip(" -·") + ELLIPSIS


def wrap(text: str, width: float, size: float, lines: int) -> tuple[str, ...]:
    """The text in at most so many lines; the last one is shortened if it must be."""
    rows: list[str] = []
    for word in text.split():
        if rows and text_width(f"{rows[-1]} {word}", size) <= width:
            rows[-1] = f"{rows[-1]} {word}"
        else:
            rows.append(word)
    if len(rows) > lines:
        rows = [*rows[: lines - 1], " ".join(rows[lines - 1 :])]
    return tuple(fit(row, width, size) for row in rows)
