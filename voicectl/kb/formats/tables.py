"""Tables as documents draw them: rows that have to be told from their header by their looks, cells that reach over
others."""

from __future__ import annotations

from collections.abc import Sequence

from voicectl.kb.formats import Block, Items, Rows

PLAIN_HEADERS = frozenset(
    """
    price prices cost costs fee fees rate amount total value hours time times answer
    preis preise kosten betrag gebühr uhrzeit öffnungszeiten antwort
    prix tarif tarifs montant horaires réponse precio precios importe horario respuesta prezzo prezzi orario risposta
    """.split()
)
"""Names of a second column that say nothing a listener would miss: "Tune-up: $65", not "Tune-up: price $65"."""

WIDEST = 100
"""Columns of a table; a cell that claims to span more does not."""


def table(rows: Sequence[Sequence[str]], *, header: bool | None = None) -> Block | None:
    """A table as a block, without its empty rows and columns; None when nothing is left.

    `header` says whether the first row names the columns; None when that is not known. Then it does if it looks like
    it and there are three columns or more, or the second is a plain name like "Price": of two columns, "Day | Open"
    read as a row does little harm, but "Monday | closed" read as a header makes every other row say something false.
    """
    width = max((len(row) for row in rows), default=0)
    full = [
        tuple(cell.strip() for cell in row) + ("",) * (width - len(row)) for row in rows if any(map(str.strip, row))
    ]
    kept = [at for at in range(width) if any(row[at] for row in full)]
    full = [tuple(row[at] for at in kept) for row in full]
    if not full:
        return None
    if len(kept) == 1:
        return Items(tuple(row[0] for row in full[1 if header and len(full) > 1 else 0 :]))
    if header is None:
        header = names_columns(full[0]) and (len(kept) > 2 or full[0][1].casefold() in PLAIN_HEADERS)
    if header and len(full) > 1:
        return Rows(full[0], tuple(full[1:]))
    return Rows(("",) * len(kept), tuple(full))


def names_columns(row: Sequence[str]) -> bool:
    """Whether a row looks like one of column names: short words, all there but perhaps the first, no two alike."""
    return (
        all(row[1:])
        and len({cell.casefold() for cell in row}) == len(row)
        and all(len(cell.split()) <= 5 and len(cell) <= 40 and cell[-1:] not in "?!." for cell in row if cell)
        and not any(character.isdigit() for cell in row for character in cell)
    )


class Cell:
    __slots__ = ("columns", "is_header", "plain", "rows", "text")

    def __init__(self, is_header: bool, columns: int, rows: int) -> None:
        self.text = ""
        self.is_header = is_header
        self.columns = columns
        self.rows = rows
        self.plain = False
        """Some of its words are not bold."""


def grid(rows: list[list[Cell]]) -> list[list[Cell]]:
    """The cells of each row with those that reach into it from the left or from above."""
    full_rows: list[list[Cell]] = []
    reaching: dict[int, tuple[Cell, int]] = {}
    for row in rows:
        full: list[Cell] = []
        cells = iter(row)
        while len(full) < WIDEST:
            if len(full) in reaching:
                cell, left = reaching.pop(len(full))
                if left > 1:
                    reaching[len(full)] = (cell, left - 1)
                full.append(cell)
                continue
            following = next(cells, None)
            if following is None:
                if not any(at > len(full) for at in reaching):
                    break
                full.append(Cell(False, 1, 1))
                continue
            for _ in range(min(following.columns, WIDEST - len(full))):
                if following.rows > 1:
                    reaching[len(full)] = (following, following.rows - 1)
                full.append(following)
        full_rows.append(full)
    return full_rows


def has_header(rows: list[list[Cell]]) -> bool | None:
    """By th elements, or by a first row that alone is bold; None where the table does not say."""
    told = [row for row in rows if any(cell.text for cell in row)]
    if not told:
        return None
    first, rest = told[0], told[1:]
    if all(cell.is_header for cell in first[1:]) and len(first) > 1:
        return True
    if any(cell.is_header for row in told for cell in row):
        return False  # its rows are named, its columns are not
    bold = [all(not cell.plain for cell in row if cell.text) for row in told]
    return True if bold[0] and rest and not any(bold[1:]) else None
