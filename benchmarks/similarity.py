"""How well texts are grouped, and how often a known problem is found again: `python -m benchmarks.similarity`.

Method and cut were chosen by AMI on one half of the intents of `banking77_sample`, in the folder that FEEDBACKHUB_SHARED
names; what is reported against the bars is the other half and all intents together, and CLINC150 against its own where that folder
has queries of it (`data/*clinc*.jsonl.gz`). `--choose` prints the whole choice.
`--file FILE` measures another set of `{"text", "label"}` rows (one whose name says "clinc" against the
bars of CLINC150), `--model FOLDER` a local MiniLM.
"""

import argparse
import gzip
import itertools
import json
import os
import random
import time
from collections import Counter
from pathlib import Path

from benchmarks.house import say
from feedbackhub.similarity import groups
from feedbackhub.similarity.local_model import LocalModel
from feedbackhub.similarity.tfidf import TfidfEmbedder

BARS = {"AMI": 0.54, "ARI": 0.28, "hit@5": 0.80}
CLINC_BARS = BARS | {"AMI": 0.66, "ARI": 0.38}  # of CLINC150's queries
MODEL_BARS = {"AMI": 0.69, "hit@5": 0.93}
CUTS = [0.3, 0.33, 0.36, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9]
NEIGHBOURS = [0, 3, 5, 8]
KNOWN = 5  # examples of each problem
FEWEST = 3  # texts of a group, as `triage.regrouping` opens problems


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--choose", action="store_true")
    options.add_argument("--file", type=Path)
    options.add_argument("--model")
    run(**vars(options.parse_args()))


def run(choose=False, file=None, model=None) -> None:
    shared = os.environ.get("FEEDBACKHUB_SHARED")
    if file is None and not shared:
        print("similarity not measured: set FEEDBACKHUB_SHARED or name a file")
        return
    rows = read(file or Path(shared, "data", "banking77_sample.jsonl.gz"))
    is_clinc = file is not None and "clinc" in file.name.lower()
    bars = MODEL_BARS if model else CLINC_BARS if is_clinc else BARS
    make = (lambda texts: LocalModel(model)) if model else TfidfEmbedder.fit
    chosen_on, reported_on = halves(rows)
    if choose:
        print_choice(chosen_on, make)
    parts = {"all intents": rows}
    if file is None:
        parts = {"the half it was chosen on": chosen_on, "the other half": reported_on} | parts
    for name, part in parts.items():
        measure(name, part, make, bars)
    if file is None:
        clinc = sorted(Path(shared, "data").glob("*clinc*.jsonl*"))
        for each in clinc:
            measure("CLINC150", read(each), make, MODEL_BARS if model else CLINC_BARS)
        if not clinc:
            print("   CLINC150: not measured, there are no queries of it in the shared folder")


def read(path: Path) -> list[dict]:
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]


def halves(rows):
    """By intent: every other one of them in alphabetical order."""
    intents = sorted({row["label"] for row in rows})
    first = set(intents[::2])
    return [r for r in rows if r["label"] in first], [r for r in rows if r["label"] not in first]


def print_choice(rows, make) -> None:
    texts, labels = [row["text"] for row in rows], [row["label"] for row in rows]
    vectors = make(texts).embed(texts)
    found = []
    for neighbours in NEIGHBOURS:
        for cut in CUTS:
            given = opened(groups.group(vectors, cut=cut, neighbours=neighbours))
            ami, ari = scores(labels, given)
            found.append((ami, ari, neighbours, cut, groups_in(given)))
    print(f"{'AMI':>6}{'ARI':>7}{'neighbours':>12}{'cut':>6}{'groups':>8}   (the best ten)")
    for ami, ari, neighbours, cut, count in sorted(found, reverse=True)[:10]:
        print(f"{ami:>6.3f}{ari:>7.3f}{neighbours:>12}{cut:>6}{count:>8}")


def measure(name, rows, make, bars) -> None:
    texts, labels = [row["text"] for row in rows], [row["label"] for row in rows]
    started = time.perf_counter()
    embedder = make(texts)
    given = opened(
        groups.group(embedder.embed(texts), cut=embedder.cut, neighbours=embedder.neighbours)
    )
    seconds = time.perf_counter() - started
    ami, ari = scores(labels, given)
    measured = {"AMI": ami, "ARI": ari, "hit@5": recall_of_known(rows, make)}
    print(
        f"   {name}: {len(texts)} texts, {len(set(labels))} intents, {groups_in(given)} groups of {FEWEST} and more, "
        f"{embedder.name} {embedder.version}, {seconds:.1f} s"
    )
    for figure, value in measured.items():
        bar = bars.get(figure)
        say(
            f"{figure}, {name}",
            f"{value:.3f}",
            f"≥ {bar}" if bar else "",
            None if bar is None else value >= bar,
        )


def opened(given: list[int]) -> list[int]:
    """As a regrouping has it: what is too small for a problem is left alone, each text a cluster of one."""
    sizes = Counter(given)
    alone = itertools.count(max(given, default=0) + 1)
    return [group if sizes[group] >= FEWEST else next(alone) for group in given]


def groups_in(given) -> int:
    return sum(size >= FEWEST for size in Counter(given).values())


def scores(labels, given):
    from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score

    return adjusted_mutual_info_score(labels, given), adjusted_rand_score(labels, given)


def recall_of_known(rows, make) -> float:
    """Five examples of each intent are known, and all that was fitted to; is its intent among the first five offered?

    A problem is as near as the middle of its members is to the text, as `triage.nearness` orders them.
    """
    import numpy

    chance, by_label = random.Random(0), {}
    for row in rows:
        by_label.setdefault(row["label"], []).append(row["text"])
    known, asked = [], []
    for label, texts in sorted(by_label.items()):
        chosen = set(chance.sample(range(len(texts)), min(KNOWN, len(texts))))
        for place, text in enumerate(texts):
            (known if place in chosen else asked).append((label, text))
    embedder = make([text for _label, text in known])
    vectors = embedder.embed([text for _label, text in known])
    questions = embedder.embed([text for _label, text in asked])
    names = sorted(by_label)
    member_of = numpy.array([names.index(label) for label, _text in known])
    middles = numpy.stack([vectors[member_of == n].mean(0) for n in range(len(names))])
    middles /= numpy.maximum(numpy.linalg.norm(middles, axis=1, keepdims=True), 1e-9)
    nearness = questions @ middles.T
    first = numpy.argsort(-nearness, axis=1)[:, :5]
    hits = [names.index(label) in first[n] for n, (label, _text) in enumerate(asked)]
    return sum(hits) / len(hits)


if __name__ == "__main__":
    main()
