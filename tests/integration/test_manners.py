# SPDX-License-Identifier: MIT
"""The program as people meet it: terminals of all widths, colors, completion in their shells."""
import fcntl
import json
import os
import pty
import re
import select
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unittest
import unicodedata

PROGRAM = os.path.abspath(sys.argv.pop(1))
FIXTURES = os.path.abspath(sys.argv.pop(1))
SNAPSHOT = os.path.join(FIXTURES, "win19041-tiny.raw")
PATIENCE_SECONDS = 60  # what never comes


def environment(changes):
    env = {k: v for k, v in os.environ.items()
           if k not in ("COLUMNS", "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE")}
    env.update(XDG_CACHE_HOME="/dev/null", TERM="xterm", LC_ALL="C.UTF-8")
    env.update(changes)
    return env


def open_terminal(width):
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
    return ours, theirs


def on_terminal(width, *args, **env):
    """What the program writes to a terminal of that width; messages are left out."""
    ours, theirs = open_terminal(width)
    child = subprocess.Popen([PROGRAM, *map(str, args)], stdout=theirs, stdin=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL, env=environment(env))
    os.close(theirs)
    text = b""
    try:
        while part := os.read(ours, 1 << 16):
            text += part
    except OSError:  # how a terminal ends
        pass
    os.close(ours)
    child.wait()
    return text.decode().replace("\r\n", "\n")


def piped(*args, **env):
    return subprocess.run([PROGRAM, *map(str, args)], text=True, env=environment(env),
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE)


def without_color(text):
    return re.sub("\x1b\\[[0-9]*m", "", text)


def width_of(line):
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)


class Widths(unittest.TestCase):
    def test_rows_fit(self):
        for command in ("ps", "ps --tree", "ps --crossview", "handles", "vads", "modules",
                        "threads", "cpus", "dlls", "callbacks", "objects"):
            for width in (20, 80, 132):
                text = without_color(on_terminal(width, *command.split(), SNAPSHOT))
                widest = max(map(width_of, text.splitlines()))
                self.assertLessEqual(widest, width, f"{command} at {width}")

    def test_least_important_columns_go_first(self):
        text = without_color(on_terminal(80, "ps", SNAPSHOT))
        self.assertEqual(text.splitlines()[0].split(),
                         ["PID", "PPID", "NAME", "THR", "CREATED", "COMMAND", "LINE"])
        self.assertIn("…", text)

    def test_every_row_is_there(self):
        rows = piped("handles", SNAPSHOT).stdout.splitlines()
        for width in (10, 80, 300):
            text = on_terminal(width, "handles", SNAPSHOT)
            self.assertEqual(len(text.splitlines()), len(rows))

    def test_wide(self):
        whole = [line.split() for line in piped("ps", SNAPSHOT).stdout.splitlines()]
        text = without_color(on_terminal(40, "ps", "--wide", SNAPSHOT))
        self.assertEqual([line.split() for line in text.splitlines()], whole)

    def test_columns_variable(self):
        self.assertEqual(on_terminal(200, "ps", SNAPSHOT, COLUMNS="80"),
                         on_terminal(80, "ps", SNAPSHOT))
        self.assertEqual(on_terminal(80, "ps", SNAPSHOT, COLUMNS="wide"),
                         on_terminal(80, "ps", SNAPSHOT))

    def test_pipes_get_all(self):
        text = piped("ps", SNAPSHOT, COLUMNS="40").stdout
        self.assertEqual(text, piped("ps", SNAPSHOT).stdout)
        self.assertGreater(max(map(len, text.splitlines())), 150)

    def test_other_formats_are_whole(self):
        for kind in ("json", "jsonl", "csv"):
            self.assertEqual(on_terminal(40, "modules", "--format", kind, SNAPSHOT),
                             piped("modules", "--format", kind, SNAPSHOT).stdout)

    def test_what_is_left_out_is_told(self):
        ours, theirs = open_terminal(80)
        done = subprocess.run([PROGRAM, "ps", SNAPSHOT], stdout=theirs, stderr=subprocess.PIPE,
                              env=environment({}), text=True)
        os.close(theirs)
        os.close(ours)
        self.assertIn("5 columns left out", done.stderr)
        self.assertIn("--wide", done.stderr)


class Colors(unittest.TestCase):
    def has_color(self, text):
        return "\x1b[" in text

    def test_when(self):
        for terminal, args, env, expected in (
                (True, [], {}, True), (False, [], {}, False),
                (True, [], {"NO_COLOR": "1"}, False), (True, [], {"NO_COLOR": ""}, True),
                (True, [], {"CLICOLOR": "0"}, False), (True, [], {"TERM": "dumb"}, False),
                (False, [], {"CLICOLOR_FORCE": "1"}, True),
                (False, [], {"CLICOLOR_FORCE": "0"}, False),
                (True, [], {"CLICOLOR_FORCE": "1", "NO_COLOR": "1"}, False),
                (True, ["--color=never"], {"CLICOLOR_FORCE": "1"}, False),
                (False, ["--color", "always"], {"NO_COLOR": "1"}, True),
                (True, ["--color=auto"], {}, True), (False, ["--color=auto"], {}, False)):
            with self.subTest(terminal=terminal, args=args, env=env):
                text = (on_terminal(80, "ps", *args, SNAPSHOT, **env) if terminal
                        else piped("ps", *args, SNAPSHOT, **env).stdout)
                self.assertEqual(self.has_color(text), expected)

    def test_never_the_only_carrier(self):
        colored = piped("ps", "--crossview", "--color", "always", SNAPSHOT).stdout
        self.assertIn("\x1b[31mfalse\x1b[0m", colored)
        self.assertEqual(without_color(colored), piped("ps", "--crossview", SNAPSHOT).stdout)

    def test_text_alone(self):
        for kind in ("json", "jsonl", "csv"):
            self.assertFalse(self.has_color(
                piped("ps", "--color", "always", "--format", kind, SNAPSHOT).stdout))

    def test_hostile_names(self):
        snapshot = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..",
                                "testdata", "small-windows.dmp")
        text = on_terminal(80, "ps", "--columns", "name,command_line", snapshot)
        self.assertIn("\\x1b[2J", text)
        self.assertEqual(set(re.findall("\x1b\\[[0-9;]*.", text)),
                         {"\x1b[0m", "\x1b[1m", "\x1b[2m"})


class Version(unittest.TestCase):
    def test_text(self):
        lines = piped("--version").stdout.splitlines()
        self.assertRegex(lines[0], r"^ntscope \d+\.\d+\.\d+$")
        self.assertRegex(lines[1], r"^built with zlib \d.*, lz4 \d")

    def test_json(self):
        said = json.loads(piped("--version", "--format", "json").stdout)
        self.assertEqual(said["name"], "ntscope")
        built = {row["name"] for row in json.loads(piped("formats", "--format", "json").stdout)
                 if row["kind"] == "codec" and row["read"]}
        for codec in ("zlib", "lz4", "zstd", "snappy", "lzo"):
            self.assertEqual(said["libraries"][codec] is not None, codec in built, codec)


class Commands(unittest.TestCase):
    """The three ways to name several commands."""

    def test_the_same(self):
        listed = piped("ps,modules", "--format", "json", SNAPSHOT).stdout
        for line in (["-c", "ps", "-c", "modules", SNAPSHOT], ["-cps,modules", SNAPSHOT],
                     [SNAPSHOT, "--command", "ps", "--command=modules"],
                     ["ps", SNAPSHOT, "-c", "modules"]):
            self.assertEqual(piped(*line, "--format", "json").stdout, listed, line)
        self.assertEqual(set(json.loads(listed)), {"ps", "modules"})

    def test_one(self):
        self.assertEqual(piped("-c", "ps", SNAPSHOT).stdout, piped("ps", SNAPSHOT).stdout)

    def test_columns_by_letter(self):
        self.assertEqual(piped("ps", "-Cpid,name", "-fcsv", SNAPSHOT).stdout.split("\n")[0],
                         "pid,name")
        done = piped("ps", "-c", "pid,name", SNAPSHOT)
        self.assertEqual(done.returncode, 2)
        self.assertIn("-C for columns", done.stderr)


class Completion(unittest.TestCase):
    """In the shells themselves: a line, a TAB, and what they make of it."""
    LINES = (
        ("ntscope modu", "ntscope modules "),
        ("ntscope ps,mod", "ntscope ps,modules "),
        ("ntscope registry ke", "ntscope registry keys "),
        ("ntscope ps --cros", "ntscope ps --crossview "),
        ("ntscope ps --format jsonl", "ntscope ps --format jsonl "),
        ("ntscope ps --format=cs", "ntscope ps --format=csv "),
        ("ntscope ps --columns pid,nam", "ntscope ps --columns pid,name "),
        ("ntscope ps --where create_t", "ntscope ps --where create_time="),
        ("ntscope ps --input-format kdu", "ntscope ps --input-format kdump "),
        ("ntscope ps a_snap", "ntscope ps a_snapshot.raw "),
        ("ntscope completion fi", "ntscope completion fish "),
    )

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        os.symlink(PROGRAM, os.path.join(self.folder.name, "ntscope"))
        with open(os.path.join(self.folder.name, "a_snapshot.raw"), "w"):
            pass
        for shell in ("bash", "zsh", "fish"):
            with open(os.path.join(self.folder.name, shell + ".completion"), "w") as f:
                f.write(piped("completion", shell).stdout)
        self.env = environment({"PATH": self.folder.name + ":" + os.environ["PATH"],
                                "HOME": self.folder.name, "TERM": "dumb"})

    def need(self, shell):
        if not shutil.which(shell):
            self.skipTest(f"no {shell}")

    def interact(self, shell, set_up):
        """Each line of LINES typed with a TAB, then made an echo of itself: ^A goes to its begin."""
        ours, theirs = open_terminal(200)
        child = subprocess.Popen(shell, stdin=theirs, stdout=theirs, stderr=theirs,
                                 env=self.env, cwd=self.folder.name, start_new_session=True)
        os.close(theirs)
        self.seen = ""

        def wait_for(what):
            end = time.monotonic() + PATIENCE_SECONDS
            while what not in self.seen:
                if time.monotonic() > end or not select.select([ours], [], [], PATIENCE_SECONDS)[0]:
                    self.fail(f"{what!r} does not come: {self.seen!r}")
                self.seen += os.read(ours, 1 << 16).decode(errors="replace")
            self.seen = self.seen[self.seen.index(what) + len(what):]

        try:
            os.write(ours, (set_up + "; echo set''-up\n").encode())
            wait_for("set-up")
            for line, expected in self.LINES:
                os.write(ours, f"{line}\t'>'\x01echo '<' \n".encode())
                wait_for("< " + expected + ">")
        finally:
            child.kill()
            child.wait()
            os.close(ours)

    def test_fish(self):
        self.need("fish")
        for line, expected in self.LINES:
            done = subprocess.run(
                ["fish", "--no-config", "-c",
                 f"source fish.completion; complete -C '{line}'"], cwd=self.folder.name,
                env=self.env, text=True, stdout=subprocess.PIPE)
            words = [row.split("\t")[0] for row in done.stdout.splitlines()]
            self.assertIn(expected.split()[-1], words, line)

    def bash(self, line):
        """COMPREPLY as bash would fill it; words as it takes them apart."""
        words = [w for w in re.split(r" |(=)", line) if w]
        if line.endswith(" "):
            words.append("")
        script = ("source bash.completion; COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); "
                  "_ntscope 2>/dev/null; printf '%s\\n' \"${COMPREPLY[@]}\"")
        done = subprocess.run(["bash", "--norc", "-c", script, "bash", *words], env=self.env,
                              cwd=self.folder.name, text=True, stdout=subprocess.PIPE)
        return words, done.stdout.split("\n")[:-1]

    def test_bash_function(self):
        for line, expected in self.LINES:
            if "a_snap" in line:
                continue  # readline's own part
            words, replies = self.bash(line)
            last = expected.strip().rsplit(" ", 1)[1]
            if "--format=" in last:
                last = last.split("=")[1]
            self.assertIn(last, replies, line)

    def test_bash(self):
        self.interact(["bash", "--norc", "-i"],
                      "source bash.completion; bind 'set enable-bracketed-paste off'; PS1=")

    def test_zsh(self):
        """What the function hands to zsh's own _describe."""
        self.need("zsh")
        script = ("autoload -U compinit; compinit -u -D; source zsh.completion; "
                  "[[ $_comps[ntscope] == _ntscope ]] || exit 1; "
                  "_describe() { print -rl -- ${(P)2} }; _files() { print :files }; "
                  "compset() { : }; words=(\"$@\"); CURRENT=$#; _ntscope")
        for line, expected in self.LINES:
            done = subprocess.run(["zsh", "-f", "-c", script, "zsh", *line.split()], text=True,
                                  env=self.env, cwd=self.folder.name, stdout=subprocess.PIPE)
            found = [row.split(":")[0] for row in done.stdout.splitlines()]
            last = "" if "a_snap" in line else expected.split()[-1]
            self.assertIn(last, found, line)


class Manual(unittest.TestCase):
    def test_lint(self):
        if not shutil.which("mandoc"):
            self.skipTest("no mandoc")
        done = subprocess.run(["mandoc", "-Tlint", "-Wwarning"], input=piped("--man").stdout,
                              text=True, stdout=subprocess.PIPE)
        found = [line for line in done.stdout.splitlines() if "missing date" not in line]
        self.assertEqual(found, [])  # the page has no date: the same program, the same bytes


unittest.main(verbosity=2)
