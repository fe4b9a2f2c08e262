"""``python -m live_box_spreads`` is ``boxes``."""

from live_box_spreads.cli.main import main

if __name__ == "__main__":
    main()
