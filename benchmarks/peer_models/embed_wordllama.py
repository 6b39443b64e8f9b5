"""The text model WordLlama, whose wheel brings its weights: for every line of texts in JSON, vectors in base64.

The first line it writes is its name. It is told where its files are, because it looks for the tokenizer beside where
its wheel puts it, and then on the network.
"""

import base64
import json
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import wordllama


def main():
    folder = Path(wordllama.__file__).parent
    model = wordllama.WordLlama.load(cache_dir=folder, disable_download=True)
    print(json.dumps(f"WordLlama {version('wordllama')} (l2_supercat, 256 numbers)"), flush=True)
    for line in sys.stdin:
        vectors = np.asarray(model.embed(json.loads(line)), dtype="<f4")
        print(json.dumps([vectors.shape, base64.b64encode(vectors.tobytes()).decode()]), flush=True)


if __name__ == "__main__":
    main()
