"""`projector`, or `python -m projector`."""

from projector.cli.app import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
