"""A small BERT from a local folder (MiniLM and its like), computed with numpy: no framework, no download.

The folder is one that sentence-transformers reads: `config.json`, `tokenizer.json`, `model.safetensors`. Mean pooling over
the tokens, unit length. Needs the `embeddings` extra (tokenizers and safetensors, 4 MB).
"""

import json
from pathlib import Path

from feedbackhub.similarity.embedders import LONGEST, digest, sized

_AT_ONCE = 32
_MOST_TOKENS = 256


class NotAModel(ValueError):
    """The folder does not hold what is needed, in a sentence that says what."""


class LocalModel:
    """`LocalModel(folder)`; its version is a digest of the weights and the tokenizer."""

    name = "minilm"
    cut = 0.36  # with `neighbours` chosen by benchmarks/similarity.py, on all-MiniLM-L6-v2
    neighbours = 3
    near = 0.5
    known = 0.6

    def __init__(self, folder):
        folder = Path(folder)
        try:
            from safetensors.numpy import load_file
            from tokenizers import Tokenizer
        except ImportError as missing:
            raise NotAModel(
                f"{missing.name} is not installed: pip install 'feedbackhub[embeddings]'."
            ) from None
        for name in ("config.json", "tokenizer.json", "model.safetensors"):
            if not (folder / name).is_file():
                raise NotAModel(f"{folder} holds no {name}.")
        config = json.loads((folder / "config.json").read_text())
        if config.get("hidden_act", "gelu") != "gelu" or config.get("model_type") != "bert":
            raise NotAModel(f"{folder} is no BERT: its model_type is {config.get('model_type')}.")
        self._heads, self._layers = config["num_attention_heads"], config["num_hidden_layers"]
        self._epsilon = config.get("layer_norm_eps", 1e-12)
        weights = load_file(folder / "model.safetensors")
        self._weights = {
            name.removeprefix("bert."): value.astype("float32") for name, value in weights.items()
        }
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        most = min(_MOST_TOKENS, config.get("max_position_embeddings", _MOST_TOKENS))
        self._tokenizer.enable_truncation(most)
        self._tokenizer.no_padding()
        self.version = digest(
            (folder / "model.safetensors").read_bytes(), (folder / "tokenizer.json").read_bytes()
        )

    def embed(self, texts: list[str]):
        import numpy

        coded = self._tokenizer.encode_batch([text[:LONGEST] for text in texts])
        by_length = sorted(range(len(texts)), key=lambda place: len(coded[place].ids))
        found = numpy.zeros((len(texts), self._width), numpy.float32)
        for start in range(0, len(texts), _AT_ONCE):  # alike in length, so that little is padding
            places = by_length[start : start + _AT_ONCE]
            found[places] = self._mean([coded[place].ids for place in places])
        for place, text in enumerate(texts):
            if not text.strip():
                found[place] = 0
        return sized(found)

    @property
    def _width(self) -> int:
        return self._weights["embeddings.word_embeddings.weight"].shape[1]

    def _mean(self, ids):
        """The mean of the last layer over each text's own tokens."""
        import numpy

        longest = max(map(len, ids))
        padded = numpy.zeros((len(ids), longest), numpy.int64)
        mask = numpy.zeros((len(ids), longest), numpy.float32)
        for row, each in enumerate(ids):
            padded[row, : len(each)], mask[row, : len(each)] = each, 1
        weights = self._weights
        hidden = (
            weights["embeddings.word_embeddings.weight"][padded]
            + weights["embeddings.position_embeddings.weight"][:longest]
            + weights["embeddings.token_type_embeddings.weight"][0]
        )
        hidden = self._norm(hidden, "embeddings.LayerNorm")
        for layer in range(self._layers):
            hidden = self._layer(hidden, mask, f"encoder.layer.{layer}")
        return (hidden * mask[..., None]).sum(1) / numpy.maximum(mask.sum(1, keepdims=True), 1)

    def _layer(self, hidden, mask, name):
        import numpy

        def heads(part):
            split = self._dense(hidden, f"{name}.attention.self.{part}")
            return split.reshape(*split.shape[:2], self._heads, -1).transpose(0, 2, 1, 3)

        query, key, value = heads("query"), heads("key"), heads("value")
        scores = query @ key.transpose(0, 1, 3, 2) / numpy.sqrt(numpy.float32(query.shape[-1]))
        scores = numpy.where(mask[:, None, None, :] > 0, scores, numpy.float32(-1e9))
        scores = numpy.exp(scores - scores.max(-1, keepdims=True))
        attended = (scores / scores.sum(-1, keepdims=True)) @ value
        attended = attended.transpose(0, 2, 1, 3).reshape(hidden.shape)
        attended = self._dense(attended, f"{name}.attention.output.dense")
        hidden = self._norm(hidden + attended, f"{name}.attention.output.LayerNorm")
        wide = self._dense(hidden, f"{name}.intermediate.dense")
        narrow = self._dense(_gelu(wide), f"{name}.output.dense")
        return self._norm(hidden + narrow, f"{name}.output.LayerNorm")

    def _dense(self, values, name):
        return values @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"]

    def _norm(self, values, name):
        import numpy

        centred = values - values.mean(-1, keepdims=True)
        spread = numpy.sqrt((centred**2).mean(-1, keepdims=True) + self._epsilon)
        return centred / spread * self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"]


def _gelu(values):
    from scipy.special import erf

    return (values * 0.5 * (1 + erf(values / 2**0.5))).astype("float32")
