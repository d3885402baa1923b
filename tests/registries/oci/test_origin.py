"""Where an answer may send us."""

import pytest

from registries.oci.origin import host_of, is_same_origin, may_follow, origin_of


def test_the_usual_port_is_the_same_port() -> None:
    assert is_same_origin("https://Prod.example/v2/", "https://prod.example:443/x")
    assert not is_same_origin("https://prod.example", "http://prod.example")
    assert not is_same_origin("nonsense", "nonsense")
    assert (host_of("https://prod.example:443/x"), host_of("http://prod.example:5000")) == (
        "prod.example",
        "prod.example:5000",
    )
    assert origin_of("http://x:99999/") == ""


@pytest.mark.parametrize(
    ("here", "there", "is_fine"),
    [
        ("https://prod.example", "https://storage.example/x", True),
        ("https://prod.example", "http://storage.example/x", False),
        ("https://prod.example", "https://127.0.0.1/x", False),
        ("https://prod.example", "https://169.254.169.254/latest/meta-data", False),
        ("https://prod.example", "https://[::1]/x", False),
        ("https://prod.example", "https://localhost/x", False),
        ("https://prod.example", "https://10.0.0.7/x", False),
        ("http://10.0.0.7:5000", "http://10.0.0.8:9000/x", True),
        ("http://127.0.0.1:5000", "http://127.0.0.1:9000/x", True),
        ("https://prod.example", "file:///etc/passwd", False),
    ],
)
def test_no_registry_on_the_internet_sends_us_inside(here: str, there: str, is_fine: bool) -> None:
    assert may_follow(here, there) is is_fine
