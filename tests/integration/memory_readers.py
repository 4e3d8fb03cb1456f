# SPDX-License-Identifier: MIT
"""Snapshots read without the program: where each byte of physical memory lies in the file.

A reader takes the file's bytes and returns a Memory; each is a short reading of the format's public
layout, of files that are whole.
"""
import hashlib
import mmap
import struct
import zlib

PAGE = 4096


class Memory:
    """Ranges (start, end, [bytes-like]), ascending, neighbours merged."""

    def __init__(self, pieces):
        self.ranges = []
        for start, data in sorted(pieces, key=lambda piece: piece[0]):
            if self.ranges and self.ranges[-1][1] == start:
                self.ranges[-1][1] += len(data)
                self.ranges[-1][2].append(data)
            else:
                self.ranges.append([start, start + len(data), [data]])

    def extents(self):
        return [(start, end) for start, end, _ in self.ranges]

    def sha256(self):
        """As `convert --help` defines memory_sha256."""
        total = hashlib.sha256()
        for start, end, pieces in self.ranges:
            total.update(struct.pack("<QQ", start, end))
            for piece in pieces:
                total.update(piece)
        return total.hexdigest()

    def pieces(self):
        for start, _, pieces in self.ranges:
            for piece in pieces:
                yield start, piece
                start += len(piece)

    def read(self, pa, length):
        """The bytes of [pa, pa + length), all of which are there."""
        result = b""
        for start, piece in self.pieces():
            first, last = max(start, pa), min(start + len(piece), pa + length)
            if first < last:
                assert pa + len(result) == first
                result += bytes(piece[first - start:last - start])
        assert len(result) == length, (hex(pa), length)
        return result

    def with_bytes(self, places, other):
        """Itself, but with the bytes that `other` has at places (pa, length)."""
        pieces = []
        for start, piece in self.pieces():
            inside = [(pa, length) for pa, length in places
                      if start <= pa and pa + length <= start + len(piece)]
            if inside:
                piece = bytearray(piece)
            for pa, length in inside:
                piece[pa - start:pa - start + length] = other.read(pa, length)
            pieces.append((start, piece))
        return Memory(pieces)

    def filled(self):
        """With zeros for what is absent, from 0 on."""
        pieces, at = list(self.pieces()), 0
        for start, end in self.extents():
            if at < start:
                pieces.append((at, bytes(start - at)))
            at = end
        return Memory(pieces)


def map_file(path):
    with open(path, "rb") as f:
        return memoryview(mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ))


def raw(data):
    return Memory([(0, data)])


def lime(data):
    """lime_memory_range_header of LiME's lime.h, then its bytes, over and over."""
    header = struct.Struct("<IIQQ8x")
    pieces, at = [], 0
    while at < len(data):
        magic, version, start, last = header.unpack_from(data, at)
        assert (magic, version) == (0x4c694d45, 1), hex(at)
        at += header.size
        pieces.append((start, data[at:at + last + 1 - start]))
        at += last + 1 - start
    assert at == len(data)
    return Memory(pieces)


def elf(data):
    """ELF64: the PT_LOAD segments (elf.h), where they do not overlap."""
    assert data[:5] == b"\x7fELF\x02"
    (offset,) = struct.unpack_from("<Q", data, 0x20)
    size, count = struct.unpack_from("<HH", data, 0x36)
    if count == 0xffff:  # PN_XNUM: sh_info of the first section
        (sections,) = struct.unpack_from("<Q", data, 0x28)
        (count,) = struct.unpack_from("<I", data, sections + 0x2c)
    pieces = []
    for i in range(count):
        kind, _, at, _, pa, length, _, _ = struct.unpack_from("<IIQQQQQQ", data,
                                                              offset + i * size)
        if kind == 1 and length:
            assert at + length <= len(data)
            pieces.append((pa, data[at:at + length]))
    return Memory(pieces)


def set_bits(bitmap):
    """Runs (first, count) of set bits, the lowest of a byte first."""
    runs = []
    for i, byte in enumerate(bitmap):
        for bit in range(8) if byte else ():
            if not byte >> bit & 1:
                continue
            if runs and sum(runs[-1]) == i * 8 + bit:
                runs[-1] = (runs[-1][0], runs[-1][1] + 1)
            else:
                runs.append((i * 8 + bit, 1))
    return runs


def crash_dump(data):
    """DUMP_HEADER64 of types 1 (runs) and 5 (bitmap), as in kdmp-parser's structs."""
    assert data[:8] == b"PAGEDU64"
    kind, size = struct.unpack_from("<I4xQ", data, 0xf98)
    assert size == len(data)
    if kind == 1:
        count, pages = struct.unpack_from("<I4xQ", data, 0x88)
        runs = [struct.unpack_from("<QQ", data, 0x98 + 16 * i) for i in range(count)]
        at = 0x2000
    else:
        assert kind == 5 and data[0x2004:0x2008] == b"DUMP"
        at, pages, bits = struct.unpack_from("<QQQ", data, 0x2020)
        runs = set_bits(data[0x2038:0x2038 + (bits + 7) // 8])
    assert sum(count for _, count in runs) == pages
    pieces = []
    for first, count in runs:
        pieces.append((first * PAGE, data[at:at + count * PAGE]))
        at += count * PAGE
    assert at == len(data)
    return Memory(pieces)


def kdump(data):
    """diskdump's headers and page descriptors (makedumpfile's IMPLEMENTATION and diskdump_mod.h),
    reassembled, with zlib."""
    assert data[:8] == b"KDUMP   "
    block, sub_header, bitmaps = struct.unpack_from("<III", data, 0x1ac)
    assert block == PAGE
    half = bitmaps * block // 2
    start = (1 + sub_header) * block + half
    at, pieces = start + half, []
    for first, count in set_bits(data[start:start + half]):
        for page in range(first, first + count):
            offset, size, flags = struct.unpack_from("<QII", data, at)
            at += 24
            content = data[offset:offset + size]
            pieces.append((page * PAGE, zlib.decompress(content) if flags & 1 else content))
            assert len(pieces[-1][1]) == PAGE
    return Memory(pieces)


READERS = {"raw": raw, "lime": lime, "elf": elf, "dmp": crash_dump, "dmp-bitmap": crash_dump,
           "kdump-zlib": kdump}


def read_memory(form, path):
    return READERS[form](map_file(path))
