# SPDX-License-Identifier: MIT
"""convert: what is written is read back, by this program and by others."""
import gzip
import hashlib
import os
import resource
import shutil
import signal
import struct
import subprocess
import tempfile
import time
import unittest

import harness
import test_vmware

PAGE = 4096
FORMATS = ("raw", "elf", "lime", "kdump-zlib", "raw.lz4", "elf.lz4")
NAME = "win19041-tiny"

# one page at a time, by libkdumpfile: is it what the raw file has? Debian has it for its own Python.
LIBKDUMPFILE = """
import sys
from kdumpfile import kdumpfile, KDUMP_MACHPHYSADDR
dump, raw = kdumpfile(file=sys.argv[1]), open(sys.argv[2], "rb")
pages = 0
while page := raw.read(4096):
    if bytes(dump.read(KDUMP_MACHPHYSADDR, pages << 12, 4096)) != page:
        sys.exit(f"page {pages} differs")
    pages += 1
print(pages)
"""
DEBIAN_PYTHON = "/usr/bin/python3"


def has_libkdumpfile():
    return subprocess.run([DEBIAN_PYTHON, "-c", "import kdumpfile"],
                          capture_output=True).returncode == 0


def memory_sum(runs, path):
    """memory_sha256 as the help describes it, of runs of a raw file."""
    total = hashlib.sha256()
    with open(path, "rb") as raw:
        for start, end in runs:
            total.update(struct.pack("<QQ", start, end))
            raw.seek(start)
            total.update(raw.read(end - start))
    return total.hexdigest()


def file_sum(path):
    with open(path, "rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


class Convert(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.raw = harness.machine(NAME)
        cls.folder = tempfile.mkdtemp(prefix="convert-", dir=harness.scratch_for(cls.raw))
        cls.size = os.path.getsize(cls.raw)
        cls.outputs = {name: cls.convert(name, cls.raw) for name in FORMATS}

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    @classmethod
    def path(cls, name):
        return os.path.join(cls.folder, name)

    @classmethod
    def convert(cls, to, source, *options, name=None, status=0):
        path = cls.path(name or "out." + to)
        done = harness.run("convert", "--to", to, "-o", path, "--force", *options, "--format",
                           "json", source)
        assert done.status == status, done.err
        return done.json()

    def refuse(self, status, text, *words):
        before = sorted(os.listdir(self.folder))
        done = harness.run("convert", *words)
        self.assertEqual(done.status, status, done.err)
        self.assertIn(text, done.err)
        self.assertEqual(sorted(os.listdir(self.folder)), before)

    def test_hashes_are_those_of_files_and_memory(self):
        whole, memory = file_sum(self.raw), memory_sum([(0, self.size)], self.raw)
        for name, row in self.outputs.items():
            with self.subTest(name):
                self.assertEqual(row["input_sha256"], whole)
                self.assertEqual(row["memory_sha256"], memory)
                self.assertEqual(row["output_sha256"], file_sum(row["output"]))
                self.assertEqual(row["output_size"], os.path.getsize(row["output"]))
                self.assertEqual((row["pages"], row["runs"]), (self.size // PAGE, 1))
        self.assertEqual(self.outputs["raw"]["output_sha256"], whole)
        no = self.convert("raw", self.raw, "--no-hash", name="no-hash.raw")
        self.assertEqual([no[k] for k in no if k.endswith("sha256")], [None, None, None])

    def test_what_is_written_is_read_back(self):
        for name in ("elf", "lime", "kdump-zlib", "raw.lz4"):
            row = self.outputs[name]
            with self.subTest(name):
                back = self.convert("raw", row["output"], name="back.raw")
                self.assertEqual(back["memory_sha256"], row["memory_sha256"])
                self.assertEqual(back["output_sha256"], row["input_sha256"])
                self.assertEqual(back["input_sha256"], row["output_sha256"])

    def test_listings_do_not_depend_on_the_format(self):
        for word in (("ps",), ("handles", "--pid", "4")):
            want = harness.run(*word, "--format", "json", self.raw)
            for name in ("elf", "lime", "kdump-zlib", "raw.lz4"):
                with self.subTest(word[0], format=name):
                    got = harness.run(*word, "--format", "json", self.outputs[name]["output"])
                    self.assertEqual((got.status, got.out), (want.status, want.out))

    def test_zeros_and_holes_take_no_room(self):
        # a new one: in memory, holes that others have mapped are filled
        row = self.convert("raw", self.raw, "--no-hash", name="sparse.raw")
        used = os.stat(row["output"]).st_blocks * 512
        self.assertLess(used, self.size // 2)

    @unittest.skipUnless(shutil.which("readelf"), "readelf is not here")
    def test_readelf_finds_the_segments(self):
        done = subprocess.run(["readelf", "-lW", self.outputs["elf"]["output"]],
                              capture_output=True, text=True, check=True)
        self.assertEqual(done.stderr, "")
        loads = [line.split() for line in done.stdout.splitlines() if " LOAD " in line]
        self.assertEqual([(int(l[3], 16), int(l[4], 16)) for l in loads], [(0, self.size)])

    @unittest.skipUnless(has_libkdumpfile(), "python3-libkdumpfile is not here")
    def test_libkdumpfile_reads_every_page(self):
        for name in ("elf", "kdump-zlib"):
            with self.subTest(name):
                done = subprocess.run([DEBIAN_PYTHON, "-c", LIBKDUMPFILE,
                                       self.outputs[name]["output"], self.raw],
                                      capture_output=True, text=True)
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertEqual(int(done.stdout), self.size // PAGE)

    @unittest.skipUnless(shutil.which("lz4"), "lz4 is not here")
    def test_lz4_unpacks_it(self):
        for name in ("raw", "elf"):
            with self.subTest(name):
                packed = self.outputs[name + ".lz4"]["output"]
                unpacked = self.path("unpacked")
                subprocess.run(["lz4", "-q", "-d", "-f", packed, unpacked], check=True)
                self.assertEqual(file_sum(unpacked), self.outputs[name]["output_sha256"])
                listed = subprocess.run(["lz4", "--list", packed], capture_output=True, text=True,
                                        check=True).stdout
                self.assertIn("B7I", listed)  # independent blocks of 4 MiB

    def test_threads_change_nothing(self):
        for name in ("kdump-zlib", "raw.lz4"):
            for threads in (1, 3):
                row = self.convert(name, self.raw, "--threads", threads, name="threads")
                self.assertEqual(row["output_sha256"], self.outputs[name]["output_sha256"])

    def test_only_mapped_keeps_what_listings_need(self):
        row = self.convert("elf", self.raw, "--only-mapped", name="mapped.elf")
        self.assertLess(row["pages"], self.size // PAGE // 2)
        for word in (("ps", "--crossview"), ("modules",), ("vads", "--pid", "972"),
                     ("handles", "--pid", "972"), ("callbacks",)):
            with self.subTest(word[0]):
                want = harness.run(*word, "--format", "json", self.raw)
                got = harness.run(*word, "--format", "json", row["output"])
                self.assertEqual((got.status, got.out), (want.status, want.out))

    def test_pid_writes_one_space(self):
        row = self.convert("elf", self.raw, "--pid", "972", name="972.elf")
        self.assertIsNone(row["memory_sha256"])
        with open(row["output"], "rb") as f:
            core = f.read()
        offset, count = struct.unpack_from("<32xQ16xH", core)[0], struct.unpack_from(
            "<56xH", core)[0]
        pages = 0
        with open(self.raw, "rb") as raw:
            for i in range(1, count):
                kind, flags, at, va, pa, size, memory = struct.unpack_from("<IIQQQQQ", core,
                                                                           offset + 56 * i)
                self.assertEqual((kind, size), (1, memory))
                raw.seek(pa)
                self.assertEqual(core[at:at + size], raw.read(size))
                read = harness.run("vtop", "--brief", "--pid", "972", "--format", "json",
                                   self.raw, hex(va)).json() if i % 40 == 1 else None
                if read:
                    self.assertEqual(harness.number(read[0]["pa"]), pa)
                pages += size // PAGE
        self.assertEqual(pages, row["pages"])
        self.refuse(2, "is written as elf", "--to", "lime", "-o", self.path("no"), "--pid", "972",
                    self.raw)
        self.refuse(1, "no process has the id 973", "--to", "elf", "-o", self.path("no"), "--pid",
                    "973", self.raw)

    @unittest.skipUnless(shutil.which("gdb"), "gdb is not here")
    def test_gdb_reads_one_space(self):
        path = self.convert("elf", self.raw, "--pid", "972", name="gdb.elf")["output"]
        with open(path, "rb") as f:
            head = f.read(1 << 16)
        start, size = None, 0
        for i in range(1, struct.unpack_from("<H", head, 56)[0]):
            va, pa, length = struct.unpack_from("<16xQQQ", head, 64 + 56 * i)
            if length > size:
                start, physical, size = va, pa, length
        done = subprocess.run(["gdb", "-nx", "-q", "-batch", "-c", path, "-ex", "info files", "-ex",
                               f"dump binary memory {self.path('gdb.bin')} {start} {start + size}"],
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(f"0x{start:016x} - 0x{start + size:016x} is load", done.stdout)
        with open(self.path("gdb.bin"), "rb") as got, open(self.raw, "rb") as raw:
            raw.seek(physical)
            self.assertEqual(got.read(), raw.read(size))

    def test_words_that_are_off(self):
        no = self.path("no")
        self.refuse(2, "to which format?", "-o", no, self.raw)
        self.refuse(2, "'vmss' is none of", "--to", "vmss", "-o", no, self.raw)
        self.refuse(2, "compressed already", "--to", "kdump-zlib.lz4", "-o", no, self.raw)
        self.refuse(2, "into which file?", "--to", "raw", self.raw)
        self.refuse(2, "standard output cannot be written to", "--to", "lime", "-o", "-", self.raw)
        self.refuse(2, "expected the path of a file", "--to", "raw", "-o", self.folder + "/",
                    self.raw)
        self.refuse(1, "cannot create the file", "--to", "raw", "-o",
                    self.path("no/such/folder/x"), self.raw)
        self.refuse(1, "File exists", "--to", "raw", "-o", "/dev/full", self.raw)
        self.refuse(2, "is no regular file", "--force", "--to", "raw", "-o", "/dev/full",
                    self.raw)

    def test_files_are_kept_unless_forced(self):
        there = self.path("there")
        with open(there, "w") as f:
            f.write("kept")
        self.refuse(1, "--force replaces it", "--to", "raw", "-o", there,
                    self.raw)
        with open(there) as f:
            self.assertEqual(f.read(), "kept")
        row = self.convert("raw", self.raw, name="there")
        self.assertEqual(file_sum(there), row["output_sha256"])

    def test_evidence_is_never_replaced(self):
        own = self.path("evidence")
        shutil.copyfile(self.outputs["lime"]["output"], own)
        os.link(own, self.path("link"))
        os.symlink(own, self.path("symlink"))
        before = file_sum(own)
        for name in ("evidence", "link", "symlink"):
            self.refuse(2, "is the snapshot itself", "--force", "--to", "raw", "-o",
                        self.path(name), own)
        self.assertEqual(file_sum(own), before)

    def test_the_other_file_of_the_snapshot_is_never_replaced_in_a_container_either(self):
        truth = harness.machine_truth(NAME)
        with open(self.raw, "rb") as f:
            pages = test_vmware.shuffled(f.read(), test_vmware.REGIONS)
        for name, data in (("two.vmem.gz", pages),
                           ("two.vmss.gz", test_vmware.state(truth, test_vmware.REGIONS))):
            with gzip.open(self.path(name), "wb", 1) as f:
                f.write(data)
        before = file_sum(self.path("two.vmss.gz"))
        self.refuse(2, "is the snapshot itself", "--force", "--to", "lime", "-o",
                    self.path("two.vmss.gz"), self.path("two.vmem.gz"))
        self.assertEqual(file_sum(self.path("two.vmss.gz")), before)

    def test_links_are_not_replaced(self):
        """/dev/stdout is one."""
        os.mkfifo(self.path("fifo"))
        for name, target in (("to-fifo", "fifo"), ("to-nothing", "nothing")):
            os.symlink(target, self.path(name))
            self.refuse(2, "is a symbolic link", "--force", "--to", "lime", "-o", self.path(name),
                        self.raw)
            self.assertEqual(os.readlink(self.path(name)), target)

    def limited(self, *words):
        """At most a MiB may be written to a file."""
        return subprocess.run([harness.PROGRAM, "convert", *words], capture_output=True, text=True,
                              preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE,
                                                                    (1 << 20, 1 << 20)))

    def test_a_full_disk_leaves_nothing(self):
        before = sorted(os.listdir(self.folder))
        for name in FORMATS:
            with self.subTest(name):
                done = self.limited("--to", name, "-o", self.path("no"), self.raw)
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertIn("File too large", done.stderr)
                self.assertEqual(sorted(os.listdir(self.folder)), before)

    def test_interrupts_leave_nothing(self):
        before = sorted(os.listdir(self.folder))
        for word in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            p = subprocess.Popen([harness.PROGRAM, "convert", "--to", "raw.lz4", "-o",
                                  self.path("no"), self.raw], stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL)
            time.sleep(0.05)
            p.send_signal(word)
            if p.wait() == 0:  # it was done before
                os.unlink(self.path("no"))
            else:
                self.assertEqual(p.returncode, -word)
            self.assertEqual(sorted(os.listdir(self.folder)), before)

    def kdump_with_descriptors(self):
        """Its bytes, and where the descriptors of its pages begin."""
        with open(self.outputs["kdump-zlib"]["output"], "rb") as f:
            dump = bytearray(f.read())
        sub, bitmaps = struct.unpack_from("<II", dump, 432)
        return dump, (1 + sub + bitmaps) * PAGE

    def test_there_is_no_output_without_a_page(self):
        dump, descriptors = self.kdump_with_descriptors()
        for number in range(self.size // PAGE):  # each is what no page is packed to
            struct.pack_into("<QII", dump, descriptors + 24 * number, descriptors, 16, 1)
        with open(self.path("all-damaged"), "wb") as f:
            f.write(dump)
        for name in FORMATS:
            with self.subTest(name):
                self.refuse(1, "there is no page to write", "--to", name, "-o", self.path("no"),
                            self.path("all-damaged"))

    def test_damage_is_told_and_left_out(self):
        dump, descriptors = self.kdump_with_descriptors()
        number = next(i for i in range(300, self.size // PAGE)
                      if struct.unpack_from("<QII", dump, descriptors + 24 * i)[2])
        offset, size = struct.unpack_from("<QI", dump, descriptors + 24 * number)
        dump[offset:offset + size] = b"\xff" * size
        with open(self.path("damaged"), "wb") as f:
            f.write(dump)
        row = self.convert("elf", self.path("damaged"), name="mended.elf", status=3)
        self.assertEqual((row["lost_pages"], row["pages"], row["runs"]),
                         (1, self.size // PAGE - 1, 2))
        at = number * PAGE
        self.assertEqual(row["memory_sha256"],
                         memory_sum([(0, at), (at + PAGE, self.size)], self.raw))
        back = self.convert("lime", row["output"], name="mended.lime")
        self.assertEqual(back["memory_sha256"], row["memory_sha256"])


class Containers(unittest.TestCase):
    """One memory, as the builder of the images wrote it in several formats."""

    def test_the_memory_hash_does_not_depend_on_the_format(self):
        sums = set()
        for name in ("dmp-full", "dmp-bitmap", "elf", "lime"):
            source = harness.member(f"windows-like/{NAME}-containers", name)
            with tempfile.TemporaryDirectory(dir=harness.scratch_for(source)) as folder:
                done = harness.run("convert", "--to", "kdump-zlib", "-o",
                                   os.path.join(folder, "x"), "--format", "json", source)
                self.assertEqual(done.status, 0, done.err)
                sums.add(done.json()["memory_sha256"])
        self.assertEqual(len(sums), 1)


class Registers(unittest.TestCase):
    """Machines that QEMU dumped, with the registers of all processors."""

    def check(self, source):
        want = harness.run("registers", "--format", "json", source)
        self.assertEqual(want.status, 0, want.err)
        memory = None
        with tempfile.TemporaryDirectory(dir=harness.scratch_for(source)) as folder:
            for to in ("elf", "kdump-zlib", "elf.lz4"):
                path = os.path.join(folder, to)
                done = harness.run("convert", "--to", to, "-o", path, "--format", "json", source)
                self.assertEqual((done.status, done.err), (0, ""))
                memory = memory or done.json()["memory_sha256"]
                self.assertEqual(done.json()["memory_sha256"], memory)
                got = harness.run("registers", "--format", "json", path)
                self.assertEqual((got.status, got.out), (want.status, want.out))

    def test_a_real_windows(self):
        self.check(harness.image("real/real17763-a.elf"))

    def test_two_processors(self):
        self.check(os.path.join(harness.image("qemu/nt"), "nt-self5", "dump.elf"))

    def test_what_has_no_place_is_said(self):
        source = harness.image("real/real17763-a.elf")
        with tempfile.TemporaryDirectory(dir=harness.scratch_for(source)) as folder:
            done = harness.run("convert", "--to", "lime", "-o", os.path.join(folder, "x"), source)
            self.assertEqual(done.status, 0)
            self.assertIn("lime has no room for registers", done.err)


if __name__ == "__main__":
    harness.main()
