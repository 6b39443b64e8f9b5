"""Stage base: a base model is trained, or made of vectors that the user brings. It never sees a guided score."""

from typing import Any

from guidedrec_core.config import BuildConfig, ExternalConfig
from guidedrec_core.data.notices import Notice
from guidedrec_core.data.prepared import PreparedData
from guidedrec_core.models.external import choose_decay, external_identity, load_external
from guidedrec_core.models.registry import make_base
from guidedrec_core.progress import Listener, Progress, silent
from guidedrec_core.runs.store import Run, RunStore
from guidedrec_core.stages.common import checkpoint_file, curve, find_equal, fit, ndcg, training_summary
from guidedrec_core.stages.system import weight_arrays
from guidedrec_core.training.device import settled


def train_base(store: RunStore, data: Run, config: BuildConfig, listener: Listener = silent) -> Run:
    """Train a base model on the training part, or read an external one."""
    config = config.model_copy(update={"training": settled(config.training)})
    settings = {name: getattr(config, name).model_dump(mode="json") for name in ("split", "encoder", "training")}
    if config.external is not None:
        return _external(store, data, config, config.external, settings, listener)
    found = find_equal(store, "base", settings, {"data": data.id}, config.seed)
    if found is not None:
        return found
    prepared = PreparedData.of(data, config.split)
    model = make_base(config.encoder, prepared.sequences.n_items, config.seed)
    checkpoint = checkpoint_file(store, "base", settings, {"data": data.id}, config.seed)
    result = fit(model, prepared, config, "base", "train base", listener, checkpoint)
    with store.create("base", config=settings, inputs={"data": data}, seed=config.seed) as writer:
        writer.write_arrays("weights", weight_arrays(model))
        writer.write_table("training", curve(result))
        writer.write_json("notices", [])
        writer.summary.update(training_summary(result), kind=config.encoder.kind)
    checkpoint.unlink(missing_ok=True)
    return writer.run


def _external(
    store: RunStore,
    data: Run,
    config: BuildConfig,
    external: ExternalConfig,
    settings: dict[str, Any],
    listener: Listener,
) -> Run:
    """Store an external base; only how its users' vectors fade is chosen here, on the validation part."""
    settings = {**settings, "external": external_identity(external)}
    found = find_equal(store, "base", settings, {"data": data.id}, config.seed)
    if found is not None:
        return found
    listener(Progress("train base", message="reading the vectors of the external base"))
    prepared = PreparedData.of(data, config.split)
    model, notices = load_external(external, prepared.dataset.items, prepared.dataset.users)
    if external.decay is None:
        cases = prepared.valid_cases
        model = choose_decay(model, lambda m: ndcg(m, prepared, cases)).model
    with store.create("base", config=settings, inputs={"data": data}, seed=config.seed) as writer:
        writer.write_arrays("weights", model.arrays())
        writer.write_json("notices", [n.as_dict() for n in notices])
        writer.summary.update(kind="external", similarity=model.similarity, decay=model.decay)
        writer.summary.update(_matched(prepared, external, notices))
    return writer.run


def _matched(prepared: PreparedData, external: ExternalConfig, notices: tuple[Notice, ...]) -> dict[str, int]:
    """Count what has vectors of its own; of several sources, the one that lacks most tells."""

    def with_vectors(kind: str, everything: int) -> int:
        return everything - max((n.count for n in notices if n.code == f"{kind}s_without_vectors"), default=0)

    counts = {"items_with_vectors": with_vectors("item", len(prepared.dataset.items))}
    if external.user_vectors is not None:
        counts["users_with_vectors"] = with_vectors("user", len(prepared.dataset.users))
    return counts
