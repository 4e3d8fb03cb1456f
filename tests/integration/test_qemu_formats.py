# SPDX-License-Identifier: MIT
"""Every file that QEMU and makedumpfile wrote of one stopped machine holds the memory that its raw
dump holds, byte for byte: what `convert` makes of it is read by this test's own LiME parser."""
import unittest

import harness
from conversions import Conversions
from harness import image, member
from memory_readers import Memory, map_file, raw, read_memory
from test_qemu import LINUX, NT, linux_truth, nt_file

# all of the machine's memory, and files from which pages were left out
WHOLE = ("dump.elf", "migration.bin")
PARTS = ("dump-paging.elf", "dump-filter.elf", "mdf.d31.elf", "mdf.plain.d31.kdump",
         "mdf.plain.d31.flat.kdump")
NT_WHOLE = ("dump.elf", "dump.zlib.kdump", "dump.lzo.kdump", "dump.snappy.kdump",
            "dump.raw-zlib.kdump")
NT_PARTS = ("dump.paging.elf",)
CONTEXT_SIZE = 0x4d0


class QemuFormats(Conversions):
    def read(self, path):
        target, row, _ = self.convert(path, "lime")
        memory = read_memory("lime", target)
        self.assertEqual(memory.sha256(), row["memory_sha256"])
        return memory

    def expect_same(self, memory, want, extents):
        """All that lies in extents, which are those of `want` or parts of them."""
        for start, end in extents:
            self.assertTrue(memory.read(start, end - start) == want.read(start, end - start),
                            f"0x{start:x}-0x{end:x}")


def common(a, b):
    """What lies in extents of both."""
    both = [(max(start, first), min(end, last)) for start, end in a for first, last in b]
    return [(start, end) for start, end in both if start < end]


def size(extents):
    return sum(end - start for start, end in extents)


class Linux(QemuFormats):
    def machine(self, variant):
        """The raw dump, and where the ROM is that only the others hold."""
        t = linux_truth(variant)
        data = map_file(member(f"qemu/{variant}", "mem.raw"))
        memory = Memory([(pa, data[offset:offset + length])
                         for pa, length, offset in t["raw_runs"]])
        rom = [(int(start, 16), int(end, 16)) for start, end, _, name in t["flatview"]
               if name.startswith("pc.bios")]
        return memory, rom

    def test_whole(self):
        for variant in LINUX:
            want, rom = self.machine(variant)
            files = [member(f"qemu/{variant}", name) for name in WHOLE]
            if variant == "a":
                files.append(image("qemu/a.dump.zlib.kdump"))
            sums = set()
            for path in files:
                with self.subTest(file=path):
                    memory = self.read(path)
                    self.expect_same(memory, want, want.extents())
                    self.assertEqual(size(memory.extents()), size(want.extents()) + size(rom))
                    self.assertEqual(size(common(memory.extents(), rom)), size(rom))
                    sums.add(memory.sha256())
            self.assertEqual(len(sums), 1, variant)

    def test_parts(self):
        for variant in LINUX:
            want, rom = self.machine(variant)
            for name in PARTS:
                with self.subTest(variant=variant, file=name):
                    memory = self.read(member(f"qemu/{variant}", name))
                    there = common(memory.extents(), want.extents())
                    self.assertGreater(size(there), 1 << 20)
                    self.expect_same(memory, want, there)
                    self.assertEqual(size(there) + size(common(memory.extents(), rom)),
                                     size(memory.extents()))


class Nt(QemuFormats):
    def machine(self, variant):
        """QEMU 10's machines were made of the same image."""
        return raw(map_file(nt_file(variant.replace("-q10", ""), "image.raw")))

    def files(self, variant, names):
        """Those that there are: each version of QEMU has its own set."""
        for name in names:
            try:
                yield nt_file(variant, name)
            except FileNotFoundError:
                continue

    def test_whole(self):
        for variant in NT:
            want, sums = self.machine(variant), set()
            for path in self.files(variant, NT_WHOLE):
                with self.subTest(file=path):
                    memory = self.read(path)
                    self.expect_same(memory, want, want.extents())
                    sums.add(memory.sha256())
            self.assertEqual(len(sums), 1, variant)

    def test_parts(self):
        for variant in NT:
            want = self.machine(variant)
            for path in self.files(variant, NT_PARTS):
                with self.subTest(file=path):
                    memory = self.read(path)
                    there = common(memory.extents(), want.extents())
                    self.assertGreater(size(there), 1 << 20)
                    self.expect_same(memory, want, there)

    def test_crash_dump(self):
        """QEMU writes the registers into the CONTEXT of two processors, and nothing else."""
        for variant in NT:
            with self.subTest(variant=variant):
                want = self.machine(variant)
                memory = self.read(nt_file(variant, "dump.dmp"))
                self.assertEqual(memory.extents(), want.extents())
                (start, end), = want.extents()
                got, want = memory.read(start, end), want.read(start, end)
                differ = [at + i for at in range(start, end, 4096)
                          if got[at:at + 4096] != want[at:at + 4096]
                          for i in range(4096) if got[at + i] != want[at + i]]
                records = []
                for at in differ:
                    if not records or at >= records[-1] + CONTEXT_SIZE:
                        records.append(at)
                self.assertEqual(len(records), 2)


if __name__ == "__main__":
    harness.main()
