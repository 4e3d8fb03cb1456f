# SPDX-License-Identifier: MIT
"""QEMU's migration stream: QEMU's own against its core, and one of a Windows machine.

Layout of the stream: QEMU's migration/savevm.c and migration/ram.c; libvirt's header:
qemu_saveimage.h.
"""
import gzip
import io
import os
import struct
import tempfile
import unittest

import harness
from harness import machine, member, run

PAGE = 4096
NAME = "win19041-tiny"
ZERO, SIZES, DATA, EOS, CONTINUE = 0x02, 0x04, 0x08, 0x10, 0x20
START, PART, END, FOOTER = 1, 2, 3, 0x7E
WHAT = ("machine", "dtb", "kernel_base", "build", "pdb_guid", "system_time", "physical_pages")


def big(value, size):
    return value.to_bytes(size, "big")


def name(text):
    return bytes([len(text)]) + text.encode()


def section(kind, records):
    head = bytes([kind]) + big(2, 4)
    if kind == START:
        head += name("ram") + big(0, 4) + big(4, 4)
    return head + records + big(EOS, 8) + bytes([FOOTER]) + big(2, 4)


def record(number, page, flags):
    if not page.strip(b"\0"):
        return big(number * PAGE | ZERO | flags, 8) + b"\0"
    return big(number * PAGE | DATA | flags, 8) + page


def write_stream(f, raw):
    """All of memory, and its first half once more: before that it was other memory."""
    pages = len(raw) // PAGE
    f.write(b"QEVM" + big(3, 4) + b"\x07" + big(13, 4) + b"pc-i440fx-7.2")
    f.write(section(START, big(len(raw) | SIZES, 8) + name("pc.ram") + big(len(raw), 8)))
    f.write(section(PART, big(DATA, 8) + name("pc.ram") + b"\xff" * PAGE))
    for half, kind in ((range(pages // 2, pages), PART), (range(pages // 2), PART), ((), END)):
        f.write(section(kind, b"".join(record(i, raw[i * PAGE:(i + 1) * PAGE], CONTINUE)
                                       for i in half)))
    f.write(b"\0")


class Windows(unittest.TestCase):
    def check(self, head, pack=None):
        path = machine(NAME)
        with open(path, "rb") as f:
            raw = f.read()
        plain = io.BytesIO()
        write_stream(plain, raw)
        with tempfile.NamedTemporaryFile(prefix="migration-",
                                         dir=harness.scratch_for(path)) as stream:
            stream.write(head + (pack(plain.getvalue()) if pack else plain.getvalue()))
            stream.flush()
            got = run("info", "--format", "json", stream.name)
            ps = run("ps", "--format", "json", stream.name)
        self.assertEqual(got.status, 0, got.err)
        self.assertIn("the stream has no devices", got.err)
        info, want = got.json(), run("info", "--format", "json", path).json()
        self.assertEqual(info["format"], "qemu-migration")
        self.assertEqual({key: info[key] for key in WHAT}, {key: want[key] for key in WHAT})
        self.assertEqual(ps.out, run("ps", "--format", "json", path).out)
        return info

    def test_stream(self):
        self.assertIsNone(self.check(b"")["subtype"])

    def test_libvirt(self):
        xml = b"<domain type='kvm'/>\0"
        for number, pack in ((0, None), (1, lambda data: gzip.compress(data, 1))):
            with self.subTest(number):
                head = (b"LibvirtQemudSave" + struct.pack("<IIII", 2, len(xml), 0, number)
                        + bytes(60) + xml)
                self.assertEqual(self.check(head, pack)["subtype"], "libvirt")


class Qemu(unittest.TestCase):
    def test_translations_by_its_registers(self):
        for variant in ("a", "b"):
            core = member(f"qemu/{variant}", "dump.elf")
            stream = member(f"qemu/{variant}", "migration.bin")
            with open(member(f"qemu/{variant}-truth", "truth.json")) as f:
                cpus = harness.json.load(f)["cpus"]
            for number, cpu in enumerate(cpus):
                stdin = "".join(f"0x{va}\n" for va, _ in cpu["translations"])
                with self.subTest(variant=variant, cpu=number):
                    got, want = (run("vtop", "--brief", "--format", "json", "--cpu", number, path,
                                     "-", stdin=stdin) for path in (stream, core))
                    self.assertEqual(got.out, want.out)
                    self.assertEqual(got.status, want.status, got.err)
                    self.assertIn('"pa": "0x', got.out)

    def test_info(self):
        for variant in ("a", "b"):
            info = run("info", "--format", "json",
                       member(f"qemu/{variant}", "migration.bin")).json()
            self.assertEqual((info["format"], info["cpus"], info["cpu_registers"],
                              info["paging_levels"]),
                             ("qemu-migration", 2, 2, 4 if variant == "a" else 5))
            self.assertEqual(info["file_size"],
                             os.path.getsize(member(f"qemu/{variant}", "migration.bin")))


if __name__ == "__main__":
    harness.main()
