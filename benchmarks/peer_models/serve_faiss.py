"""An exact FAISS index that searches once for every line it reads and answers with the seconds and the items found.

The bias is one more column of the items, met by a 1 in the user vector. `IndexFlatIP` knows no seen items, so it is
asked for as many more, and they are left out afterwards.
"""

import json
import sys
import time

import faiss
import numpy as np


def main():
    path, k, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    faiss.omp_set_num_threads(threads)
    with np.load(path) as arrays:
        items, bias, user, seen = arrays["items"], arrays["bias"], arrays["user"], arrays["seen"]
    index = faiss.IndexFlatIP(items.shape[1] + 1)
    index.add(np.column_stack([items, bias]))
    query = np.append(user, np.float32(1))[None]
    hidden = set(seen.tolist())
    print(json.dumps(faiss.__version__), flush=True)
    for _ in sys.stdin:
        started = time.perf_counter()
        _, found = index.search(query, k + len(hidden))
        best = [item for item in found[0].tolist() if item not in hidden][:k]
        print(json.dumps([time.perf_counter() - started, best]), flush=True)


if __name__ == "__main__":
    main()
