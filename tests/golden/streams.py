#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the program does when its streams, or the snapshot under it, go away."""

import os
import subprocess
import sys
import tempfile

PROGRAM = sys.argv[1]
PAGES = 64


def check(what, good, status, errors):
    if not good:
        sys.exit(f"{what}: status {status}: {errors}")


def closed_pipe_is_no_news():
    reader, writer = os.pipe()
    os.close(reader)
    result = subprocess.run([PROGRAM, "--man"], stdout=writer, stderr=subprocess.PIPE, text=True)
    os.close(writer)
    check("closed pipe", (result.returncode, result.stderr) == (1, ""),
          result.returncode, result.stderr)


def full_disk_is_told():
    with open("/dev/full", "w") as full:
        result = subprocess.run([PROGRAM, "--help"], stdout=full, stderr=subprocess.PIPE,
                                text=True)
    check("full disk", result.returncode == 1 and "No space left" in result.stderr,
          result.returncode, result.stderr)


def snapshot_that_shrinks_is_told(folder):
    path = os.path.join(folder, "shrinks.raw")
    with open(path, "wb") as file:
        file.write(b"\0" * 4096 * PAGES)
    words = [PROGRAM, "vtop", "--quiet", "--brief", "--dtb", hex(4096 * (PAGES - 1)), path, "-"]
    run = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, text=True, bufsize=1)
    # The first answers fill the output's buffer, so that one line proves that the file is open.
    run.stdin.write("8000000000000000\n" * 1000)
    run.stdin.flush()
    run.stdout.readline()
    os.truncate(path, 4096)
    _, errors = run.communicate("1000\n")
    check("shrunken file", run.returncode == 1 and "cannot read at offset 0x" in errors,
          run.returncode, errors)


def main():
    closed_pipe_is_no_news()
    full_disk_is_told()
    with tempfile.TemporaryDirectory() as folder:
        snapshot_that_shrinks_is_told(folder)


main()
