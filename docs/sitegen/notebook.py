"""A notebook as a page: its text, its code, and what the code printed if that is stored."""

import json
from typing import Any


def as_markdown(notebook: str) -> str:
    r"""Return a notebook as Markdown.

    Parameters
    ----------
    notebook : str
        The file's text, of format 4.

    Examples
    --------
    >>> title = {"cell_type": "markdown", "source": ["# Title"]}
    >>> sums = {"cell_type": "code", "source": "1 + 1", "outputs": []}
    >>> as_markdown(json.dumps({"nbformat": 4, "cells": [title, sums]}))
    '# Title\n\n```python\n1 + 1\n```\n'
    """
    parts = []
    for cell in json.loads(notebook)["cells"]:
        source = _text(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(source)
        elif cell["cell_type"] == "code":
            parts.append(f"```python\n{source}\n```")
            parts += [shown for output in cell["outputs"] if (shown := _output(output))]
    return "\n\n".join(parts) + "\n"


def _output(output: dict[str, Any]) -> str:
    """Return a stored output: a table as HTML, text as it is, nothing of other kinds."""
    data = output.get("data", {})
    if "text/html" in data:
        # A blank line would end the block of HTML.
        return "\n".join(line for line in _text(data["text/html"]).splitlines() if line.strip())
    text = _text(output.get("text", data.get("text/plain", "")))
    return f"```text\n{text.rstrip()}\n```" if text.strip() else ""


def _text(source: str | list[str]) -> str:
    return source if isinstance(source, str) else "".join(source)
