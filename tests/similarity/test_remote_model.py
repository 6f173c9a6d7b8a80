"""An OpenAI-compatible embeddings service, behind a real socket."""

import json

import pytest
from werkzeug import Response

from feedbackhub.outbound import OutboundError
from feedbackhub.similarity.remote_model import RemoteModel


@pytest.fixture
def model(httpserver, settings):
    settings.OUTBOUND_ALLOWED_HOSTS = [f"{httpserver.host}:{httpserver.port}"]
    return RemoteModel(httpserver.url_for("/v1"), model="small", key="sk-1")


def test_texts_are_sent_and_vectors_come_back_in_the_order_of_the_texts(model, httpserver):
    def answer(request):
        texts = json.loads(request.data)["input"]
        rows = [{"index": n, "embedding": [len(text), 1]} for n, text in enumerate(texts)]
        return Response(json.dumps({"data": rows[::-1]}), content_type="application/json")

    httpserver.expect_request(
        "/v1/embeddings", method="POST", headers={"Authorization": "Bearer sk-1"}
    ).respond_with_handler(answer)
    vectors = model.embed(["n" * n for n in range(1, 71)] + [""])
    assert vectors[0][:2] == pytest.approx([2**-0.5, 2**-0.5])
    assert vectors[69][0] > 0.99
    assert not vectors[70].any()
    assert len(httpserver.log) == 2


@pytest.mark.parametrize(
    "data",
    [[], [{"index": 0}], [{"index": 0, "embedding": ["x"]}], [{"index": 0, "embedding": []}]],
    ids=["none", "no vector", "no number", "empty"],
)
def test_an_answer_that_is_no_vector_is_an_error_of_the_outside_world(model, httpserver, data):
    httpserver.expect_request("/v1/embeddings").respond_with_json({"data": data})
    with pytest.raises(OutboundError, match="embeddings service"):
        model.embed(["one"])


def test_another_model_is_another_version():
    versions = {RemoteModel("https://e.test/v1", model=name).version for name in ("a", "b")}
    assert len(versions) == 2
