"""Text from data reaches the screen only through `escaped`: no page gives Streamlit's Markdown anything else."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from guidedrec_core.app.errors import escaped

_ROOT = Path(__file__).resolve().parents[2]
_FILES = sorted([_ROOT / "app.py", *(_ROOT / "pages").glob("*.py"), *(_ROOT / "guidedrec_core" / "app").rglob("*.py")])

# What Streamlit reads as Markdown: the first argument of these, and these keywords of any element.
# fmt: off
_MARKDOWN_FIRST = frozenset({
    "markdown", "caption", "write", "title", "header", "subheader", "info", "warning", "error", "success",
    "toast", "exception", "metric", "button", "checkbox", "download_button", "expander", "file_uploader",
    "form_submit_button", "link_button", "multiselect", "number_input", "page_link", "pills", "popover",
    "radio", "segmented_control", "selectbox", "select_slider", "slider", "spinner", "status", "tabs",
    "text_area", "text_input", "toggle", "badge", "dialog", "date_input", "time_input", "color_picker",
    "chat_message",
})
# fmt: on
_MARKDOWN_KEYWORDS = frozenset({"body", "label", "help", "title", "text", "caption", "captions", "delta"})
_MARKDOWN_OPTIONS = frozenset({"segmented_control", "pills", "radio"})  # `format_func` of others is shown as it is

_CHECKED_BY_HAND = {
    # Fixed words of this package that travel through a variable.
    ("page.py", "page_link", "name"),
    ("page.py", "page_link", "page.question_for(question, verb)"),
    ("overview.py", "page_link", "page.question_for(question, verb)"),
    ("page.py", "title", "question"),
    ("page.py", "title", "question_for(question, verb)"),
    ("page.py", "selectbox", "label"),
    ("page.py", "selectbox", "help"),  # each line is escaped by the caller
    ("overview.py", "metric", "f'{figure.change} over base'"),  # a number; its sign gives the arrow its direction
    ("show.py", "expander", "label"),
    ("show.py", "markdown", "_tooltip(help)"),
    ("show.py", "caption", "_tooltip(help)"),
    ("charts.py", "button", "label"),
    ("changes.py", "markdown", "tooltip"),
    ("editor.py", "text_area", "label"),
    ("editor.py", "text_area", "help_"),
    ("editor.py", "text_input", "label"),
    ("editor.py", "text_input", "help_"),
    ("editor.py", "download_button", "f'Download {kind}'"),
    ("editor.py", "button", "label"),
    ("changes.py", "markdown", "f'**{heading}**'"),
    ("lists.py", "markdown", "f'**{name.capitalize()} model**'"),
    ("steering.py", "markdown", "f'**{title}**'"),
    ("charts.py", "markdown", "f'**{title}**'"),
    ("view.py", "markdown", "f'**{space.capitalize()}**' + (' · drag here to select' if space == source else '')"),
    ("audit.py", "markdown", "f'**{title} {_DIRECTIONS[direction].lower()}, most important first**'"),
    ("jobs_panel.py", "error", "f'Stopped at: {stage}'"),
    ("page.py", "info", "f'{what} have not been made for this run yet.'"),
    ("page.py", "info", "f'{what} are not ready yet. This page updates by itself when they are.'"),
    ("page.py", "page_link", "f'In the meantime: {question}'"),
    ("4_Evaluation.py", "segmented_control", "metric_label"),
    ("segments.py", "segmented_control", "metric_label"),
    ("6_Audience.py", "tabs", "segments.TABS"),
    ("segments.py", "button", "f'Who gets what in segment {number}?'"),
    ("build.py", "metric", "label"),
    ("build.py", "text_input", "label"),
    ("choices.py", "selectbox", "label"),
    ("files.py", "file_uploader", "label"),
    ("files.py", "file_uploader", "help"),
    ("show.py", "download_button", "label"),  # of `offer_file`; callers write fixed words, and their own suffixes
    ("save_case.py", "form_submit_button", "label"),
    ("cases.py", "badge", "fields.VERDICT_LABELS[content.verdict]"),
    ("cases.py", "button", "label"),
    # Of a number, or of fixed words, with text that is escaped.
    ("job_tray.py", "markdown", "f'{icon} **{word}:** {escaped(title(job)[0].lower() + title(job)[1:])}'"),
    ("cases.py", "markdown", "f\"**{place + 1}\\\\. {escaped(f'{user} {content.user_id}{item}')}**\""),
    ("thumbnail.py", "markdown", "f'# :material/{symbol(listing[c.CATEGORY])}:'"),  # one of the package's own symbols
}
_NOT_STREAMLIT = frozenset({"url", "schema", "index", "draft", "item_loaders"})  # they have a `write` or `title`, too


@pytest.mark.parametrize("path", _FILES, ids=lambda p: str(p.relative_to(_ROOT)))
def test_markdown_gets_fixed_words_numbers_and_escaped_text_only(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    wrong = [
        f"line {call.lineno}: {name}({ast.unparse(given)})"
        for scope in ast.walk(tree)
        if isinstance(scope, ast.Module | ast.FunctionDef)
        for call in _own_calls(scope)
        for name, given in _markdown_of(call)
        if (path.name, name, ast.unparse(given)) not in _CHECKED_BY_HAND and not _is_safe(given, scope, tree)
    ]
    assert not wrong, "pass it through escaped(), or show.note or show.lead"


def test_the_check_finds_text_that_is_not_escaped() -> None:
    tree = ast.parse(
        "def page(title, item):\n"
        "    st.markdown(f'**{item.title}**')\n"
        "    words = {'a': 'fixed', 'b': title}\n"
        "    st.segmented_control('Fixed', list(words), format_func=words.__getitem__)\n"
        "    st.button('Open', help=title)\n"
        "    st.info(escaped(title)); st.caption(f'{len(item)} items'); st.write('fixed')\n"
    )
    scope = tree.body[0]
    assert isinstance(scope, ast.FunctionDef)
    found = [
        name for call in _own_calls(scope) for name, given in _markdown_of(call) if not _is_safe(given, scope, tree)
    ]
    assert sorted(found) == ["button", "markdown", "segmented_control"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://evil.example/x?a=1", "\u2060https\\://evil\\.example/x?a=1"),
        ("see WWW.evil.example", "see \u2060WWW\\.evil\\.example"),
        ("a.b@evil.example", "a\\.b\\@\u2060evil\\.example"),
        (":smile: :+1: :a:b:", "\\:\u2060smile\\: \\:\u2060\\+1\\: \\:\u2060a\\:\u2060b\\:"),
        ("from 4.0 % to 5 %, 100 % sure", "from 4\\.0\u00a0% to 5\u00a0%, 100\u00a0% sure"),
        (":material/home:", "\\:\u2060material/home\\:"),
        ("a -> b -- c", "a \\-\u2060\\> b \\-\u2060\\- c"),
        ("NDCG@10. a@b", "NDCG\\@10\\. a\\@b"),
        ("give --base-url at 12:30", "give \\-\\-base\\-url at 12\\:30"),  # can be copied as it is
        ("abc\u202edcba\u2066", "abcdcba"),
        ("  two\n\nlines\t", "two lines"),
    ],
)
def test_what_the_browser_would_turn_into_something_else_is_interrupted(text: str, shown: str) -> None:
    assert escaped(text) == shown


def test_every_table_is_shown_by_show_table() -> None:
    """So that what its download button gives a spreadsheet is harmless."""
    direct = [path for path in _FILES if "st.dataframe(" in path.read_text(encoding="utf-8")]
    assert [path.name for path in direct] == ["show.py"]
    shown = AppTest.from_function(_hostile_table, default_timeout=60).run()
    assert shown.dataframe[0].value["title"].tolist() == ["'=1+1", "Tent", "-5"]


def _hostile_table() -> None:
    import pandas as pd

    from guidedrec_core.app import show

    show.table(pd.DataFrame({"title": ["=1+1", "Tent", "-5"]}), hide_index=True)


def _own_calls(scope: ast.AST) -> Iterator[ast.Call]:
    """Calls of a function or module, without those of functions inside it."""
    waiting = list(ast.iter_child_nodes(scope))
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef):
            continue
        if isinstance(node, ast.Call):
            yield node
        waiting.extend(ast.iter_child_nodes(node))


def _markdown_of(call: ast.Call) -> Iterator[tuple[str, ast.expr]]:
    """What a call gives to Markdown."""
    if not isinstance(call.func, ast.Attribute):
        return
    name = call.func.attr
    if any(isinstance(node, ast.Name) and node.id in _NOT_STREAMLIT for node in ast.walk(call.func)):
        return
    if name.endswith("Column") or name == "progress":
        yield from ((name, k.value) for k in call.keywords if k.arg in ("help", "text"))
    if name not in _MARKDOWN_FIRST:
        return
    if call.args and name != "page_link":  # its first argument is a path
        yield name, call.args[0]
    for keyword in call.keywords:
        words = keyword.arg == "format_func" and name in _MARKDOWN_OPTIONS
        if words or keyword.arg in _MARKDOWN_KEYWORDS:
            yield name, keyword.value


def _is_safe(node: ast.expr, scope: ast.AST, tree: ast.AST) -> bool:
    """Tell whether an expression holds only fixed words, numbers and escaped text."""
    match node:
        case ast.Constant():
            return True
        case ast.Call():
            parts = _parts_of_call(node)
        case ast.FormattedValue(value=value, format_spec=spec):
            number = spec is not None and not ast.unparse(spec).strip("f'\"").startswith("{")
            parts = [] if number else [value]
        case ast.IfExp(body=first, orelse=second) | ast.BinOp(left=first, right=second):
            parts = [first, second]
        case ast.JoinedStr(values=several) | ast.BoolOp(values=several) | ast.Dict(values=several):
            parts = list(several)
        case ast.List(elts=several) | ast.Tuple(elts=several):
            parts = list(several)
        case ast.GeneratorExp(elt=part) | ast.ListComp(elt=part) | ast.Lambda(body=part) | ast.Subscript(value=part):
            parts = [part]
        case ast.Attribute(value=part, attr="__getitem__" | "capitalize"):  # of a table of words, or of `str`
            parts = [part]
        case ast.Attribute():
            return "verb" in ast.unparse(node).split(".")  # the words for interactions are this package's own
        case ast.Name(id=name):
            return name.isupper() or name in ("str", "verb") or _assigned_safely(name, scope, tree)
        case _:
            return False
    return parts is not None and all(_is_safe(part, scope, tree) for part in parts)


def _parts_of_call(call: ast.Call) -> list[ast.expr] | None:
    """What the result of a call is made of; None where nobody knows."""
    match call:
        case ast.Call(func=ast.Name("escaped" | "len")):
            return []
        case ast.Call(func=ast.Attribute(ast.Constant(), "join")):
            return call.args
        case ast.Call(func=ast.Attribute(value, "capitalize" | "lower" | "count" | "count_users")):
            return [value]
    return None


def _assigned_safely(name: str, scope: ast.AST, tree: ast.AST) -> bool:
    """Tell whether all that a function or its module assigns to a name is safe."""
    if isinstance(scope, ast.FunctionDef) and name in {a.arg for a in (*scope.args.args, *scope.args.kwonlyargs)}:
        return False
    found = [
        node.value
        for node in ast.walk(scope)
        if isinstance(node, ast.Assign | ast.AugAssign)
        and name in {t.id for t in getattr(node, "targets", [getattr(node, "target", None)]) if isinstance(t, ast.Name)}
    ]
    return bool(found) and all(_is_safe(value, scope, tree) for value in found)
