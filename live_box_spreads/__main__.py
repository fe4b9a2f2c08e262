"""``python -m live_box_spreads`` is ``boxes``."""

from live_box_spreads.prerequisites import exit_unless_met

if __name__ == "__main__":
    exit_unless_met("boxes")
    from live_box_spreads.cli.main import main

    main()
