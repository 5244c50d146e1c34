"""Text and figures as LaTeX sets them."""

import unicodedata

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "'": r"\textquotesingle{}",
    "`": r"\textasciigrave{}",
    "-": r"{-}",  # no ligature: "--" is not a dash
    "[": r"{[}",  # not an optional argument after \\
    "≥": r"$\geq$",
    "≤": r"$\leq$",
    "→": r"$\to$",
    "∞": r"$\infty$",
    "–": r"\textendash{}",
    "±": r"$\pm$",
    "…": r"\dots{}",
}


def escape(text: str) -> str:
    """Return text that LaTeX sets as it reads; what pdflatex has no glyph for becomes [U+XXXX]."""
    return "".join(
        _SPECIAL.get(c) or (c if _settable(c) else f"{{[}}U+{ord(c):04X}]") for c in " ".join(text.split())
    )


def _settable(c: str) -> bool:
    """Whether T1 fonts hold a character: ASCII, and the letters of Latin-1."""
    return (c.isascii() and c.isprintable()) or ("À" <= c <= "ÿ" and unicodedata.category(c).startswith("L"))


def figure(name: str, text: str) -> str:
    """Return a float with the figure of this name and a caption."""
    return "\n".join(
        [
            r"\begin{figure}[htbp]",
            r"\centering",
            rf"\includegraphics[width=\linewidth]{{figures/{name}}}",
            rf"\caption{{{escape(text)}}}",
            rf"\label{{fig:{name}}}",
            r"\end{figure}",
        ]
    ).rstrip()
