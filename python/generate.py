"""Writes isocost/_options.py: the keywords that each function takes, from the command line's own arguments.

python python/generate.py          writes it, with the package that is installed
python python/generate.py --check  fails where it would be another
"""

import keyword
import pathlib
import sys
import textwrap

from isocost import _isocost

# Keywords that functions name themselves, and what they do in another way.
OWN = {
    "plan": {"loads", "format", "export", "product"},
    "explain": {"loads", "format"},
    "stress": {"loads", "format"},
    "verify": {"loads", "format"},
    "compare": {"format"},
    "simulate": {"loads", "format", "plan"},
    "horizon": {"loads", "format", "profile", "prices", "period_cards"},
    "sweep": {"loads", "vary", "points", "out", "shard", "plots"},
    "size": {"format"},
    "analyze": {"format", "cases", "compare"},
    "fit": {"format"},
    "profile": {"format", "on", "list"},
    "init": {"format", "models", "cards"},
    "demand": {"out"},
}


def classes() -> str:
    parts = [
        '"""Keywords of the functions. Written by python/generate.py: do not edit."""\n\n'
        "from collections.abc import Sequence\n"
        "from os import PathLike\n"
        "from typing import Literal, TypedDict\n"
    ]
    for command, own in OWN.items():
        options = [o for o in _isocost.options_of(command) if o[0] not in own | {"exact_cells", "wide"}]
        parts.append(f"\n\nclass {command.capitalize()}Options(TypedDict, total=False):\n")
        parts.append(f'    """Of ``isocost {command}``."""\n\n')
        for name, kind, words in options:
            name += "_" if keyword.iskeyword(name) else ""
            parts.append(f"    {name}: {kind} | None\n")
            text = words.replace("\\", "").strip()
            lines = textwrap.wrap(f'"""{text}."""', 92)
            parts += [f"    {line}\n" for line in lines]
    return "".join(parts)


def main() -> int:
    path = pathlib.Path(__file__).parent / "isocost" / "_options.py"
    text = classes()
    if "--check" not in sys.argv:
        path.write_text(text)
        return 0
    if path.read_text() != text:
        print(f"{path} is not what the command line has: run python/generate.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
