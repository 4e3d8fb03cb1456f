#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the commands of README's console blocks and compares what they print with what it shows.

usage: readme.py PROGRAM FIXTURES [--update]

FIXTURES: the folder where the build unpacked the machine that README has the reader unpack.
"""
import os
import re
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
README = os.path.join(TOP, "README.md")
MACHINE = "win19041-tiny.raw"


def run_block(program, fixtures, block):
    """The block anew: each line that starts with '$ ' and what it prints on stdout."""
    lines = []
    for line in block.splitlines():
        if not line.startswith("$ "):
            continue
        command = line[2:].replace("./ntscope", program)
        command = command.replace("testdata/" + MACHINE, os.path.join(fixtures, MACHINE))
        done = subprocess.run(command, shell=True, cwd=TOP, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL)
        lines.append(line)
        lines += [row.rstrip() for row in done.stdout.splitlines()]
    return "\n".join(lines) + "\n"


def main():
    program, fixtures = map(os.path.abspath, sys.argv[1:3])
    with open(README) as f:
        text = f.read()
    fresh, count = re.subn(r"(?<=```console\n)(.*?)(?=```)",
                           lambda m: run_block(program, fixtures, m.group(1)), text, flags=re.S)
    if sys.argv[3:] == ["--update"]:
        with open(README, "w") as f:
            f.write(fresh)
    elif fresh != text or not count:
        import difflib
        sys.stdout.writelines(difflib.unified_diff(text.splitlines(True), fresh.splitlines(True),
                                                   "README.md", "what the program prints"))
        sys.exit(1)
    print(f"{count} blocks agree")


main()
