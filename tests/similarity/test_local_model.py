"""The loader of a local MiniLM, with a tiny random model: no weights are supplied, what counts is how they are computed."""

import json
import math

import numpy
import pytest

from feedbackhub.similarity.embedders import DIMENSIONS
from feedbackhub.similarity.local_model import LocalModel, NotAModel

safetensors = pytest.importorskip("safetensors.numpy")
tokenizers = pytest.importorskip("tokenizers")

WIDTH, HEADS, LAYERS, WIDE = 8, 2, 2, 16
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "my", "card", "was", "swallowed", "rate", "##s"]


def save_model(folder, seed=0):
    random = numpy.random.default_rng(seed)

    def made(*shape):
        return random.standard_normal(shape).astype(numpy.float32) * 0.3

    weights = {
        "embeddings.word_embeddings.weight": made(len(WORDS), WIDTH),
        "embeddings.position_embeddings.weight": made(32, WIDTH),
        "embeddings.token_type_embeddings.weight": made(2, WIDTH),
        "embeddings.LayerNorm.weight": 1 + made(WIDTH),
        "embeddings.LayerNorm.bias": made(WIDTH),
    }
    for layer in range(LAYERS):
        name = f"encoder.layer.{layer}"
        for part, shape in {
            "attention.self.query": (WIDTH, WIDTH),
            "attention.self.key": (WIDTH, WIDTH),
            "attention.self.value": (WIDTH, WIDTH),
            "attention.output.dense": (WIDTH, WIDTH),
            "intermediate.dense": (WIDE, WIDTH),
            "output.dense": (WIDTH, WIDE),
        }.items():
            weights[f"{name}.{part}.weight"] = made(*shape)
            weights[f"{name}.{part}.bias"] = made(shape[0])
        for part in ("attention.output", "output"):
            weights[f"{name}.{part}.LayerNorm.weight"] = 1 + made(WIDTH)
            weights[f"{name}.{part}.LayerNorm.bias"] = made(WIDTH)
    safetensors.save_file(weights, folder / "model.safetensors")
    config = {
        "model_type": "bert",
        "hidden_act": "gelu",
        "num_attention_heads": HEADS,
        "num_hidden_layers": LAYERS,
        "max_position_embeddings": 32,
        "layer_norm_eps": 1e-12,
    }
    (folder / "config.json").write_text(json.dumps(config))
    model = tokenizers.models.WordPiece(
        {word: n for n, word in enumerate(WORDS)}, unk_token="[UNK]"
    )
    tokenizer = tokenizers.Tokenizer(model)
    tokenizer.normalizer = tokenizers.normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = tokenizers.processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer.save(str(folder / "tokenizer.json"))
    return weights


def by_the_book(weights, ids):
    """BERT's encoder for one text, number by number, as the paper has it."""

    def dense(vector, name):
        return weights[f"{name}.weight"] @ vector + weights[f"{name}.bias"]

    def norm(vector, name):
        spread = math.sqrt(sum((each - vector.mean()) ** 2 for each in vector) / WIDTH + 1e-12)
        return (vector - vector.mean()) / spread * weights[f"{name}.weight"] + weights[
            f"{name}.bias"
        ]

    word, place, kind = (
        weights[f"embeddings.{n}_embeddings.weight"] for n in ("word", "position", "token_type")
    )
    hidden = [
        norm(word[token] + place[n] + kind[0], "embeddings.LayerNorm")
        for n, token in enumerate(ids)
    ]
    size = WIDTH // HEADS
    for layer in range(LAYERS):
        name = f"encoder.layer.{layer}"
        query, key, value = (
            [dense(h, f"{name}.attention.self.{p}") for h in hidden]
            for p in ("query", "key", "value")
        )
        after = []
        for n, old in enumerate(hidden):
            heads = []
            for head in range(HEADS):
                part = slice(head * size, (head + 1) * size)
                scores = [math.exp(query[n][part] @ other[part] / math.sqrt(size)) for other in key]
                heads.append(
                    sum(s * v[part] for s, v in zip(scores, value, strict=True)) / sum(scores)
                )
            attended = dense(numpy.concatenate(heads), f"{name}.attention.output.dense")
            middle = norm(old + attended, f"{name}.attention.output.LayerNorm")
            wide = dense(middle, f"{name}.intermediate.dense")
            gelu = numpy.array([x * (1 + math.erf(x / math.sqrt(2))) / 2 for x in wide])
            after.append(
                norm(middle + dense(gelu, f"{name}.output.dense"), f"{name}.output.LayerNorm")
            )
        hidden = after
    mean = sum(hidden) / len(hidden)
    return mean / numpy.linalg.norm(mean)


def test_it_computes_what_the_paper_says(tmp_path):
    weights = save_model(tmp_path)
    vector = LocalModel(tmp_path).embed(["My card was swallowed"])[0]
    assert vector[:WIDTH] == pytest.approx(by_the_book(weights, [2, 4, 5, 6, 7, 3]), abs=1e-5)
    assert not vector[WIDTH:].any()


def test_a_text_has_the_same_vector_alone_and_beside_a_longer_one(tmp_path):
    save_model(tmp_path)
    model = LocalModel(tmp_path)
    alone = model.embed(["card rates"])[0]
    beside = model.embed(["card rates", "my card was swallowed my card was swallowed", ""])
    assert beside[0] == pytest.approx(alone, abs=1e-5)
    assert beside.shape == (3, DIMENSIONS)
    assert not beside[2].any()


def test_more_tokens_than_the_model_knows_are_cut(tmp_path):
    save_model(tmp_path)
    assert LocalModel(tmp_path).embed(["card " * 100])[0].any()


def test_other_weights_are_another_version(tmp_path):
    versions = []
    for seed in (0, 0, 1):
        save_model(tmp_path, seed)
        versions.append(LocalModel(tmp_path).version)
    assert versions[0] == versions[1] != versions[2]


def test_a_folder_that_is_no_model_says_what_is_missing(tmp_path):
    save_model(tmp_path)
    (tmp_path / "tokenizer.json").unlink()
    with pytest.raises(NotAModel, match=r"holds no tokenizer\.json"):
        LocalModel(tmp_path)
