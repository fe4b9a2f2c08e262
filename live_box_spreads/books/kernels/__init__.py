"""Machine code for the slow loops of the books. Importing a module here loads numba."""
