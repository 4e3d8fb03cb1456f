# SPDX-License-Identifier: MIT
"""info, ps and modules on the windows-like machines, raw and in every container."""
import json
import os
import unittest

import harness
from harness import address, filetime, machine, machine_truth, member, run

RAW = harness.MACHINES
# containers that leave user pages out: what lies there is absent
CONTAINERS = "windows-like/win19041-tiny-containers"
KERNEL_ONLY = {"dmp-kernel", "dmp-live6", "dmp-auto", "dmp-k8"}
READABLE = {"dmp-full", "dmp-bitmap", "dmp-active", "dmp-f10", "dmp-ka9", "elf",
            "lime"} | KERNEL_ONLY


def expected_process(p, with_user_pages=True):
    return {
        "pid": p["pid"],
        "ppid": p["ppid"],
        "name": p["image_name"][:15],
        "eprocess": address(p["va"]),
        "dtb": address(p["dtb"]),
        "user_dtb": address(p["udtb"]) if p["udtb"] else None,
        "threads": p["active_threads"],
        # an exited process has no table left to count in
        "handles": None if p["zombie"] else len(p["handles"]),
        "session_id": p["session"],
        "wow64": p["wow64"],
        "create_time": filetime(p["ctime"]),
        "exit_time": filetime(p["etime"]),
        "image_path": p["ntpath"] or None,
        "command_line": p["cmdline"] if with_user_pages else None,
        "source": "list",
    }


class Machine(unittest.TestCase):
    maxDiff = 4000

    def check_info(self, path, t):
        got = run("info", "--format", "json", path)
        info = got.json()
        self.assertEqual(got.status, 0, got.err)
        self.assertEqual(info["dtb"], address(t["dtb"]))
        self.assertEqual(info["kernel_base"], address(t["kernel"]["base"]))
        self.assertEqual(info["kernel_size"], t["kernel"]["size"])
        self.assertEqual(info["build"], t["kernel"]["build"])
        self.assertEqual(info["build_lab"], t["system"]["buildlab"])
        self.assertEqual(info["pdb_name"], t["kernel"]["pdb"])
        self.assertEqual(info["pdb_guid"], t["kernel"]["guid"])
        self.assertEqual(info["pdb_age"], t["kernel"]["age"])
        self.assertEqual(info["system_time"], filetime(t["system"]["time"]))
        self.assertEqual(info["boot_time"], filetime(t["system"]["boot"]))
        self.assertEqual(info["cpus"], t["system"]["ncpu"])
        self.assertEqual(info["paging_levels"], 4)
        self.assertEqual(info["machine"], "amd64")
        self.assertEqual(info["file_size"], os.path.getsize(path))
        return info

    def check_ps(self, path, t, absent_pages=False, with_user_pages=True):
        got = run("ps", "--format", "json", path)
        rows = got.json()
        self.assertEqual(got.status, 3 if absent_pages else 0, got.err)
        expected = [expected_process(p, with_user_pages) for p in t["processes"] if p["listed"]]
        self.assertEqual([r["pid"] for r in rows], [e["pid"] for e in expected])
        for row, want in zip(rows, expected):
            got_row = {key: row[key] for key in want}
            for key in ("command_line", "image_path", "handles"):
                if absent_pages and row[key] is None:
                    want[key] = None
            self.assertEqual(got_row, want)
        return rows

    def check_modules(self, path, t):
        got = run("modules", "--format", "json", path)
        self.assertEqual(got.status, 0, got.err)
        want = [{"base": address(m["base"]), "size": m["size"], "name": m["name"],
                 "path": m["path"], "object": address(m["va"])}
                for m in t["modules"] if not m["hidden"]]
        self.assertEqual([{k: r[k] for k in want[0]} for r in got.json()], want)


    def check_cpus(self, path, t):
        got = run("cpus", "--format", "json", path)
        rows = got.json()
        self.assertEqual(got.status, 0, got.err)
        self.assertEqual([(r["cpu"], r["kpcr"], r["kprcb"]) for r in rows],
                         [(i, address(c["pcr"]), address(c["prcb"]))
                          for i, c in enumerate(t["cpus"])])
        eprocesses = {address(p["va"]) for p in t["processes"]}
        roots = {p["dtb"] for p in t["processes"]} | {p["udtb"] for p in t["processes"]}
        for row in rows:
            self.assertIn(int(row["cr3"], 16) & ~0xfff, roots)
            self.assertEqual(row["gs_base"], row["kpcr"])
            self.assertIn(row["current_process"], eprocesses | {None})


class Raw(Machine):
    def test_info(self):
        for name in RAW:
            with self.subTest(name):
                info = self.check_info(machine(name), machine_truth(name))
                self.assertEqual(info["format"], "raw")
                self.assertEqual(info["symbols"], "builtin:exact")

    def test_ps(self):
        for name in RAW:
            with self.subTest(name):
                paged = name == "win19041-paged"
                rows = self.check_ps(machine(name), machine_truth(name), absent_pages=paged)
                if paged:
                    known = [r for r in rows if r["command_line"]]
                    self.assertGreater(len(known), len(rows) // 3)

    def test_modules(self):
        for name in RAW:
            with self.subTest(name):
                self.check_modules(machine(name), machine_truth(name))

    def test_cpus(self):
        for name in RAW:
            with self.subTest(name):
                self.check_cpus(machine(name), machine_truth(name))

    def test_symbols_from_isf(self):
        for name in ("win7601-tiny", "win9600-tiny", "win19041-tiny", "win22000-tiny"):
            guid = machine_truth(name)["pdb_guid"]
            isf = os.path.join(harness.IMAGES, "windows-like", "isf", guid + ".json.xz")
            with self.subTest(name):
                plain = run("ps", "--format", "json", machine(name))
                given = run("ps", "--format", "json", "--symbols", isf, machine(name))
                self.assertEqual(given.out, plain.out)
                info = run("info", "--format", "json", "--symbols", isf, machine(name)).json()
                self.assertEqual(info["symbols"], "isf:" + isf)

    def test_discovery_is_absent_or_right(self):
        """Without any symbols: no cell differs, and what responders ask first is all there."""
        for name in RAW:
            for command in ("ps", "modules", "cpus"):
                with self.subTest(name, command=command):
                    plain = run(command, "--format", "json", machine(name)).json()
                    rows = run(command, "--format", "json", "--no-builtin-symbols",
                               "--no-symbol-store", machine(name)).json()
                    self.assertEqual(len(rows), len(plain))
                    for row, want in zip(rows, plain):
                        got = {k: v for k, v in row.items() if v is not None}
                        self.assertEqual(got, {k: want[k] for k in got})
                        if command == "ps":
                            for key in ("pid", "ppid", "name", "dtb", "create_time"):
                                self.assertIn(key, got)
            info = run("info", "--format", "json", "--no-builtin-symbols", "--no-symbol-store",
                       machine(name)).json()
            self.assertEqual(info["symbols"], "discovery")

    def test_tree(self):
        t = machine_truth("win19041-tiny")
        rows = run("ps", "--tree", "--format", "json", machine("win19041-tiny")).json()
        pids = {p["pid"]: p for p in t["processes"] if p["listed"]}
        self.assertEqual(sorted(r["pid"] for r in rows), sorted(pids))
        above = []
        for row in rows:
            depth = row["depth"]
            self.assertLessEqual(depth, len(above))
            above = above[:depth]
            if depth:
                self.assertEqual(row["ppid"], above[-1])
            else:
                self.assertNotIn(row["ppid"], set(pids) - {row["pid"]})
            above.append(row["pid"])

    def test_same_output_at_any_thread_count(self):
        path = machine("win19041-tiny")
        outputs = {run("ps", "--format", "jsonl", "--threads", n, path).out for n in (1, 2, 5)}
        self.assertEqual(len(outputs), 1)


class Containers(Machine):
    def test_every_container(self):
        t = machine_truth("win19041-tiny")
        with open(member(CONTAINERS, "dump-facts.json")) as f:
            facts = json.load(f)
        for name in sorted(READABLE):
            path = member(CONTAINERS, name)
            with self.subTest(name):
                info = self.check_info(path, t)
                if name.startswith("dmp"):
                    self.assertEqual(info["format"], "crash-dump")
                    self.assertEqual(int(info["bugcheck_code"], 16), facts[name]["bugcheck"])
                    self.assertEqual(info["physical_pages"], facts[name]["pages"])
                self.check_ps(path, t, absent_pages=name in KERNEL_ONLY,
                              with_user_pages=name not in KERNEL_ONLY)
                self.check_modules(path, t)
                self.check_cpus(path, t)


if __name__ == "__main__":
    harness.main()
