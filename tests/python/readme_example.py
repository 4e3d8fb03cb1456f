# SPDX-License-Identifier: MIT
"""Prints the program in C that README.md shows."""
import re
import sys

with open(sys.argv[1], encoding="utf-8") as f:
    print(re.search(r"^```c\n(.*?)^```$", f.read(), re.M | re.S).group(1), end="")
