"""The figures of DESIGN §6, each beside its limit measured in the same run: `make bench`, or `… ARGS=capture`.

Ratios, not seconds: the machine's load is printed with them.
"""

import importlib
import os
import sys

from benchmarks import house

ALL = ["capture", "claims", "lists", "exports", "next_item", "scrolling", "nearest"]


def main() -> None:
    wanted = sys.argv[1:] or ALL
    print(f"   load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    folder = house.prepare()
    try:
        for name in wanted:
            importlib.import_module(f"benchmarks.{name}").run()
    finally:
        house.tear_down(folder)


if __name__ == "__main__":
    main()
