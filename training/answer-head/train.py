"""Trains the answer head: see README.md. Usage: python train.py <folder of the encoder>, which answer_head.onnx is put into.

What comes out differs a little from run to run of other versions or machines.
"""

import collections
import json
import pathlib
import re
import sys

import jax
import jax.numpy as jnp
import numpy as np
import onnx
import onnxruntime
import optax
import tokenizers
from onnx import TensorProto, helper, numpy_helper

HERE = pathlib.Path(__file__).parent
DIMENSIONS = 384  # of the encoder's token vectors
WIDTH, LAYERS, HEADS, FEED_FORWARD = 128, 2, 4, 256
EPOCHS, LEARNING_RATE, DROPOUT, TOKEN_DROPOUT = 3, 1e-3, 0.2, 0.1
QUESTIONS_PER_STEP, SENTENCES_PER_QUESTION = 16, 8
NEAR_SENTENCES = 14  # of other paragraphs on the same subject, besides a question's own paragraph
PARTS = ("before", "own", "after")  # a sentence and its neighbours
MOST_TOKENS = {"question": 40, "before": 48, "own": 96, "after": 48}
# Padded lengths, so that few shapes are compiled.
LENGTHS = {"question": (16, 24, 40), "sentence": (64, 96, 128, 160, 192)}

jax.config.update("jax_default_prng_impl", "rbg")  # threefry costs a third of a step on a CPU


# --- Data ---------------------------------------------------------------------------------------------------------


def read_lines(name):
    return [json.loads(line) for line in (HERE / name).read_text().splitlines()]


def words(text):
    return {word for word in re.sub(r"\W+", " ", text.lower()).split() if len(word) > 2}


def examples():
    """Each question with the sentences of its paragraph and those nearest to it by words on the same subject."""
    paragraphs = read_lines("paragraphs.jsonl")
    sentences, by_subject = {}, collections.defaultdict(list)
    for paragraph in paragraphs:
        # As candidates come to the worker: a sentence below the title of its document and the headings that it stands under.
        titled = [None, *(f"{paragraph['title']}\n{sentence}" for sentence in paragraph["sentences"]), None]
        sentences[paragraph["id"]] = [dict(zip(PARTS, three)) for three in zip(titled, titled[1:], titled[2:])]
        by_subject[paragraph["subject"]].append(paragraph["id"])
    subjects = {paragraph["id"]: paragraph["subject"] for paragraph in paragraphs}
    said = {sentence["own"]: words(sentence["own"]) for three in sentences.values() for sentence in three}
    for question in read_lines("questions.jsonl"):
        id = question["paragraph"]
        asked = words(question["question"])
        others = [sentence for other in by_subject[subjects[id]] if other != id for sentence in sentences[other]]

        def likeness(sentence):
            there = said[sentence["own"]]
            return len(asked & there) / (len(there) + 8) ** 0.5

        near = sorted(others, key=likeness, reverse=True)[:NEAR_SENTENCES]
        answers = [int(at in question["answers"]) for at in range(len(sentences[id]))]
        yield {
            "question": question["question"],
            "sentences": sentences[id] + near,
            "answers": np.array(answers + [0] * len(near)),
        }


class Encoder:
    """The bundled encoder: the vectors of a text's tokens, each of length 1."""

    def __init__(self, folder):
        self.tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(max(MOST_TOKENS.values()))
        self.session = onnxruntime.InferenceSession(str(folder / "model.onnx"))
        self.known = {}

    def __call__(self, text):
        if text not in self.known:
            ids = np.array([self.tokenizer.encode(text).ids], dtype=np.int64)
            inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
            wanted = {entry.name: inputs[entry.name] for entry in self.session.get_inputs()}
            vectors = self.session.run(None, wanted)[0][0]
            self.known[text] = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)
        return self.known[text]


# --- The head -----------------------------------------------------------------------------------------------------


def initial(key):
    keys = iter(jax.random.split(key, 64))
    matrix = lambda *shape: jax.random.normal(next(keys), shape) * shape[0] ** -0.5
    norm = lambda: {"gain": jnp.ones(WIDTH), "shift": jnp.zeros(WIDTH)}
    layer = lambda: {
        **{"reading": {name: matrix(WIDTH, WIDTH) for name in ("query", "out")}, "readingNorm": norm()},
        # Two heads begin with what late interaction looks at: the sentence's tokens that are most like the question's.
        "cosines": jnp.array([16.0, 6.0, 0.0, 0.0]),
        "parts": jnp.array([[-2.0, 0.0, -2.0]] * HEADS),
        **{"own": {name: matrix(WIDTH, WIDTH) for name in ("query", "key", "value", "out")}, "ownNorm": norm()},
        **{"up": matrix(WIDTH, FEED_FORWARD), "upShift": jnp.zeros(FEED_FORWARD), "forwardNorm": norm()},
        **{"down": matrix(FEED_FORWARD, WIDTH), "downShift": jnp.zeros(WIDTH)},
    }
    return {
        **{"question": matrix(DIMENSIONS, WIDTH), "best": matrix(1, WIDTH)[0] * 0.5},
        **{"key": matrix(DIMENSIONS, WIDTH), "value": matrix(DIMENSIONS, WIDTH)},
        **{"partKey": matrix(len(PARTS), WIDTH) * 0.3, "partValue": matrix(len(PARTS), WIDTH) * 0.3},
        "layers": [layer() for _ in range(LAYERS)],
        **{"norm": norm(), "pool": jnp.zeros(WIDTH)},
        **{"hidden": matrix(2 * WIDTH + 1, WIDTH), "hiddenShift": jnp.zeros(WIDTH), "out": jnp.zeros(WIDTH)},
        # Begins as a regression on late interaction.
        **{"similarity": jnp.array(10.0), "bias": jnp.array(-9.0)},
    }


def head(weights, question, asked, sentence, part, key=None):
    """Log odds that each sentence answers its question.

    The question's tokens read those of the sentence and of its neighbours (cross-attention), then each other. The
    sentence's own were made without the question, so that they can be kept.

    question, sentence: [n, tokens, DIMENSIONS], vectors of length 1; asked: [n, tokens], true where there is a token;
    part: [n, tokens], 0 where there is none, else 1 + the place in PARTS.
    """
    keys = iter(jax.random.split(key, 32)) if key is not None else None

    def drop(x):
        if keys is None:
            return x
        return jnp.where(jax.random.bernoulli(next(keys), 1 - DROPOUT, x.shape), x / (1 - DROPOUT), 0)

    def split(x):
        return x.reshape(*x.shape[:2], HEADS, WIDTH // HEADS).transpose(0, 2, 1, 3)

    def attend(queries, keys_, values, mask, more=0.0):
        scores = queries @ keys_.transpose(0, 1, 3, 2) * (WIDTH // HEADS) ** -0.5 + more
        shares = jax.nn.softmax(jnp.where(mask[:, None, None, :], scores, -1e9), -1)
        return (shares @ values).transpose(0, 2, 1, 3).reshape(queries.shape[0], -1, WIDTH)

    def normed(x, norm):
        centred = x - x.mean(-1, keepdims=True)
        return centred * jax.lax.rsqrt((centred**2).mean(-1, keepdims=True) + 1e-5) * norm["gain"] + norm["shift"]

    said, place = part > 0, jnp.maximum(part - 1, 0)
    cosines = jnp.einsum("nqd,nsd->nqs", question, sentence)
    best = jnp.where((part == 1 + PARTS.index("own"))[:, None, :], cosines, -1).max(-1)
    similarity = jnp.where(asked, best, 0).sum(1) / asked.sum(1)
    question, sentence = question * DIMENSIONS**0.5, sentence * DIMENSIONS**0.5
    x = drop(question @ weights["question"] + ((best - 0.6) * 5)[..., None] * weights["best"])
    read_keys = split(sentence @ weights["key"] + weights["partKey"][place])
    read_values = split(drop(sentence @ weights["value"] + weights["partValue"][place]))
    for layer in weights["layers"]:
        reading, own = layer["reading"], layer["own"]
        y = normed(x, layer["readingNorm"])
        nearness = layer["cosines"][None, :, None, None] * cosines[:, None]
        nearness += layer["parts"][:, place].transpose(1, 0, 2)[:, :, None]
        x += drop(attend(split(y @ reading["query"]), read_keys, read_values, said, nearness) @ reading["out"])
        y = normed(x, layer["ownNorm"])
        x += drop(attend(*(split(y @ own[name]) for name in ("query", "key", "value")), asked) @ own["out"])
        y = normed(x, layer["forwardNorm"])
        x += drop(jax.nn.gelu(y @ layer["up"] + layer["upShift"]) @ layer["down"] + layer["downShift"])
    x = normed(x, weights["norm"])
    shares = jax.nn.softmax(jnp.where(asked, x @ weights["pool"], -1e9), -1)
    pooled = jnp.concatenate([jnp.einsum("nq,nqw->nw", shares, x), x[:, 0], similarity[:, None]], 1)
    hidden = drop(jax.nn.gelu(pooled @ weights["hidden"] + weights["hiddenShift"]))
    return hidden @ weights["out"] + weights["similarity"] * similarity + weights["bias"]


# --- Training -----------------------------------------------------------------------------------------------------


def loss(weights, question, asked, sentences, parts, answers, there, key):
    """Which of a question's sentences answers it, or none (softmax with a zero for none), and each alone (log loss)."""
    count, most = answers.shape
    flat = lambda x: x.reshape(count * most, *x.shape[2:])
    odds = head(
        weights,
        jnp.repeat(question, most, 0).astype(jnp.float32),
        jnp.repeat(asked, most, 0),
        flat(sentences).astype(jnp.float32),
        flat(parts),
        key,
    ).reshape(count, most)
    share = jnp.where(answers > 0, 2.0, 1.0) * there
    alone = (optax.sigmoid_binary_cross_entropy(odds, answers) * share).sum() / share.sum()
    odds = jnp.where(there, odds, -1e9)
    none = jnp.zeros((count, 1))
    right = jnp.concatenate(
        [jnp.where(answers.sum(1, keepdims=True) > 0, -1e9, none), jnp.where(answers > 0, odds, -1e9)], 1
    )
    every = jnp.concatenate([none, odds], 1)
    return (jax.nn.logsumexp(every, 1) - jax.nn.logsumexp(right, 1)).mean() + alone


def padded(vectors, marks, lengths):
    """marks: one for each token, not zero."""
    longest = max(len(one) for one in vectors)
    length = next((size for size in lengths if size >= longest), lengths[-1])
    values = np.zeros((len(vectors), length, DIMENSIONS), np.float16)
    there = np.zeros((len(vectors), length), np.int8)
    for row, (one, mark) in enumerate(zip(vectors, marks)):
        values[row, : len(one)] = one[:length]
        there[row, : len(one)] = mark[:length]
    return values, there


def in_context(sentence, encode):
    """The vectors of a sentence's parts, one after the other, and which part each is of."""
    vectors, marks = [], []
    for place, part in enumerate(PARTS):
        if sentence[part] is None:
            continue
        most = MOST_TOKENS[part]
        one = encode(sentence[part])
        vectors.append(one[-most:] if part == "before" else one[:most])
        marks.append(np.full(len(vectors[-1]), 1 + place, np.int8))
    return np.concatenate(vectors), np.concatenate(marks)


def choose(example, stranger, random):
    """The sentences of one step, and which of them answer: up to two that do, one on something else altogether, and of the
    others mostly those most like the question."""
    right, wrong = np.flatnonzero(example["answers"]), np.flatnonzero(example["answers"] == 0)
    right = random.permutation(right)[:2]
    order = np.argsort(-(example["similarities"][wrong] + random.gumbel(size=len(wrong)) * 0.03))
    near = wrong[order[: SENTENCES_PER_QUESTION - 1 - len(right)]]
    sentences = [example["sentences"][at] for at in (*right, *near)]
    return [*sentences, stranger["sentences"][0]], [1] * len(right) + [0] * (1 + len(near))


def stranger_to(example, data, random):
    """A question on another document."""
    title = lambda other: other["sentences"][0]["own"].split("\n")[0]
    while True:
        other = data[random.integers(len(data))]
        if title(other) != title(example):
            return other


def batch(chosen, strangers, encode, random):
    picked = [choose(example, stranger, random) for example, stranger in zip(chosen, strangers)]
    rows = range(SENTENCES_PER_QUESTION)
    there = np.array([[row < len(answers) for row in rows] for _, answers in picked])
    answers = np.array([[*answers, *[0] * SENTENCES_PER_QUESTION][:SENTENCES_PER_QUESTION] for _, answers in picked])
    questions = [encode(example["question"])[: MOST_TOKENS["question"]] for example in chosen]
    question, asked = padded(questions, [np.ones(len(one)) for one in questions], LENGTHS["question"])
    nothing = (questions[0][:1], np.array([1]))
    read = [
        in_context(sentences[row], encode) if row < len(sentences) else nothing for sentences, _ in picked for row in rows
    ]
    sentences, parts = padded(*zip(*read), LENGTHS["sentence"])
    # Tokens are left out at random, but not the first, so that there is always one.
    for marks in (asked, parts):
        marks[:, 1:] *= random.random(marks[:, 1:].shape) > TOKEN_DROPOUT
    shape = (len(chosen), SENTENCES_PER_QUESTION, -1)
    return question, asked > 0, sentences.reshape(*shape, DIMENSIONS), parts.reshape(shape), answers.astype(np.float32), there


def train(data, encode, seed=0):
    random = np.random.default_rng(seed)
    key = jax.random.key(seed)
    weights = initial(key)
    steps = len(data) // QUESTIONS_PER_STEP * EPOCHS
    optimizer = optax.chain(
        optax.clip_by_global_norm(1.0),
        optax.adamw(optax.warmup_cosine_decay_schedule(0, LEARNING_RATE, 100, steps), weight_decay=0.01),
    )
    state = optimizer.init(weights)

    @jax.jit
    def step(weights, state, key, *inputs):
        lost, slope = jax.value_and_grad(loss)(weights, *inputs, key)
        change, state = optimizer.update(slope, state, weights)
        return optax.apply_updates(weights, change), state, lost

    for epoch in range(EPOCHS):
        losses = []
        # Questions with sentences of like length go together: less padding.
        order = random.permutation(len(data))
        pools = np.array_split(order, max(1, len(order) // 128))
        order = np.concatenate([sorted(pool, key=lambda at: data[at]["longest"]) for pool in pools])
        starts = np.arange(0, len(order) - QUESTIONS_PER_STEP + 1, QUESTIONS_PER_STEP)
        for start in random.permutation(starts):
            chosen = [data[at] for at in order[start : start + QUESTIONS_PER_STEP]]
            strangers = [stranger_to(example, data, random) for example in chosen]
            key, used = jax.random.split(key)
            weights, state, lost = step(weights, state, used, *batch(chosen, strangers, encode, random))
            losses.append(float(lost))
        print(f"epoch {epoch + 1} of {EPOCHS}: loss {np.mean(losses):.3f}", flush=True)
    return jax.tree.map(np.asarray, weights)


# --- ONNX ---------------------------------------------------------------------------------------------------------


class Graph:
    """One question and one sentence, so that nothing is padded."""

    def __init__(self):
        self.nodes, self.constants = [], []

    def constant(self, value):
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def __call__(self, kind, *inputs, **attributes):
        name = f"n{len(self.nodes)}"
        inputs = [one if isinstance(one, str) else self.constant(one) for one in inputs]
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name


def graph_of(weights):
    g = Graph()
    f = np.float32
    shape = lambda *sizes: np.array(sizes, np.int64)

    def vectors(name):
        """Packed token vectors (inference/token-vectors.ts): whole numbers and a scale for each token."""
        return g("Mul", g("Cast", name, to=TensorProto.FLOAT), f"{name}_scales")

    def split(x):
        return g("Transpose", g("Reshape", x, shape(0, HEADS, WIDTH // HEADS)), perm=[1, 0, 2])

    def attend(queries, keys_, values, more=None):
        scores = g("Mul", g("MatMul", queries, g("Transpose", keys_, perm=[0, 2, 1])), f((WIDTH // HEADS) ** -0.5))
        if more is not None:
            scores = g("Add", scores, more)
        read = g("MatMul", g("Softmax", scores, axis=-1), values)
        return g("Reshape", g("Transpose", read, perm=[1, 0, 2]), shape(-1, WIDTH))

    def normed(x, norm):
        return g("LayerNormalization", x, norm["gain"], norm["shift"], axis=-1, epsilon=1e-5)

    def linear(x, matrix, shift=None):
        product = g("MatMul", x, matrix)
        return product if shift is None else g("Add", product, shift)

    gelu = lambda x: g("Gelu", x, approximate="tanh")
    question, parts = vectors("question"), [vectors(part) for part in PARTS]
    sentence = g("Concat", *parts, axis=0)

    def by_part(values, axis=0):
        """For each token the row, or the column, of its part."""
        spread = [
            g("Expand", np.take(values, [place], axis), g("Concat", *(sizes if axis == 0 else sizes[::-1]), axis=0))
            for place, part in enumerate(parts)
            for sizes in [(g("Shape", part, start=0, end=1), shape(1))]
        ]
        return g("Concat", *spread, axis=axis)

    cosines = g("MatMul", question, g("Transpose", sentence, perm=[1, 0]))
    own = g("MatMul", question, g("Transpose", parts[PARTS.index("own")], perm=[1, 0]))
    best = g("ReduceMax", own, shape(1), keepdims=1)
    similarity = g("ReduceMean", best, shape(0), keepdims=1)
    question, sentence = (g("Mul", one, f(DIMENSIONS**0.5)) for one in (question, sentence))
    strength = g("Mul", g("Sub", best, f(0.6)), f(5))
    x = g("Add", linear(question, weights["question"]), g("Mul", strength, weights["best"]))
    read_keys, read_values = (
        split(linear(sentence, weights[name], by_part(weights[f"part{name.capitalize()}"]))) for name in ("key", "value")
    )
    for layer in weights["layers"]:
        reading, own = layer["reading"], layer["own"]
        y = normed(x, layer["readingNorm"])
        nearness = g("Mul", g("Unsqueeze", cosines, shape(0)), layer["cosines"][:, None, None])
        nearness = g("Add", nearness, g("Unsqueeze", by_part(layer["parts"], axis=1), shape(1)))
        read = attend(split(linear(y, reading["query"])), read_keys, read_values, nearness)
        x = g("Add", x, linear(read, reading["out"]))
        y = normed(x, layer["ownNorm"])
        read = attend(*(split(linear(y, own[name])) for name in ("query", "key", "value")))
        x = g("Add", x, linear(read, own["out"]))
        y = normed(x, layer["forwardNorm"])
        x = g("Add", x, linear(gelu(linear(y, layer["up"], layer["upShift"])), layer["down"], layer["downShift"]))
    x = normed(x, weights["norm"])
    shares = g("Softmax", g("MatMul", x, weights["pool"]), axis=-1)
    pooled = g("MatMul", g("Unsqueeze", shares, shape(0)), x)
    first = g("Slice", x, shape(0), shape(1), shape(0))
    hidden = gelu(linear(g("Concat", pooled, first, similarity, axis=1), weights["hidden"], weights["hiddenShift"]))
    odds = g("Add", g("MatMul", hidden, weights["out"]), weights["bias"])
    odds = g("Add", odds, g("Mul", g("Reshape", similarity, shape(1)), weights["similarity"]))
    g.nodes.append(helper.make_node("Identity", [odds], ["odds"]))
    value = lambda name, kind, *dims: helper.make_tensor_value_info(name, kind, dims)
    inputs = []
    for name in ("question", *PARTS):
        inputs.append(value(name, TensorProto.INT8, f"{name}_tokens", DIMENSIONS))
        inputs.append(value(f"{name}_scales", TensorProto.FLOAT, f"{name}_tokens", 1))
    graph = helper.make_graph(g.nodes, "answer_head", inputs, [value("odds", TensorProto.FLOAT, 1)], g.constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    onnx.checker.check_model(model, full_check=True)
    return model


def pack(vectors):
    """As inference/token-vectors.ts packs them."""
    scales = np.abs(vectors).max(1, keepdims=True).astype(np.float32) / 127
    return np.round(vectors / scales).astype(np.int8), scales


def check(model, weights, data, encode):
    """The graph says what the head says, but for what packing changes."""
    session = onnxruntime.InferenceSession(model.SerializeToString())
    none = np.zeros((0, DIMENSIONS), np.float32)
    for example in data[:: len(data) // 10]:
        for sentence in example["sentences"][:2]:
            vectors = {part: none if text is None else encode(text) for part, text in sentence.items()}
            vectors["question"] = encode(example["question"])
            inputs = {}
            for name, one in vectors.items():
                inputs[name], inputs[f"{name}_scales"] = pack(one.astype(np.float32))
            (odds,) = session.run(None, inputs)[0]
            whole = np.concatenate([vectors[part] for part in PARTS])
            marks = np.concatenate([np.full(len(vectors[part]), 1 + place) for place, part in enumerate(PARTS)])
            asked = np.ones((1, len(vectors["question"])), bool)
            (expected,) = head(weights, vectors["question"][None].astype(np.float32), asked, whole[None], marks[None])
            assert abs(odds - expected) < 0.5, (odds, expected)


def main(folder):
    encode = Encoder(folder)
    data = list(examples())
    for example in data:
        question = encode(example["question"]).astype(np.float32)
        sentences = [encode(sentence["own"]) for sentence in example["sentences"]]
        example["similarities"] = np.array([(question @ one.T).max(1).mean() for one in sentences])
        example["longest"] = max(len(one) for one in sentences)
    print(f"{len(data)} questions, {len(encode.known)} texts", flush=True)
    weights = train(data, encode)
    model = graph_of(weights)
    check(model, weights, data, encode)
    onnx.save(model, folder / "answer_head.onnx")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
