"""Any service that answers `POST …/embeddings` as OpenAI's does, through the one door out."""

from feedbackhub import outbound
from feedbackhub.similarity.embedders import LONGEST, digest, sized

_AT_ONCE = 64
_LIMITS = outbound.Limits(body=16 * 1024 * 1024)


class RemoteModel:
    """`RemoteModel("https://…/v1", model="…", key="…")`. What leaves has been redacted before it was stored."""

    name = "remote"
    cut = 0.45
    neighbours = 0
    near = 0.5
    known = 0.6

    def __init__(self, address: str, *, model: str, key: str = ""):
        self._address, self._model, self._key = address.rstrip("/"), model, key
        self.version = f"{model[:40]}-{digest(address.encode(), model.encode())}"

    def embed(self, texts: list[str]):
        import numpy

        found = [
            vector
            for start in range(0, len(texts), _AT_ONCE)
            for vector in self._ask([text[:LONGEST] for text in texts[start : start + _AT_ONCE]])
        ]
        if len({len(vector) for vector in found}) > 1:
            raise _unreadable("vectors of different lengths")
        vectors = sized(numpy.array(found, numpy.float32)) if found else numpy.zeros((0, 1))
        for place, text in enumerate(texts):
            if not text.strip():
                vectors[place] = 0
        return vectors

    def _ask(self, texts):
        answer = outbound.request_json(
            "POST",
            f"{self._address}/embeddings",
            expects_write=False,
            headers={"Authorization": f"Bearer {self._key}"} if self._key else None,
            json={"model": self._model, "input": [text or " " for text in texts]},
            service="the embeddings service",
            limits=_LIMITS,
        )
        try:
            rows = sorted(answer.json["data"], key=lambda row: row["index"])
            vectors = [[float(number) for number in row["embedding"]] for row in rows]
        except (KeyError, TypeError, ValueError):
            raise _unreadable("something else than vectors") from None
        if len(vectors) != len(texts) or not all(vectors):
            raise _unreadable(f"{len(vectors)} vectors for {len(texts)} texts")
        return vectors


def _unreadable(what):
    return outbound.OutboundError(
        f"The embeddings service answered {what}.", outbound.Outcome.REFUSED_TRY_LATER
    )
