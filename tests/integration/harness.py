# SPDX-License-Identifier: MIT
"""What the integration tests share: the images, unpacked once, and the program.

usage: TEST.py PROGRAM [unittest arguments]

Images come from ../shared/images; without them a test prints why and exits with 77, which ctest
counts as skipped.
"""
import atexit
import fcntl
import functools
import json
import os
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
IMAGES = os.path.join(TOP, "..", "shared", "images")
CACHE = os.path.join(TOP, "build", "images")
sys.path.append(os.path.join(TOP, "testdata"))
from unpack import unpack_file  # noqa: E402

SKIPPED = 77
PROGRAM = None
MEMORY = "/dev/shm"  # a file system in memory, where there is one


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


@functools.lru_cache(maxsize=None)
def truth(name):
    """Parsed once: whoever takes it leaves it as it is."""
    with open(image(name)) as f:
        return json.load(f)


# the windows-like machines: name, and the snapshot's name inside its tar, if it is in one
MACHINES = {
    "win7601-tiny": None,
    "win9600-tiny": None,
    "win19041-tiny": None,
    "win22000-tiny": None,
    "win19041-desktop": "win19041-desktop.raw",
    "win19041-paged": "win19041-paged.raw",
}


def machine(name):
    """Path of a windows-like machine's raw memory."""
    inside = MACHINES[name]
    where = f"windows-like/{name}"
    return member(where, inside) if inside else image(where + ".raw")


def machine_truth(name):
    return truth(f"windows-like/{name}.truth.json")


def machine_symbols(name):
    """The ISF file of a machine's kernel."""
    return os.path.join(IMAGES, "windows-like", "isf",
                        machine_truth(name)["pdb_guid"] + ".json.xz")


def scratch_for(path):
    """A folder for a copy of PATH: in memory where it fits, as disks are slow to delete."""
    need = 4 * os.stat(path).st_blocks * 512
    try:
        room = os.statvfs(MEMORY)
        if os.access(MEMORY, os.W_OK) and room.f_bavail * room.f_frsize > need:
            return MEMORY
    except OSError:
        pass
    return CACHE


class Damaged:
    """A copy of a raw snapshot in which bytes at virtual addresses are changed:

    with Damaged(path, [(va, bytes), ...]) as broken: run("ps", broken)
    """

    def __init__(self, path, changes, *space):
        """SPACE: options that say whose addresses these are ("--pid", 4); the kernel's without."""
        self.path, self.changes, self.space = path, changes, space

    def __enter__(self):
        fd, self.copy = tempfile.mkstemp(prefix="damaged-", suffix=".raw",
                                         dir=scratch_for(self.path))
        os.close(fd)
        try:
            subprocess.run(["cp", "--sparse=always", self.path, self.copy], check=True)
            with open(self.copy, "r+b") as f:
                for va, data in self.changes:
                    f.seek(self.physical(va))
                    f.write(data)
        except BaseException:
            os.unlink(self.copy)
            raise
        return self.copy

    def physical(self, va):
        row, = run("vtop", "--brief", *self.space, "--format", "json", self.path,
                   address(va)).json()
        return number(row["pa"])

    def __exit__(self, *_):
        os.unlink(self.copy)


@functools.lru_cache(maxsize=None)
def symbol_cache():
    """For run(env=...): symbol files are read once, and then what the program kept of them."""
    folder = tempfile.TemporaryDirectory(prefix="symbols-")
    atexit.register(folder.cleanup)
    return {"XDG_CACHE_HOME": folder.name}


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
