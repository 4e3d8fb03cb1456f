#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Unwind data as decoded here, against llvm-readobj --unwind: test_unwind.py TOOL IMAGE."""

import re
import shutil
import subprocess
import sys


def run(*args):
    return subprocess.run(args, capture_output=True, text=True, check=True).stdout


def of_llvm(text):
    """One line a function, worded like unwind_tool's."""
    lines = []
    for block in text.split("RuntimeFunction {")[1:]:
        def value(name, pattern=r"\(?(0x[0-9A-F]+|\d+)\)?"):
            return re.search(name + ": " + pattern, block).group(1)

        codes = re.findall(r"^ +(0x[0-9A-F]{2}): ([A-Z0-9_]+) ?(.*)$", block, re.M)
        line = [value("StartAddress"), value("EndAddress"), "version=" + value("Version"),
                "flags=" + re.search(r"Flags \[ \((0x[0-9A-F]+)\)", block).group(1),
                "prolog=" + value("PrologSize")]
        line += [":".join([at, ",".join([op] + rest.split(", ") if rest else [op])])
                 for at, op, rest in codes]
        chained = re.search(r"Chained {\s+StartAddress: \((0x[0-9A-F]+)\)", block)
        if chained:
            line.append("chained=" + chained.group(1))
        lines.append(" ".join(line))
    return lines


def main():
    tool, image = sys.argv[1:]
    readobj = shutil.which("llvm-readobj") or shutil.which("llvm-readobj-14")
    if not readobj:
        print("skipped: llvm-readobj (package llvm) is not installed")
        return 77
    want = of_llvm(run(readobj, "--unwind", image))
    got = run(tool, image).splitlines()
    assert len(got) > 20, got
    for ours, theirs in zip(got, want):
        assert ours == theirs, f"\n{ours}\n{theirs}"
    assert len(got) == len(want), (len(got), len(want))
    print(f"{len(want)} functions agree")
    return 0


if __name__ == "__main__":
    sys.exit(main())
