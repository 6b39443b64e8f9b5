"""Whether checks catch faults, and how long a catalogue-wide what-if takes."""

from sitegen.results import Results
from sitegen.tables import table


def checks_summary(results: Results, name: str) -> str:
    """Say how many faults were caught, and how many clean retrainings set off an alarm."""
    found = results.read(name)
    faults, clean = found["faults"], found["clean"]
    return (
        f"{faults['caught']} of {faults['of']} planted faults were caught; {clean['with_an_alarm']} of "
        f"{len(clean['runs'])} clean retrainings set off an alarm"
    )


def checks_table(results: Results, name: str) -> str:
    """Write each planted fault with the checks that caught it."""
    rows = [[one["fault"], "; ".join(one["caught_by"]) or "none"] for one in results.read(name)["faults"]["planted"]]
    return table(["Fault", "caught by"], rows, left=2)


def sandbox_table(results: Results, name: str) -> str:
    """Write how long each change took."""
    rows = []
    for each in results.read(name)["sandboxes"]:
        users = f"{each['sampled']:,} of {each['users']:,}"
        for text, one in each["changes"].items():
            seconds = [f"{one[key]:.2f}" for key in ("wall_median", "wall_most", "processor_median")]
            rows.append([each["data"], users, f"{each['items']:,}", f"`{text}`", *seconds])
    return table(["Data", "users", "items", "change", "s, median", "s, most", "processor s"], rows)
