# SPDX-License-Identifier: MIT
"""Rows per second in Python: the module against JSON lines through a pipe.

usage: python_rows.py PROGRAM SNAPSHOT [COMMAND]

Every way makes objects of all rows and looks at two cells of each. "Open already" is a script that
asks several things; "with opening" does all anew each time, as the program must. Counted is the
time of processors, of the program too, because machines are busy.
"""
import json
import os
import subprocess
import sys

import ntscope

TIMES, AT_ONCE = 5, 10


def processor_seconds():
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def best(function):
    """Rows, and seconds of the fastest of several runs."""
    fastest = None
    for _ in range(TIMES):
        start = processor_seconds()
        for _ in range(AT_ONCE):
            rows = function()
        seconds = (processor_seconds() - start) / AT_ONCE
        fastest = seconds if fastest is None else min(fastest, seconds)
    return rows, fastest


def through_a_pipe(program, command, snapshot):
    rows, last = 0, None
    with subprocess.Popen([program, command, "--format", "jsonl", "--quiet", snapshot],
                          stdout=subprocess.PIPE) as run:
        for line in run.stdout:
            row = json.loads(line)
            last = row["pid"], row["name"]
            rows += 1
    return rows, last


def in_process(snapshot, command):
    rows, last = 0, None
    for row in snapshot.run(command):
        last = row.pid, row.name
        rows += 1
    return rows, last


def opening(path, command):
    with ntscope.open(path) as s:
        return in_process(s, command)


def main():
    program, path, command = (*sys.argv[1:], "handles")[:3]
    with ntscope.open(path) as s:
        in_process(s, command)
        measured = [
            ("JSON lines through a pipe", best(lambda: through_a_pipe(program, command, path))),
            ("module, with opening", best(lambda: opening(path, command))),
            ("module, open already", best(lambda: in_process(s, command)))]
    assert len({result for _, (result, _) in measured}) == 1, "they differ"
    for name, ((rows, _), seconds) in measured:
        print(f"{name:26} {rows} rows  {seconds * 1000:8.1f} ms  {rows / seconds:9.0f} rows/s")


main()
