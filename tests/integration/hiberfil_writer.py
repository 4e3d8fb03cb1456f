# SPDX-License-Identifier: MIT
"""Writes hiberfil.sys as Windows does, from raw memory, by the public descriptions of the format.

LAYOUTS are PO_MEMORY_IMAGE of the public symbols; sources of the rest: volatility's hibernate.py
(Windows 7), LeechCore's device_hibr.c and volatility3's hibernation layer (later), [MS-XCA].
XPRESS-Huffman is compressed by wimlib, plain XPRESS from what LZ4 finds.
"""
import ctypes
import ctypes.util
import struct

PAGE = 4096
SET_PAGES = 16
HEADER_PAGES = 7  # header, processor state, and five that nobody reads

# LengthSelf: offsets of what the header says; the size of _KSPECIAL_REGISTERS, aligned
LAYOUTS = {
    "windows-7": {"length": 0x128, "table": 0x60, "context": 0xE0},
    "windows-8": {"length": 0x360, "loader_pages": 0x58, "boot": 0x60, "kernel": 0x68,
                  "kernel_pages": 0x1C8, "highest": 0x330, "context": 0xE0},
    "windows-10": {"length": 0x3E0, "loader_pages": 0x58, "boot": 0x68, "kernel": 0x70,
                   "kernel_pages": 0x230, "highest": 0x398, "context": 0xF0},
    "windows-10-1607": {"length": 0x3C8, "loader_pages": 0x58, "boot": 0x68, "kernel": 0x70,
                        "kernel_pages": 0x220, "highest": 0x388, "context": 0xF0},
    "windows-11": {"length": 0x448, "loader_pages": 0x58, "boot": 0x68, "kernel": 0x70,
                   "kernel_pages": 0x230, "highest": 0x400, "context": 0xF0},
    "windows-11-24h2": {"length": 0x4D8, "loader_pages": 0x58, "boot": 0x68, "kernel": 0x70,
                        "kernel_pages": 0x238, "highest": 0x498, "context": 0xF0},
}
HIBERBOOT_BEFORE_HIGHEST = 0x34


def library(name):
    found = ctypes.util.find_library(name)
    return ctypes.CDLL(found) if found else None


class Huffman:
    """XPRESS-Huffman by wimlib; None where it does not get smaller."""
    XPRESS = 1
    method = 2  # XpressHuffFast

    def __init__(self):
        self.wim = library("wim")
        self.wim.wimlib_compress.restype = ctypes.c_size_t
        self.compressor = ctypes.c_void_p()
        self.wim.wimlib_create_compressor(self.XPRESS, ctypes.c_size_t(SET_PAGES * PAGE), 50,
                                          ctypes.byref(self.compressor))
        self.room = ctypes.create_string_buffer(SET_PAGES * PAGE)

    def __call__(self, data):
        size = self.wim.wimlib_compress(data, ctypes.c_size_t(len(data)), self.room,
                                        ctypes.c_size_t(len(data) - 1), self.compressor)
        return self.room.raw[:size] or None


class Plain:
    """Plain XPRESS ([MS-XCA] 2.3): the matches that LZ4 finds, in other words."""
    method = 0  # XpressFast
    MAX_DISTANCE = 1 << 13

    def __init__(self):
        self.lz4 = library("lz4")
        self.room = ctypes.create_string_buffer(2 * SET_PAGES * PAGE)

    @staticmethod
    def sequences(block):
        """(literals' length, distance, match's length) of an LZ4 block."""
        at = 0

        def more(length):
            nonlocal at
            while length >= 15:
                length += block[at]
                at += 1
                if block[at - 1] != 255:
                    break
            return length

        while at < len(block):
            token = block[at]
            at += 1
            literals = more(token >> 4)
            at += literals
            if at >= len(block):
                yield literals, 0, 0
                return
            distance = block[at] | block[at + 1] << 8
            at += 2
            yield literals, distance, more(token & 15) + 4

    def steps(self, data, block):
        """(distance, length), or (0, literal byte)."""
        at = 0
        for literals, distance, length in self.sequences(block):
            far = distance > self.MAX_DISTANCE
            for byte in data[at:at + literals + (length if far else 0)]:
                yield 0, byte
            if length and not far:
                yield distance, length
            at += literals + length

    def __call__(self, data):
        size = self.lz4.LZ4_compress_default(data, self.room, len(data), len(self.room))
        out, flags_at, flags, left, nibble_at = bytearray(), 0, 0, 0, None
        steps = list(self.steps(data, self.room.raw[:size])) + [(None, None)]
        for distance, value in steps:
            if not left:
                if out:
                    struct.pack_into("<I", out, flags_at, flags)
                flags_at, flags, left = len(out), 0, 32
                out += bytes(4)
            left -= 1
            if distance == 0:
                out.append(value)
                continue
            flags |= 1 << left
            if distance is None:  # the end: a match that is not there
                break
            rest = value - 3
            out += struct.pack("<H", (distance - 1) << 3 | min(rest, 7))
            if rest < 7:
                continue
            nibble = min(rest - 7, 15)
            if nibble_at is None:
                nibble_at = len(out)
                out.append(nibble)
            else:
                out[nibble_at] |= nibble << 4
                nibble_at = None
            if rest < 22:
                continue
            out.append(min(rest - 22, 255))
            if rest >= 277:
                out += struct.pack("<H", rest)
        struct.pack_into("<I", out, flags_at, flags)
        return bytes(out) if len(out) < len(data) else None


def processor_state(cpu, context):
    """_KPROCESSOR_STATE as a page: CPU has cr3, gdt, idt and registers of our own."""
    page = bytearray(PAGE)
    struct.pack_into("<4Q", page, 0, 0x80050033, 0x7FF012345678, cpu["cr3"], 0x3506F8)
    struct.pack_into("<6Q", page, 0x20, 0, 0, 0, 0, 0xFFFF0FF0, 0x400)
    struct.pack_into("<6xHQ6xHQ", page, 0x50, 0x57, cpu["gdt"], 0xFFF, cpu["idt"])
    struct.pack_into("<HHI", page, 0x70, 0x40, 0, 0x1F80)
    struct.pack_into("<7Q", page, 0xA0, 15, cpu["pcr"], 0x7FF000000000, 0x23001000000000,
                     cpu["gdt"] + 0x1000, cpu["gdt"] + 0x2000, 0x4700)
    struct.pack_into("<II6HI", page, context + 0x30, 0x10000F, 0x1F80,
                     0x10, 0x2B, 0x2B, 0x53, 0x2B, 0x18, 0x202)
    struct.pack_into("<17Q", page, context + 0x78, *range(0x1000, 0x1010), cpu["gdt"] + 0x123)
    return bytes(page)


def chunks(gfns):
    """gfns in sets of at most 16 pages."""
    return [gfns[i:i + SET_PAGES] for i in range(0, len(gfns), SET_PAGES)]


def ranges(gfns, longest):
    """(first, count) of stretches that follow each other."""
    out = []
    for gfn in gfns:
        if out and out[-1][0] + out[-1][1] == gfn and out[-1][1] < longest:
            out[-1][1] += 1
        else:
            out.append([gfn, 1])
    return out


def pad(f, alignment=PAGE):
    f.write(bytes(-f.tell() % alignment))


def header(layout, **fields):
    page = bytearray(PAGE)
    struct.pack_into("<4sIII", page, 0, b"HIBR" if "boot" in layout else b"hibr", 0, 0,
                     layout["length"])
    struct.pack_into("<QI", page, 0x10, 0, PAGE)
    for name, value in fields.items():
        struct.pack_into("<Q", page, 0x20 if name == "time" else layout[name], value)
    return page


def write_sets(f, gfns, read, codecs):
    """A section of Windows 8 and later; codecs take turns. The number of its pages."""
    for i, some in enumerate(chunks(gfns)):
        data = b"".join(read(gfn) for gfn in some)
        codec = codecs[i % len(codecs)]
        packed = codec(data)
        found = ranges(some, SET_PAGES)
        f.write(struct.pack("<I", len(found) | len(packed or data) << 8 | codec.method << 30))
        for first, count in found:
            f.write(struct.pack("<Q", first << 4 | count - 1))
        f.write(packed or data)
    return len(gfns)


def write_sections(path, version, boot, kernel, read, cpu, time=0, codecs=None, hiberboot=0):
    """Windows 8 and later. boot, kernel: pages of the sections; read(gfn): a page's bytes."""
    layout = LAYOUTS[version]
    codecs = codecs or [Huffman(), Plain()]
    with open(path, "wb") as f:
        f.write(bytes(PAGE))
        f.write(processor_state(cpu, layout["context"]))
        f.write(bytes((HEADER_PAGES - 2) * PAGE))
        starts = []
        for gfns in boot, kernel:
            starts.append(f.tell() // PAGE)
            write_sets(f, gfns, read, codecs)
            pad(f)
        page = header(layout, time=time, loader_pages=len(boot), boot=starts[0],
                      kernel=starts[1], kernel_pages=len(kernel),
                      highest=max(boot + kernel))
        page[layout["highest"] - HIBERBOOT_BEFORE_HIGHEST] = hiberboot
        f.seek(0)
        f.write(page)


def write_tables(path, gfns, read, cpu, time=0, ranges_a_table=255):
    """Windows 7."""
    layout, plain = LAYOUTS["windows-7"], Plain()
    found = ranges(gfns, 1 << 30)
    tables = [found[i:i + ranges_a_table] for i in range(0, len(found), ranges_a_table)]
    with open(path, "wb") as f:
        f.write(header(layout, time=time, table=HEADER_PAGES - 1))
        f.write(processor_state(cpu, layout["context"]))
        f.write(bytes((HEADER_PAGES - 3) * PAGE))
        for i, table in enumerate(tables):
            at = f.tell()
            f.write(bytes(PAGE))
            pages = [gfn for first, count in table for gfn in range(first, first + count)]
            for some in chunks(pages):
                data = b"".join(read(gfn) for gfn in some)
                packed = plain(data) or data
                f.write(b"\x81\x81xpress" +
                        struct.pack("<I20x", len(some) - 1 | len(packed) - 1 << 10) + packed)
                pad(f, 8)
            pad(f)
            after = f.tell() // PAGE if i + 1 < len(tables) else 0
            f.seek(at)
            f.write(struct.pack("<QII", after, len(table), 0))
            for first, count in table:
                f.write(struct.pack("<QQ", first, first + count))
            f.seek(0, 2)
