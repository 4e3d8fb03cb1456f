# SPDX-License-Identifier: MIT
"""What the tests of `convert` share: a scratch folder, and one conversion."""
import hashlib
import os
import re
import shutil
import tempfile
import unittest

import harness


def patches_in(text):
    """(pa, length) of each patch that standard error tells of."""
    found = re.findall(r"(\d+) bytes at physical address 0x([0-9a-f]+) are written otherwise", text)
    return [(int(pa, 16), int(length)) for length, pa in found]


def file_sha256(path):
    total = hashlib.sha256()
    with open(path, "rb") as f:
        while block := f.read(1 << 20):
            total.update(block)
    return total.hexdigest()


class Conversions(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(
            prefix="convert-", dir=harness.MEMORY if os.access(harness.MEMORY, os.W_OK) else None)
        self.addCleanup(shutil.rmtree, self.folder)

    def convert(self, path, form, name="out"):
        """The file, the row that tells of it, and the patches."""
        target = os.path.join(self.folder, name)
        done = harness.run("convert", "--to", form, "--force", "-o", target, "--format", "json",
                           path)
        self.assertEqual(done.status, 0, (path, done.err))
        row, patches = done.json(), patches_in(done.err)
        self.assertEqual(row["output_size"], os.path.getsize(target))
        self.assertEqual(row["lost_pages"], 0)
        self.assertEqual(row["patches"], len(patches), done.err)
        return target, row, patches
