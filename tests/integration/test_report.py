# SPDX-License-Identifier: MIT
"""The report as a file: that it needs and runs nothing else, and that its rows are the commands'."""
import base64
import hashlib
import html.parser
import json
import os
import re
import tempfile
import unittest

import harness
from harness import Damaged, machine, machine_truth, number, run

MACHINE = "win19041-tiny"
HOSTILE = b"<b>&\"'</script>"  # 15 bytes, as image names are long


class Page(html.parser.HTMLParser):
    """The elements of a report, and the text of its scripts and styles."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.elements, self.inside, self.blocks, self.text = [], None, [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self.inside = (tag, dict(attrs)) if tag in ("script", "style") else None

    def handle_endtag(self, tag):
        self.inside = None

    def handle_data(self, data):
        if self.inside:
            self.blocks.append((*self.inside, data))
        else:
            self.text += data

    def block(self, tag, **attributes):
        found, = [data for t, a, data in self.blocks if t == tag and a == attributes]
        return found

    def data(self):
        return json.loads(self.block("script", type="application/json", id="data"))


class Report:
    """The report of a snapshot: result, page, bytes."""

    def __init__(self, path, *options):
        with tempfile.TemporaryDirectory() as folder:
            out = os.path.join(folder, "report.html")
            self.result = run("report", path, "-o", out, "--format", "json", *options)
            with open(out, "rb") as f:
                self.bytes = f.read()
        self.page = Page(self.bytes.decode())
        self.data = self.page.data()

    def rows(self, table_id):
        """As dictionaries, with strings in their places."""
        table, = [t for t in self.data["tables"] if t["id"] == table_id]
        strings = self.data["strings"]
        return [{key: strings[v] if kind == "text" and v is not None else v
                 for (key, _, kind, _), v in zip(table["columns"], row)} for row in table["rows"]]


def policy_of(page):
    found, = [a["content"] for tag, a in page.elements
              if tag == "meta" and a.get("http-equiv") == "Content-Security-Policy"]
    return found


class File(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.path = machine(MACHINE)
        cls.report = Report(cls.path)

    def test_result(self):
        row = self.report.result.json()
        self.assertEqual(self.report.result.status, 0, self.report.result.err)
        self.assertEqual(row["output_size"], len(self.report.bytes))
        self.assertEqual(row["tables"], len(self.report.data["tables"]))
        self.assertEqual(row["rows"], sum(len(t["rows"]) for t in self.report.data["tables"]))
        self.assertEqual((row["left_out"], row["failed"]), (0, 0))

    def test_same_bytes(self):
        self.assertEqual(Report(self.path, "--threads", "1").bytes, self.report.bytes)

    def test_policy_names_its_own_parts(self):
        def source(text):
            return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"
        page = self.report.page
        self.assertEqual(policy_of(page), "default-src 'none'; base-uri 'none'; form-action 'none'; "
                         f"script-src {source(page.block('script'))}; "
                         f"style-src {source(page.block('style'))}")

    def test_nothing_from_outside(self):
        loading = {"img", "link", "iframe", "object", "embed", "audio", "video", "base", "form"}
        for tag, attributes in self.report.page.elements:
            self.assertNotIn(tag, loading)
            self.assertNotIn("src", attributes)
            self.assertNotIn("style", attributes)
            self.assertFalse([a for a in attributes if a.startswith("on")], tag)
            self.assertTrue(attributes.get("href", "#").startswith("#"))

    def test_facts(self):
        truth = machine_truth(MACHINE)
        with open(self.path, "rb") as f:
            self.assertIn(hashlib.file_digest(f, "sha256").hexdigest(), self.report.page.text)
        for fact in (truth["pdb_guid"].rsplit("-", 1)[0], "builtin:exact", os.path.basename(self.path)):
            self.assertIn(fact, self.report.page.text)
        self.assertNotIn(os.path.dirname(self.path).encode(), self.report.bytes)

    def test_rows_are_the_commands(self):
        for command, key in (("handles", "object"), ("modules", "base"), ("threads", "ethread"),
                             ("vads", "start")):
            rows = run(command, self.path, "--format", "json").json()
            self.assertEqual([number(row[key]) for row in rows],
                             [int(row[key], 16) for row in self.report.rows(command)], command)

    def test_tree(self):
        rows = run("ps", "--tree", self.path, "--format", "json").json()
        tree, = [t for t in self.report.data["tables"] if t["tree"]]
        self.assertEqual(tree["depths"], [row["depth"] for row in rows])
        self.assertEqual([row["command_line"] for row in self.report.rows("ps-tree")],
                         [row["command_line"] for row in rows])

    def test_links_lead_somewhere(self):
        ids = [a["id"] for _, a in self.report.page.elements if "id" in a]
        self.assertEqual(len(ids), len(set(ids)))
        for tag, attributes in self.report.page.elements:
            if tag == "a":
                self.assertIn(attributes["href"][1:], ids)


class Options(unittest.TestCase):
    def setUp(self):
        self.path = machine(MACHINE)

    def test_commands(self):
        report = Report(self.path, "--commands", "ps --tree,modules", "--commands", "idt")
        self.assertEqual([t["id"] for t in report.data["tables"]], ["ps-tree", "modules", "idt"])

    def test_pid(self):
        report = Report(self.path, "--commands", "handles,ps --tree", "--pid", "972")
        self.assertEqual({row["pid"] for row in report.rows("handles")}, {972})

    def test_left_out(self):
        report = Report(self.path, "--commands", "handles,modules", "--max-rows", "20")
        count = len(run("handles", self.path, "--format", "json").json())
        self.assertEqual(len(report.rows("handles")), 20)
        self.assertGreater(report.result.json()["left_out"], 0)
        self.assertIn(f"{count - 20} of {count} rows are not in this file", report.page.text)
        report = Report(self.path, "--commands", "handles,modules", "--max-size", "20K")
        block = report.page.block("script", type="application/json", id="data")
        self.assertLessEqual(len(block.encode()), 20 << 10)
        self.assertLess(len(report.rows("handles")), count)

    def test_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            out = os.path.join(folder, "report.html")
            for options in (["--commands", "nothing"], ["--commands", "ps,ps"],
                            ["--commands", "convert"], ["--commands", "read"],
                            ["--commands", "vtop"], ["--commands", "formats"]):
                self.assertEqual(run("report", self.path, "-o", out, *options).status, 2, options)
            self.assertEqual(run("report", self.path).status, 2)
            self.assertEqual(run("report", self.path, "--force", "-o", self.path).status, 2)
            self.assertFalse(os.path.exists(out))
            with open(out, "w"):
                pass
            self.assertEqual(run("report", self.path, "-o", out, "--commands", "ps").status, 1)
            self.assertEqual(os.path.getsize(out), 0)

    def test_no_kernel(self):
        with tempfile.NamedTemporaryFile(suffix=".raw") as empty:
            empty.truncate(1 << 20)
            report = Report(empty.name)
        self.assertEqual(report.result.status, 3)
        self.assertGreater(report.result.json()["failed"], 10)
        self.assertIn("No Windows kernel was found", report.page.text)


class Hostile(unittest.TestCase):
    def test_names_stay_text(self):
        truth = machine_truth(MACHINE)
        victim = next(p for p in truth["processes"] if p["name"] == "notepad.exe")
        name = victim["va"] + 0x5a8  # ImageFileName
        with Damaged(machine(MACHINE), [(name, HOSTILE)]) as path:
            report = Report(path, "--commands", "ps --tree,handles,threads,dlls")
        names = [row["name"] for row in report.rows("ps-tree")]
        self.assertIn(HOSTILE.decode(), names)
        self.assertNotIn(HOSTILE, report.bytes)
        self.assertNotIn("b", [tag for tag, _ in report.page.elements])
        self.assertEqual(len(re.findall(rb"</script", report.bytes)), 2)


if __name__ == "__main__":
    harness.main()
