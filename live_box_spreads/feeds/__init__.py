"""Floor 3: where quotes come from, behind one small interface (:mod:`.base`)."""
