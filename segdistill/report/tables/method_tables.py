"""A method's options as a table, made from its own code."""

from dataclasses import MISSING, Field, fields
from typing import Any, Literal, get_args, get_origin, get_type_hints

from segdistill.distill import load


def method_table(name: str) -> str:
    """Markdown: the paper of the method `name`, then its options with defaults and choices.

    Raises distill.UnknownMethodError if there is no such method.
    """
    method = load(name)
    lines = [f"*{method.paper}*", ""]
    options = fields(method.Config)
    if not options:
        return "\n".join([*lines, "No options."])
    types = get_type_hints(method.Config)
    rows = [
        f"| `{option.name}` | {_default(option)} | {_choices(types[option.name])} |"
        for option in options
    ]
    return "\n".join([*lines, "| option | default | choices |", "| --- | --- | --- |", *rows])


def _default(option: Field[Any]) -> str:
    return "required" if option.default is MISSING else f"`{_text(option.default)}`"


def _choices(hint: Any) -> str:
    if get_origin(hint) is Literal:
        return ", ".join(f"`{_text(choice)}`" for choice in get_args(hint))
    parts = get_args(hint) or (hint,)
    return ", ".join(_choices(part) if get_origin(part) else part.__name__ for part in parts)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)
