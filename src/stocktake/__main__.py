"""`python -m stocktake`."""

from stocktake.cli import main

if __name__ == "__main__":
    main()
