"""Results of Keras and JAX, computed in a separate process.

JAX starts threads, warns at every fork from then on, and Keras reads a file of settings
from the home folder: neither belongs into the process that runs all the other tests.
"""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np


def answers(questions, folder):
    """Compute ``(function, arguments)`` pairs, functions named as below, in one fresh process."""
    asked, answered = folder / "questions", folder / "answers"
    asked.write_bytes(pickle.dumps(questions))
    settings = {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu", "KERAS_HOME": str(folder)}
    subprocess.run(
        [sys.executable, __file__, str(asked), str(answered)], check=True, env=os.environ | settings
    )
    return pickle.loads(answered.read_bytes())


def keras_layer(name, config, weights, x):
    """Return the output of a Keras layer with these weights."""
    import keras

    layer = getattr(keras.layers, name)(**config)
    layer.build(x.shape)
    layer.set_weights(weights)
    return np.asarray(layer(x))


def jax_function(name, *arguments, **options):
    """Return the output of a function of ``jax.lax``."""
    import jax

    return np.asarray(getattr(jax.lax, name)(*arguments, **options))


if __name__ == "__main__":
    asked, answered = map(Path, sys.argv[1:])
    results = [
        globals()[function](*arguments, **options)
        for function, arguments, options in pickle.loads(asked.read_bytes())
    ]
    answered.write_bytes(pickle.dumps(results))
