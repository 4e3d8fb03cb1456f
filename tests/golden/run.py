#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the program on the command lines of cases.txt and compares what it says.

A line of cases.txt is "name: arguments", quoted as in a shell; blank lines and lines that begin
with '#' are skipped. The program runs in testdata/, so that samples go by their bare names;
{fixtures} is the folder of the generated ones. "< FILE" at the end gives standard input from
a file of this folder. What is expected is in expected/NAME.txt: exit status, standard output and
standard error. --update rewrites it; read the difference before you commit it.
"""

import argparse
import difflib
import os
import pathlib
import re
import shlex
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
TESTDATA = HERE.parent.parent / "testdata"
TIMEOUT_SECONDS = 100


def read_cases():
    cases = {}
    for number, line in enumerate((HERE / "cases.txt").read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        match = re.fullmatch(r"([a-z0-9_-]+):\s*(.*?)(?:\s+<\s+(\S+))?", line)
        if not match:
            sys.exit(f"cases.txt: line {number}: expected 'name: arguments'")
        name, arguments, stdin = match.groups()
        if name in cases:
            sys.exit(f"cases.txt: line {number}: '{name}' is there twice")
        cases[name] = (arguments, stdin)
    return cases


def transcript(program, fixtures, arguments, stdin):
    words = [word.replace("{fixtures}", fixtures) for word in shlex.split(arguments)]
    text = (HERE / stdin).read_bytes() if stdin else b""
    env = {**os.environ, "XDG_CACHE_HOME": "/dev/null"}  # no symbol store
    result = subprocess.run([program, *words], input=text, capture_output=True, cwd=TESTDATA,
                            timeout=TIMEOUT_SECONDS, env=env)
    parts = [b"status: %d\n" % result.returncode,
             b"--- stdout\n", result.stdout, b"--- stderr\n", result.stderr]
    return b"".join(parts).replace(fixtures.encode(), b"{fixtures}")


def show_difference(name, expected, found):
    lines = [part.decode("utf-8", "backslashreplace").splitlines(keepends=True)
             for part in (expected, found)]
    sys.stdout.writelines(difflib.unified_diff(*lines, f"{name}: expected", f"{name}: found"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", required=True)
    parser.add_argument("--fixtures", default="{fixtures}", help="generated samples")
    parser.add_argument("--update", action="store_true", help="rewrite what is expected")
    parser.add_argument("names", nargs="*", help="cases to run (default: all)")
    options = parser.parse_args()
    cases = read_cases()
    program = str(pathlib.Path(options.program).resolve())
    failed = 0
    for name in options.names or cases:
        if name not in cases:
            sys.exit(f"no case '{name}'")
        path = HERE / "expected" / f"{name}.txt"
        found = transcript(program, options.fixtures, *cases[name])
        expected = path.read_bytes() if path.exists() else b""
        if found == expected:
            continue
        if options.update:
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(found)
            print(f"{name}: rewritten")
            continue
        failed += 1
        show_difference(name, expected, found)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
