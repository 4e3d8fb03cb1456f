# SPDX-License-Identifier: MIT
"""VMware snapshots that are written here from raw memory: state with and beside its memory.

Layout of the state file: crash's vmware_vmss.c and volatility's vmware.py.
"""
import gzip
import os
import shutil
import struct
import tempfile
import unittest

import harness
from harness import address, machine, machine_truth, run

PAGE = 4096
NAME = "win19041-tiny"
MAGIC = 0xBED2BED2
# physical pages as (first, count) in the order in which the file has them
REGIONS = ((0x4000, 0x4000), (0, 0x3000), (0x3000, 0x1000))
WHAT = ("machine", "dtb", "kernel_base", "kernel_size", "build", "build_lab", "pdb_guid",
        "system_time", "boot_time", "physical_pages", "physical_end")


def tag(name, indices, value):
    return (bytes([len(indices) << 6 | len(value), len(name)]) + name.encode()
            + struct.pack(f"<{len(indices)}I", *indices) + value)


def block_head(name, indices, size, padding):
    return (bytes([len(indices) << 6 | 63, len(name)]) + name.encode()
            + struct.pack(f"<{len(indices)}IQQH", *indices, size, size, padding)
            + bytes(padding))


def u32(value):
    return struct.pack("<I", value)


def u64(value):
    return struct.pack("<Q", value)


def cpu_tags(truth):
    tags = [tag("cpu:numVCPUs", [], u32(len(truth["cpus"])))]
    for i, cpu in enumerate(truth["cpus"]):
        control = (0x80050033, 0, 0, cpu["cr3"], 0x370678)
        tags += [tag("CR64", [i, n], u64(value)) for n, value in enumerate(control)]
        tags.append(tag("S.base64", [i, 5], u64(cpu["pcr"])))
    return b"".join(tags) + bytes(2)


def memory_tags(regions):
    tags = [tag("regionsCount", [], u32(len(regions)))]
    at = 0
    for i, (first, count) in enumerate(regions):
        tags += [tag("regionPageNum", [i], u32(at)), tag("regionPPN", [i], u32(first)),
                 tag("regionSize", [i], u32(count))]
        at += count
    return b"".join(tags)


def state(truth, regions, inside=None):
    """The state file; INSIDE: of its memory, the bytes that are in it as well."""
    memory = memory_tags(regions)
    if inside is not None:
        memory += block_head("Memory", [0, 0], len(inside), 0x123) + inside
    groups = {"Checkpoint": tag("memSize", [], u32(128)) + bytes(2), "cpu": cpu_tags(truth),
              "memory": memory + bytes(2)}
    head = struct.pack("<III", MAGIC, 8, len(groups))
    at = len(head) + 80 * len(groups)
    for name, tags in groups.items():
        head += name.encode().ljust(64, b"\0") + struct.pack("<QQ", at, len(tags))
        at += len(tags)
    return head + b"".join(groups.values())


def shuffled(raw, regions):
    """Raw memory in the order in which the regions have it."""
    return b"".join(raw[first * PAGE:(first + count) * PAGE] for first, count in regions)


class Vmware(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.raw_path = machine(NAME)
        cls.truth = machine_truth(NAME)
        with open(cls.raw_path, "rb") as f:
            cls.raw = f.read()
        cls.folder = tempfile.mkdtemp(prefix="vmware-", dir=harness.scratch_for(cls.raw_path))
        cls.memory = shuffled(cls.raw, REGIONS)
        cls.vmem = cls.write("VM-Snapshot1.vmem", cls.memory)
        cls.info = run("info", "--format", "json", cls.raw_path).json()
        cls.ps = run("ps", "--format", "json", cls.raw_path).out

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    @classmethod
    def write(cls, name, data):
        path = os.path.join(cls.folder, name)
        with open(path, "wb") as f:
            f.write(data)
        return path

    def check(self, path, subtype):
        got = run("info", "--format", "json", path)
        self.assertEqual(got.status, 0, got.err)
        info = got.json()
        self.assertEqual((info["format"], info["subtype"]), ("vmware", subtype))
        self.assertEqual({key: info[key] for key in WHAT}, {key: self.info[key] for key in WHAT})
        self.assertEqual(info["cpus"], len(self.truth["cpus"]))
        self.assertEqual(info["cpu_registers"], len(self.truth["cpus"]))
        self.assertEqual(run("ps", "--format", "json", path).out, self.ps)

    def test_either_of_two_files(self):
        vmsn = self.write("VM-Snapshot1.vmsn", state(self.truth, REGIONS))
        self.check(vmsn, "snapshot")
        self.check(self.vmem, "snapshot")
        os.unlink(vmsn)
        vmss = self.write("VM-Snapshot1.vmss", state(self.truth, REGIONS))
        self.check(vmss, "suspended")
        self.check(self.vmem, "suspended")
        os.unlink(vmss)

    def test_processors(self):
        vmsn = self.write("VM-Snapshot1.vmsn", state(self.truth, REGIONS))
        rows = run("cpus", "--format", "json", vmsn).json()
        os.unlink(vmsn)
        self.assertEqual([(r["cr3"], r["kpcr"]) for r in rows],
                         [(address(c["cr3"]), address(c["pcr"])) for c in self.truth["cpus"]])

    def test_memory_in_the_state_file(self):
        path = self.write("inside.vmss", state(self.truth, REGIONS, self.memory))
        self.check(path, "suspended")
        other = self.write("inside.vmem", b"of another time")
        self.check(path, "suspended")
        os.unlink(other)
        os.unlink(path)

    def test_compressed_both(self):
        with open(self.vmem, "rb") as f, \
                gzip.open(os.path.join(self.folder, "packed.vmem.gz"), "wb", 1) as g:
            shutil.copyfileobj(f, g)
        path = self.write("packed.vmss.gz", gzip.compress(state(self.truth, REGIONS)))
        self.check(path, "suspended")
        os.unlink(path)
        os.unlink(os.path.join(self.folder, "packed.vmem.gz"))

    def test_memory_alone(self):
        path = os.path.join(self.folder, "alone.vmem")
        shutil.copyfile(self.raw_path, path)
        got = run("info", "--format", "json", path)
        self.assertEqual(got.status, 0, got.err)
        self.assertEqual(got.json()["format"], "raw")
        self.assertIn("alone.vmss' nor", got.err)
        self.assertIn("taken as raw memory", got.err)
        self.assertNotIn("3 GiB", got.err)
        self.assertEqual(run("ps", "--format", "json", path).out, self.ps)
        os.unlink(path)
        large = self.write("large.vmem", b"")
        os.truncate(large, 0xC0001000)
        self.assertIn("above 3 GiB to 4 GiB", run("info", large).err)
        os.unlink(large)

    def test_wrong_stem(self):
        path = self.write("VM.vmsn", state(self.truth, REGIONS))
        got = run("info", path)
        self.assertEqual(got.status, 1)
        self.assertIn("snapshot state without memory: expected "
                      + os.path.join(self.folder, "VM.vmem") + " beside it", got.err)
        os.unlink(path)

    def test_state_that_lies(self):
        regions = (*REGIONS, (0x10000, 5))
        path = self.write("VM-Snapshot1.vmsn", state(self.truth, regions))
        got = run("ps", "--format", "json", self.vmem)
        os.unlink(path)
        self.assertEqual(got.status, 3, got.err)
        self.assertIn("memory region 3 at physical address 0x10000000: expected 0x5000 bytes, the "
                      "file has 0x0", got.err)
        self.assertEqual(got.out, self.ps)

    def test_state_that_is_none(self):
        path = self.write("VM-Snapshot1.vmsn", b"not a state file")
        got = run("info", self.vmem)
        os.unlink(path)
        self.assertEqual(got.status, 1)
        self.assertIn("expected VMware's snapshot state", got.err)


if __name__ == "__main__":
    harness.main()
