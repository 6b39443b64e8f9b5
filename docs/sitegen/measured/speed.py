"""Time and memory: builds, training at growing sizes, ranking, scoring by a language model, scoring without one."""

from sitegen.results import Results
from sitegen.tables import number, table


def build_table(results: Results, name: str) -> str:
    """Write the seconds of each step of a build from nothing, alone and, where measured, next to a busy process."""
    found = results.read(name)
    busy = found.get("next_to_busy_processes")
    builds = [found] if busy is None else [found, busy]
    rows = [[step, *(number(build["seconds"][step], 1) for build in builds)] for step in found["seconds"]]
    heads = ["Step", "seconds", "next to a busy process"][: 1 + len(builds)]
    return table(heads, [*rows, ["all", *(number(build["seconds_in_all"], 1) for build in builds)]])


def build_fact(results: Results, name: str, fact: str, digits: int = 0) -> str:
    """Write one number of a build, e.g. ``seconds_to_first_case``."""
    return number(results.read(name)[fact], digits)


_FIRST_MINUTE = {
    "first start, case": "from the start of the app on an empty home to the first case",
    "second start, answer": "second start, to the Overview's answer",
    "second start, overview": "second start, to the whole Overview",
    "page change, first round": "a page for the first time, the slowest",
    "page change, second round": "a page once more, the slowest",
    "command, --help": "`guidedrec --help`",
    "command, runs list": "`guidedrec runs list`",
}


def first_minute_table(results: Results, name: str) -> str:
    """Write the seconds of the first minute with the app, medians of several starts."""
    medians = results.read(name)["median"]
    rows = [
        [words, number(max(value for step, value in medians.items() if step.startswith(start)), 1)]
        for start, words in _FIRST_MINUTE.items()
    ]
    return table(["Step", "seconds"], rows)


def scaling_table(results: Results, name: str) -> str:
    """Write an epoch's seconds and the memory at growing catalogues, for each model measured."""
    rows = [
        [
            size.get("arm", "base"),
            f"{size['items']:,}",
            f"{size['interactions']:,}",
            number(size["epoch_seconds"], 1),
            number(size["microseconds_a_target"], 1),
            number(size["peak_gib"], 1),
        ]
        for size in results.read(name)["sizes"]
    ]
    heads = ["Model", "items", "interactions", "seconds an epoch", "microseconds a target", "memory, GiB"]
    return table(heads, rows)


def retrieval_table(results: Results, name: str) -> str:
    """Write the time of one user's ten best by method, at growing catalogues."""
    rows = [
        [f"{row['items']:,}", row["method"], number(row["median_ms"], 2), number(row["min_ms"], 2)]
        for row in results.read(name)["one_user"]
    ]
    return table(["Items", "Method", "median, ms", "fastest, ms"], rows, left=2)


def all_users_table(results: Results, name: str) -> str:
    """Write the time of everybody's lists."""
    found = results.read(name)["all_users"]
    rows = [[what, number(times["median"], 2)] for what, times in found["seconds"].items()]
    return table([f"{found['users']:,} users, {found['items']:,} items", "median, s"], rows)


def scoring_table(results: Results, name: str) -> str:
    """Write what scoring adds to the time of a server of fixed latency."""
    rows = [
        [f"{row['latency_s']:.0f} s", row["method"], row["requests"], number(row["overhead_percent"], 1)]
        for row in results.read(name)["runs"]
    ]
    return table(["The server answers after", "Client", "requests", "added to the server's time, %"], rows, left=2)


def offline_table(results: Results, name: str) -> str:
    """Write how near scores of a text model come to those of a language model, by way of reading them."""
    data = results.read(name)["data"]
    ways = next(iter(data.values()))["mean_correlation"]
    rows = [[way, *(number(found["mean_correlation"][way], 2) for found in data.values())] for way in ways]
    return table(["Mean correlation over attributes", *data], rows)


def machine(results: Results, name: str) -> str:
    """Write what a result was measured on."""
    facts = results.read(name)["machine"]
    memory = f", {facts['memory_gib']:.0f} GiB" if "memory_gib" in facts else ""
    return f"{facts['cores']} cores of {facts['cpu']}{memory}"
