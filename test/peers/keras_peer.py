"""The Keras side of keras.peer.ts.

make FOLDER    writes models of every supported kind, with inputs and expected outputs; prints their names
check FOLDER   builds models, loads the .weights.h5 files that cudnn-gru wrote, writes their outputs
gradients FOLDER   the gradient of the sum of squares of one model's output, from PyTorch's autograd
"""

import json
import sys
from pathlib import Path

import keras
import numpy as np
import torch
from keras import Input, Model, Sequential, layers
from safetensors.numpy import load_file, save_file

mode, folder = sys.argv[1], Path(sys.argv[2])
keras.utils.set_random_seed(1)
random = np.random.default_rng(1)

signal = random.standard_normal((4, 6, 5)).astype(np.float32)
# Rows: full, padded right, padded left, with holes, empty.
ids = np.array([[3, 1, 4, 1, 5, 9], [2, 6, 5, 0, 0, 0], [0, 0, 3, 5, 8, 9], [7, 0, 0, 9, 0, 2], [0, 0, 0, 0, 0, 0]], np.int32)


def wake(model):
    """No weight is 0 or 1: a forgotten bias or gain must show."""
    for weight in model.weights:
        if "seed" not in weight.path:
            weight.assign(weight + random.uniform(-0.3, 0.3, weight.shape).astype(np.float32))
    return model


def sequential(*parts):
    return Sequential([Input((None, 5)), *parts])


def masked(*parts):
    return Sequential([Input((None,)), layers.Embedding(10, 4, mask_zero=True), *parts])


def models():
    for reset_after in (True, False):
        suffix = "after" if reset_after else "before"
        gru = lambda units, **options: layers.GRU(units, reset_after=reset_after, **options)
        yield f"plain_{suffix}", sequential(gru(3)), signal
        yield f"no_bias_{suffix}", sequential(gru(3, use_bias=False, return_sequences=True)), signal
        yield f"backwards_{suffix}", sequential(gru(3, go_backwards=True, return_sequences=True)), signal
        yield f"stack_{suffix}", sequential(gru(3, return_sequences=True), layers.LayerNormalization(), gru(4)), signal
        yield f"masked_last_{suffix}", masked(gru(3)), ids
        yield f"masked_{suffix}", masked(gru(3, return_sequences=True), gru(4, return_sequences=True)), ids
        yield f"masked_backwards_{suffix}", masked(gru(3, return_sequences=True, go_backwards=True)), ids
        yield f"masked_zero_{suffix}", masked(gru(3, return_sequences=True, zero_output_for_mask=True)), ids
        for merge in ("concat", "sum", "mul", "ave"):
            both = lambda **options: layers.Bidirectional(gru(3, **options), merge_mode=merge)
            yield f"{merge}_{suffix}", sequential(both(return_sequences=True), both()), signal
            yield f"{merge}_masked_{suffix}", masked(both(return_sequences=True), both()), ids
        x = Input((None, 5), name="x")
        h = Input((3,), name="h")
        first, second = layers.Bidirectional(gru(3, return_sequences=True), merge_mode=None)(x)
        sequence, state = gru(3, return_sequences=True, return_state=True)(second, initial_state=h)
        shared = layers.Dense(2, activation="tanh")
        last = gru(3)(first, initial_state=state)
        yield f"functional_{suffix}", Model([x, h], [shared(sequence), shared(last)]), [signal, random.standard_normal((4, 3)).astype(np.float32)]
        both = layers.Bidirectional(gru(3, return_sequences=True, return_state=True))
        sequence, forward, backward = both(x)
        again = layers.Bidirectional(gru(3))(sequence, initial_state=[backward, forward])
        yield f"states_{suffix}", Model(x, [again, forward]), signal
    for activation in ("relu", "sigmoid", "softmax", "log_softmax"):
        yield activation, sequential(layers.Dense(4, activation=activation), layers.Activation("tanh")), signal
    yield "norm", sequential(layers.LayerNormalization(center=False), layers.LayerNormalization(scale=False, epsilon=0.01)), signal
    yield "distributed", sequential(layers.GRU(3, return_sequences=True), layers.TimeDistributed(layers.Dense(2, activation="relu"))), signal


def exported():
    """What cudnn-gru wrote, under the same names in keras.peer.ts."""
    for reset_after in (True, False):
        suffix = "after" if reset_after else "before"
        both = lambda **options: layers.Bidirectional(layers.GRU(4, reset_after=reset_after, return_sequences=True, **options))
        yield f"exported_{suffix}", Sequential(
            [Input((None,)), layers.Embedding(10, 6), both(), both(), layers.LayerNormalization(epsilon=1e-5), layers.Dropout(0.5),
             layers.GRU(3, reset_after=reset_after, use_bias=False, return_sequences=True), layers.Dense(2), layers.Dense(2)]
        )


def outputs_of(model, inputs):
    with torch.no_grad():
        result = model(inputs)
    result = result if isinstance(result, (list, tuple)) else [result]
    return [np.ascontiguousarray(keras.ops.convert_to_numpy(value)) for value in result]


names = []
if mode == "make":
    for name, model, inputs in models():
        wake(model)
        inputs = inputs if isinstance(inputs, list) else [inputs]
        record = {f"input{i}": value for i, value in enumerate(inputs)}
        record |= {f"output{i}": value for i, value in enumerate(outputs_of(model, inputs if len(inputs) > 1 else inputs[0]))}
        save_file(record, folder / f"{name}.safetensors")
        model.save(folder / f"{name}.keras")
        model.save(folder / f"{name}.h5")
        model.save_weights(folder / f"{name}.weights.h5")
        (folder / f"{name}.json").write_text(model.to_json())
        names.append(name)
elif mode == "check":
    for name, model in exported():
        model.load_weights(folder / f"{name}.weights.h5")
        inputs = load_file(folder / f"{name}.inputs.safetensors")["ids"]
        save_file({"output0": outputs_of(model, inputs)[0]}, folder / f"{name}.outputs.safetensors")
        names.append(name)
    # A model that came from Keras goes back to Keras.
    for path in sorted(folder.glob("*.back.weights.h5")):
        name = path.name.removesuffix(".back.weights.h5")
        model = keras.saving.load_model(folder / f"{name}.keras")
        expected = [weight.numpy().copy() for weight in model.weights]
        for weight in model.weights:
            weight.assign(weight * 0)
        model.load_weights(path)
        for weight, value in zip(model.weights, expected):
            np.testing.assert_allclose(keras.ops.convert_to_numpy(weight), value, atol=1e-6)
        names.append(name)
elif mode == "gradients":
    model = keras.saving.load_model(folder / "masked_after.keras")
    (model(ids) ** 2).sum().backward()
    save_file({weight.path: weight.value.grad.numpy() for weight in model.trainable_weights}, folder / "gradients.safetensors")
    names = [weight.path for weight in model.trainable_weights]
print(json.dumps(names))
