"""Code as text that is the same under every Python: that of Python 3.11.

Since 3.12 `ast.unparse` repeats an f-string's own quotes inside its braces; before, that was an
error. Digests of code that was written out by the two would differ though nothing was edited.
"""

import ast

QUOTES = ("'", '"', '"""', "'''")  # in the order in which 3.11 tries them


def spelled(tree: ast.Module) -> str:
    """`tree`, which is changed, as Python 3.11 unparses it."""
    return ast.unparse(_FStrings().visit(tree))


class _FStrings(ast.NodeTransformer):
    """Every f-string as a name that reads like it: `unparse` writes names as they are."""

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.Name:
        parts = [self._part(value) for value in node.values]
        quotes = list(QUOTES)
        for part in filter(None, parts):
            quotes = [q for q in quotes if q not in part and (len(q) == 3 or "\n" not in part)]
            quotes.sort(key=lambda quote: quote[0] == part[-1])
        quote = quotes[0] if quotes else QUOTES[-1]  # nobody parses it again
        return ast.Name(f"f{quote}{''.join(parts)}{quote}")

    def _part(self, value: ast.expr) -> str:
        if isinstance(value, ast.Constant):
            return "".join(map(_escaped, _braced(value)))
        return self._field(value)

    def _field(self, value: ast.expr) -> str:
        assert isinstance(value, ast.FormattedValue)
        text = ast.unparse(self.visit(value.value))
        if isinstance(value.value, ast.IfExp | ast.Lambda):
            text = f"({text})"
        conversion = f"!{chr(value.conversion)}" if value.conversion != -1 else ""
        form = value.format_spec
        parts = form.values if isinstance(form, ast.JoinedStr) else []
        inner = "".join(
            _braced(each) if isinstance(each, ast.Constant) else self._field(each) for each in parts
        )
        space = " " if text.startswith("{") else ""
        return f"{{{space}{text}{conversion}{':' if form else ''}{inner}}}"


def _braced(constant: ast.Constant) -> str:
    return str(constant.value).replace("{", "{{").replace("}", "}}")


def _escaped(sign: str) -> str:
    plain = sign.isprintable() and sign != "\\"
    return sign if plain else sign.encode("unicode_escape").decode("ascii")
