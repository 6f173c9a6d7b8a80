"""Eight clients, each with a connection that stays open, in processes of their own: the clients cost CPU too."""

import http.client
import multiprocessing
import time

CLIENTS = 8


def _client(port, path, bodies, headers, barrier, results):
    connection = http.client.HTTPConnection("127.0.0.1", port)
    times, refused = [], 0
    barrier.wait()
    for body in bodies:
        started = time.perf_counter()
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        answer.read()
        times.append(time.perf_counter() - started)
        refused += answer.status >= 400
    results.put((times, refused))


def post_all(port, path, bodies: list[bytes], headers) -> tuple[float, list[float]]:
    """(requests per second, seconds each) of sending all bodies from eight clients at once."""
    context = multiprocessing.get_context("fork")
    barrier, results = context.Barrier(CLIENTS + 1), context.Queue()
    clients = [
        context.Process(
            target=_client, args=(port, path, bodies[k::CLIENTS], headers, barrier, results)
        )
        for k in range(CLIENTS)
    ]
    for client in clients:
        client.start()
    barrier.wait()
    started = time.perf_counter()
    found = [results.get() for _ in clients]
    seconds = time.perf_counter() - started
    for client in clients:
        client.join()
    if any(refused for _, refused in found):
        raise SystemExit(f"{path}: {sum(refused for _, refused in found)} requests were refused")
    return len(bodies) / seconds, [each for times, _ in found for each in times]
