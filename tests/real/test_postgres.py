"""The PostgreSQL fixture: a real server that ends with us."""

import psycopg


def test_the_cluster_answers_over_tcp(postgres_url: str) -> None:
    with psycopg.connect(postgres_url.replace("postgres://", "postgresql://"), connect_timeout=10) as connection:
        row = connection.execute("SHOW listen_addresses").fetchone()
    assert row == ("127.0.0.1",)
