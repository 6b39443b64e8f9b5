"""Fills pages in: formulas, and what stands in ``{{ }}`` is made from results, commands, docstrings and files."""

import inspect
from functools import partial
from pathlib import Path

import jinja2

import guidedrec_core
from guidedrec_core.cli.main import main as program
from guidedrec_core.errors import GuidedrecError, InputError
from sitegen import command_line, python_api
from sitegen.mathml import with_mathml
from sitegen.measured import desk, directions, explanations, gain, leaderboard, names, peers, people, speed
from sitegen.results import Results

ROOT = Path(__file__).resolve().parents[2]


def environment(results: Results) -> jinja2.Environment:
    """Return what pages may call: the functions that make tables, the command line, the API, files of the project."""
    # A misspelt name must stop the build, not leave a gap.
    made = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False, keep_trailing_newline=True)
    for module in (gain, names, peers, explanations, leaderboard, people, directions, speed, desk):
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if function.__module__ == module.__name__ and not name.startswith("_"):
                made.globals[name] = partial(function, results)
    made.globals |= {
        "commands_table": partial(command_line.commands_table, program),
        "command_reference": partial(command_line.reference, program),
        "python_reference": partial(python_api.reference, guidedrec_core),
        "project_file": project_file,
    }
    return made


def project_file(name: str) -> str:
    """Return the text of a file at the root of the project without its title, for a page that has one of its own.

    Links into `docs/` are made to lead from there.
    """
    title, _, text = (ROOT / name).read_text(encoding="utf-8").partition("\n")
    if not title.startswith("# "):
        raise InputError(f"expected {name} to begin with its title, got {title!r}")
    return text.replace("](docs/", "](")


def fill_in(name: str, markdown: str, results: Results) -> str:
    """Fill one page in.

    Raises
    ------
    InputError
        The page, which is named, calls what is not there or names a result that is not stored.
    """
    try:
        return environment(results).from_string(with_mathml(markdown)).render()
    except (jinja2.TemplateError, GuidedrecError, LookupError) as error:
        raise InputError(f"docs/{name}: {error}") from error
