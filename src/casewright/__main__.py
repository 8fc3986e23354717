"""`python -m casewright` is `casewright`."""

from casewright.cli.start import main

if __name__ == "__main__":
    main()
