# SPDX-License-Identifier: MIT
"""What the integration tests share: the images, unpacked once, and the program.

usage: TEST.py PROGRAM [unittest arguments]

Images come from ../shared/images; without them a test prints why and exits with 77, which ctest
counts as skipped.
"""
import fcntl
import json
import lzma
import os
import subprocess
import sys
import tarfile
import unittest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
IMAGES = os.path.join(TOP, "..", "shared", "images")
CACHE = os.path.join(TOP, "build", "images")
SKIPPED = 77
PROGRAM = None


def unpack_file(source, target):
    """A sparse copy of SOURCE.xz at TARGET."""
    with lzma.open(source) as packed, open(target + ".part", "wb") as out:
        size = 0
        while True:
            block = packed.read(1 << 16)
            if not block:
                break
            if block.count(0) == len(block):
                out.seek(len(block), os.SEEK_CUR)
            else:
                out.write(block)
            size += len(block)
        out.truncate(size)
    os.rename(target + ".part", target)


def unpack_tar(source, target):
    subprocess.run(["mkdir", "-p", target + ".part"], check=True)
    subprocess.run(["tar", "-xSJf", source, "-C", target + ".part"], check=True)
    os.rename(target + ".part", target)


def image(name):
    """Path of an unpacked image: NAME as under ../shared/images, without .xz or .tar.xz."""
    plain = os.path.join(IMAGES, name)
    if os.path.exists(plain):
        return plain
    target = os.path.join(CACHE, name)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with open(target + ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(target):
            if os.path.exists(plain + ".tar.xz"):
                unpack_tar(plain + ".tar.xz", target)
            else:
                unpack_file(plain + ".xz", target)
    return target


def member(name, inside):
    """A file of an unpacked tar, wherever below its top the tar has it."""
    top = image(name)
    for folder, _, files in os.walk(top):
        if inside in files:
            return os.path.join(folder, inside)
    raise FileNotFoundError(f"{name}: {inside}")


def truth(name):
    with open(image(name)) as f:
        return json.load(f)


class Result:
    def __init__(self, done):
        self.status = done.returncode
        self.out = done.stdout
        self.err = done.stderr

    def json(self):
        return json.loads(self.out)


def run(*args, stdin=None, timeout=120, env=None):
    """ENV is added to the environment; without it there is no symbol store."""
    done = subprocess.run([PROGRAM, *map(str, args)], input=stdin, text=True, timeout=timeout,
                          env={**os.environ, "XDG_CACHE_HOME": "/dev/null", **(env or {})},
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          stdin=None if stdin is not None else subprocess.DEVNULL)
    if done.returncode < 0 or "Sanitizer" in done.stderr or "runtime error" in done.stderr:
        raise AssertionError(f"{args}: died with {done.returncode}\n{done.stderr}")
    return Result(done)


def address(value):
    """A truth's number as the program prints addresses."""
    return None if value is None else f"0x{value & (1 << 64) - 1:x}"


def number(text):
    return None if text is None else int(text, 16)


def filetime(value):
    """FILETIME to the program's ISO 8601, by Python's own calendar."""
    import datetime
    if not value:
        return None
    day = datetime.datetime(1601, 1, 1) + datetime.timedelta(seconds=value // 10_000_000)
    return day.strftime("%Y-%m-%dT%H:%M:%S") + f".{value % 10_000_000:07d}Z"


def main():
    global PROGRAM
    if not os.path.isdir(IMAGES):
        print("skipped: ../shared/images is not here")
        sys.exit(SKIPPED)
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    # the test module imported this file under its own name; share what was parsed
    sys.modules["harness"].PROGRAM = PROGRAM
    unittest.main(module="__main__", verbosity=2)
