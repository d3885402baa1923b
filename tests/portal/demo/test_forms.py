"""Forms are read as a browser would send them."""

from portal.demo.forms import read_page

PAGE = """
<form action="/search"><input name="q"></form>
<form method="POST" action="save/">
  <input type="hidden" name="csrfmiddlewaretoken" value="t&amp;t">
  <input name="title" value="Old"> <input type="checkbox" name="active" checked> <input type="checkbox" name="muted">
  <input type="radio" name="reach" value="a"><input type="radio" name="reach" value="b" checked>
  <input name="gone" disabled value="x"> <input type="file" name="upload">
  <select name="zone"><option value="">-</option><option value="prod" selected>Prod</option></select>
  <select name="teams" multiple><option value="1" selected>A</option><option value="2" selected>B</option></select>
  <textarea name="reason">
because &lt;it&gt; is</textarea>
  <input type="submit" name="_save" value="Save"><button name="_continue" value="1">Go on</button>
</form>
"""
SENT = {
    "csrfmiddlewaretoken": ["t&t"],
    "title": ["Old"],
    "active": ["on"],
    "muted": [],
    "reach": ["b"],
    "zone": ["prod"],
    "teams": ["1", "2"],
    "reason": ["because <it> is"],
}


def test_an_untouched_form_sends_what_the_page_shows() -> None:
    form = read_page(PAGE).form_with("title", "_save")
    assert form is not None
    assert (form.method, form.action) == ("post", "save/")
    assert form.filled({}) == SENT


def test_values_and_the_pressed_button_go_over_it() -> None:
    form = read_page(PAGE).form_with("title")
    assert form is not None
    sent = form.filled({"title": "New", "teams": ["2"]}, "_save")
    assert sent == {**SENT, "title": ["New"], "teams": ["2"], "_save": ["Save"]}


def test_a_page_without_such_a_form_says_none() -> None:
    assert read_page(PAGE).form_with("title", "q") is None


def test_complaints_of_a_form_that_came_back_are_read() -> None:
    page = read_page('<p class="errornote">Correct it.</p><ul class="errorlist nonfield"><li>Too\n short</li></ul><p>x')
    assert page.errors == ("Correct it.", "Too short")
