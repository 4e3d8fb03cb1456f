# SPDX-License-Identifier: MIT
"""Unpacks a snapshot into a sparse file.

usage: unpack.py FILE.xz TARGET
"""
import lzma
import os
import sys


def unpack_file(source, target):
    """A sparse copy of what the .xz file SOURCE holds, at TARGET."""
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


if __name__ == "__main__":
    unpack_file(*sys.argv[1:])
