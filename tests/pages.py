"""What tests of pages ask again and again."""

from django.db import connection
from django.test.utils import CaptureQueriesContext


def assert_same_queries(client, address, grow):
    """A page costs the same queries with one row and with three. `grow(n)` makes n rows more."""
    grow(1)
    client.get(address)  # what is cached on first sight
    counts = []
    for number in (0, 2):
        grow(number)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(address).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]
