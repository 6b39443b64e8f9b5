"""Alternating least squares or TF-IDF item-kNN of implicit, with a grid of iterations or neighbours.

An "epoch" is one value of the grid, so the seconds to the best one are those of the search so far.
"""

import implicit
import numpy as np
from implicit.als import AlternatingLeastSquares
from implicit.nearest_neighbours import TFIDFRecommender
from record import Record
from scipy import sparse

FACTORS = 64
ITERATIONS = (5, 10, 15, 30)
NEIGHBOURS = (20, 50, 100, 200)


def als_scores(model, seen):
    """Fold histories in, as other models read them without being trained anew."""
    return model.recalculate_user(np.arange(seen.shape[0]), seen) @ model.item_factors.T


def item_knn_scores(model, seen):
    """Sum the likeness of every item to those of the history."""
    return (seen @ model.similarity).toarray()


SCORES = {"als": als_scores, "item_knn": item_knn_scores}


def main():
    record = Record()
    split, options = record.split, record.options
    seen = {}
    for part in ("valid", "test"):
        users, items = split.pairs(part)
        shape = (split.n_users, split.n_items)
        seen[part] = sparse.csr_matrix((np.ones(len(users), np.float32), (users, items)), shape=shape)

    grid = ITERATIONS if options.model == "als" else NEIGHBOURS
    for value in grid:
        record.start()
        if options.model == "als":
            model = AlternatingLeastSquares(
                factors=FACTORS, iterations=value, num_threads=options.threads, random_state=options.seed
            )
        else:
            model = TFIDFRecommender(K=value, num_threads=options.threads)
        model.fit(seen["valid"], show_progress=False)
        record.epoch(lambda part, model=model: SCORES[options.model](model, seen[part]))
    record.stopped = "done"
    settings = {"grid": grid, "best": grid[record.best_epoch - 1], "factors": FACTORS}
    record.finish(settings=settings, versions={"implicit": implicit.__version__})


if __name__ == "__main__":
    main()
