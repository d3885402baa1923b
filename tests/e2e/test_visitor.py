"""The visitor would have noticed."""

import pytest

from tests.e2e.conftest import Visit
from tests.e2e.harbour import Harbour

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize(
    ("script", "fault"),
    [
        ("console.error('it broke')", "it broke"),
        ("setTimeout(() => { throw new Error('uncaught') })", "uncaught"),
        ("document.body.append(Object.assign(new Image(), {src: 'http://foreign.example/x.png'}))", "foreign.example"),
        ("document.body.innerHTML += '<p style=\"color: red\">'", "style-src"),
        ("document.querySelector('main').style.minWidth = '900px'", "wide in a window"),
        ("document.querySelector('main').append(document.createElement('input'))", "label"),
    ],
)  # fmt: skip
def test_a_fault_is_noticed(visit: Visit, harbour: Harbour, script: str, fault: str) -> None:
    visitor = visit(harbour.alice, 390)
    visitor.open("/inbox/")
    visitor.look()
    assert not visitor.faults
    visitor.page.evaluate(script)
    visitor.look()
    assert any(fault in found for found in visitor.faults), visitor.faults


def test_an_answer_that_was_not_expected_is_noticed(visit: Visit, harbour: Harbour) -> None:
    visitor = visit(harbour.alice)
    visitor.open("/nothing/here/")
    assert "/nothing/here/: answers 404, not 200" in visitor.faults
