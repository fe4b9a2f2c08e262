"""The kernels of the books: machine code for their slow loops, twins of plain code beside them."""

from __future__ import annotations

from typing import Final

from live_box_spreads.machine_code import Kernel

PARITY: Final = Kernel("live_box_spreads.books.kernels.parity")
"""Twin of ``curves/parity_line.py``."""
KINKED: Final = Kernel("live_box_spreads.books.kernels.kinked")
"""Twin of ``curves/kinked_line.py``."""
BAND: Final = Kernel("live_box_spreads.books.kernels.band")
"""Twin of ``curves/band.numpy_cheapest``."""

BOXES: Final = Kernel("live_box_spreads.books.kernels.boxes")
"""Twin of ``boxes/prices.numpy_prices``."""

ALL: Final = (KINKED, BAND, BOXES, PARITY)
"""In the order in which a page gains by them."""
