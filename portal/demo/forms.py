"""What would a person send who fills in this page's form? Reads the forms of an HTML page. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser

Fields = dict[str, list[str]]
_TOGGLES = {"checkbox", "radio"}
_NEVER_SENT = {"submit", "button", "image", "reset", "file"}


@dataclass(frozen=True)
class Form:
    """One form as the page shows it: where it goes and what it would send untouched."""

    action: str
    method: str
    fields: Fields = field(default_factory=dict)
    buttons: dict[str, str] = field(default_factory=dict)

    def filled(self, values: Mapping[str, str | list[str]], button: str = "") -> Fields:
        """What is sent with these values over those of the page, by a press on a named button."""
        new = {name: [value] if isinstance(value, str) else list(value) for name, value in values.items()}
        pressed = {button: [self.buttons.get(button, "")]} if button else {}
        return {**self.fields, **new, **pressed}


@dataclass(frozen=True)
class Page:
    """The forms of a page, and the complaints of one that came back."""

    forms: tuple[Form, ...]
    errors: tuple[str, ...]

    def form_with(self, *names: str) -> Form | None:
        """The first form that has all these fields or buttons."""
        for form in self.forms:
            if {*form.fields, *form.buttons} >= set(names):
                return form
        return None


def read_page(html: str) -> Page:
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return Page(tuple(reader.forms), tuple(" ".join(text.split()) for text in reader.errors if text.strip()))


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.errors: list[str] = []
        self._form: Form | None = None
        self._select = ""
        self._textarea = ""
        self._error_tag = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self._watch_error(tag, values.get("class", ""))
        if tag == "form":
            self._form = Form(values.get("action", ""), values.get("method", "get").lower())
            self.forms.append(self._form)
        elif self._form is not None and "disabled" not in values:
            self._control(self._form, tag, values)

    def _control(self, form: Form, tag: str, values: Mapping[str, str]) -> None:
        name, value = values.get("name", ""), values.get("value", "")
        if tag == "input" and name:
            self._input(form, name, values)
        elif tag == "button" and name:
            form.buttons[name] = value
        elif tag == "select":
            self._select = name
            form.fields.setdefault(name, [])
        elif tag == "option" and self._select and "selected" in values:
            form.fields[self._select].append(value)
        elif tag == "textarea":
            self._textarea = name
            form.fields[name] = [""]

    def _input(self, form: Form, name: str, values: Mapping[str, str]) -> None:
        kind = values.get("type", "text").lower()
        if kind == "submit":
            form.buttons[name] = values.get("value", "")
        elif kind in _TOGGLES:
            chosen = form.fields.setdefault(name, [])
            if "checked" in values:
                chosen.append(values.get("value", "on"))
        elif kind not in _NEVER_SENT:
            form.fields.setdefault(name, []).append(values.get("value", ""))

    def handle_data(self, data: str) -> None:
        if self._textarea and self._form is not None:
            # A browser drops the line break right after the tag.
            self._form.fields[self._textarea][0] += data
        if self._error_tag and self.errors:
            self.errors[-1] += data + " "

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "select":
            self._select = ""
        elif tag == "textarea" and self._textarea and self._form is not None:
            values = self._form.fields[self._textarea]
            values[0] = values[0].removeprefix("\n")
            self._textarea = ""
        if tag == self._error_tag:
            self._error_tag = ""

    def _watch_error(self, tag: str, classes: str) -> None:
        """Django's ``errorlist`` and ``errornote``, with or without more classes beside them."""
        if not self._error_tag and {"errorlist", "errornote"} & set(classes.split()):
            self._error_tag = tag
            self.errors.append("")
