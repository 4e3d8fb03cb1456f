# SPDX-License-Identifier: MIT
"""Makes a PDB of the structures and symbols in an ISF file, with clang and lld.

Each structure becomes a union of structures, one per member, that puts it behind as much padding
as its offset says; such unnamed parts leave no trace in a PDB, so the members end up side by side.
Enumerations become integers. Symbols are labels in a section without contents, at their RVAs; that
section's own address and the file's GUID and age are then put right in the PDB.

usage: isf_to_pdb.py FOLDER

Makes those of the windows-like kernels in FOLDER, as a symbol store; what is there and not older
than its ISF file and this one stays.
"""
import json
import lzma
import os
import re
import shutil
import struct
import subprocess
import sys

from harness import IMAGES, SKIPPED

KERNELS = {
    "win7601-tiny": "339E74133576439CBCDF7E0229DA3773",
    "win9600-tiny": "9765E6AF44044E6CAF8EC0E370E6DAC5",
    "win19041-tiny": "9C00B19DBDE003DBFE4AB4216993C843",
    "win22000-tiny": "0CE4A95C0CD782A7596B034D8648E585",
}
CLANG = ["clang", "--target=x86_64-pc-windows-msvc"]
BASE_TYPES = {"wchar": "unsigned short", "HRESULT": "long", "f32": "float", "f64": "double",
              "bool": "unsigned char"}
UNSIGNED = {1: "unsigned char", 2: "unsigned short", 4: "unsigned long", 8: "unsigned long long"}
KEYWORDS = {"default", "register", "volatile", "const", "int", "long", "short", "char", "float",
            "double", "switch", "case", "return", "if", "else", "do", "while", "for", "inline",
            "static", "extern", "union", "struct", "enum", "signed", "unsigned", "void", "goto"}
SECTION = b".kernel\0"


def is_identifier(name):
    return re.fullmatch(r"[A-Za-z_]\w*", name) and name not in KEYWORDS


def is_unnamed(name):
    return name.startswith(("__anonymous", "__unnamed"))


class Structures:
    def __init__(self, isf):
        self.isf = isf
        self.types = isf["user_types"]
        self.done = set()
        self.text = []

    def declare(self, ref, name):
        """NAME declared as what REF is; None if C has no word for it."""
        kind = ref["kind"]
        if kind == "pointer":
            target = ref.get("subtype", {"kind": "base", "name": "void"})
            if target["kind"] in ("function", "array"):
                target = {"kind": "base", "name": "void"}
            return self.declare(target, f"*{name}")
        if kind == "array":
            if name.startswith("*"):
                name = f"({name})"
            return self.declare(ref["subtype"], f"{name}[{ref['count']}]")
        if kind == "enum":
            enum = self.isf["enums"].get(ref["name"])
            return f"{UNSIGNED[enum['size'] if enum else 4]} {name}"
        if kind == "base":
            return f"{BASE_TYPES.get(ref['name'], ref['name'])} {name}"
        if kind in ("struct", "union", "class") and is_identifier(ref["name"]):
            word = self.types.get(ref["name"], {"kind": "struct"})["kind"]
            word = "union" if word == "union" else "struct"
            if is_unnamed(ref["name"]) and not name.startswith("*"):
                return f"{word} {self.body(ref['name'])} {name}"
            return f"{word} {ref['name']} {name}"
        return None

    def define_contents(self, ref):
        while ref["kind"] == "array":
            ref = ref["subtype"]
        if ref["kind"] in ("struct", "union", "class") and ref["name"] in self.types:
            self.define(ref["name"])

    def body(self, name):
        """The members of a structure or union, in braces."""
        parts = []
        for index, (member, field) in enumerate(self.types[name]["fields"].items()):
            if not is_identifier(member):
                continue
            ref, bits = field["type"], ""
            if ref["kind"] == "bitfield":
                bits = f" : {ref['bit_length']}"
                gap = ref["bit_position"]
                ref = ref["type"]
            self.define_contents(ref)
            declaration = self.declare(ref, member)
            if not declaration:
                continue
            pad = f"char pad_{index}[{field['offset']}]; " if field["offset"] else ""
            if bits and gap:
                pad += self.declare(ref, f": {gap}; ")
            parts.append(f"\tstruct {{ {pad}{declaration}{bits}; }};\n")
        parts.append(f"\tchar pad_all[{self.types[name]['size']}];\n")
        return f"{{ union {{\n{''.join(parts)}}}; }}"

    def define(self, name):
        if name in self.done or not is_identifier(name) or is_unnamed(name):
            return
        self.done.add(name)
        word = "union" if self.types[name]["kind"] == "union" else "struct"
        body = self.body(name)
        self.text.append(f"{word} {name} {body};\n{word} {name} keep_{name};\n")

    def source(self):
        for name in self.types:
            self.define(name)
        return "#pragma pack(push, 1)\n" + "".join(self.text) + "int entry(void) { return 0; }\n"


def symbols_source(isf):
    symbols = {n: s["address"] for n, s in isf["symbols"].items()
               if 0 <= s["address"] < 1 << 31 and '"' not in n and "\\" not in n}
    lines = ['.section .kernel,"bw"', "kernel_base:"]
    for name, rva in symbols.items():
        lines.append(f'.globl "{name}"\n.set "{name}", kernel_base + {rva}')
    lines.append(f".zero {max(symbols.values(), default=0) + 1}")
    return "\n".join(lines) + "\n"


class Streams:
    """Where the streams of a PDB begin in the file, for patching."""

    def __init__(self, data):
        self.data = data
        self.block, _, _, size, _, at = struct.unpack_from("<6I", data, 32)
        blocks = -(-size // self.block)
        numbers = struct.unpack_from(f"<{blocks}I", data, at * self.block)
        directory = b"".join(data[n * self.block:(n + 1) * self.block] for n in numbers)
        count, = struct.unpack_from("<I", directory)
        sizes = struct.unpack_from(f"<{count}I", directory, 4)
        self.first, at = [], 4 + 4 * count
        for size in sizes:
            self.first.append(struct.unpack_from("<I", directory + bytes(4), at)[0] * self.block)
            at += 4 * -(-size // self.block) if size != 0xffffffff else 0


def patch(path, guid, age):
    with open(path, "r+b") as f:
        data = bytearray(f.read())
        first = Streams(data).first
        digits = bytes.fromhex(guid)
        data[first[1] + 12:first[1] + 28] = (digits[3::-1] + digits[5:3:-1] + digits[7:5:-1] +
                                             digits[8:])
        struct.pack_into("<I", data, first[1] + 8, age)
        struct.pack_into("<I", data, first[3] + 8, age)
        header = data.index(SECTION + bytes(0), 0)
        struct.pack_into("<I", data, header + 12, 0)
        f.seek(0)
        f.write(data)


def make_pdb(isf_path, folder, with_types=True):
    """Path of the PDB, in FOLDER. Without types it has the symbols only."""
    with lzma.open(isf_path) as f:
        isf = json.load(f)
    pdb = isf["metadata"]["windows"]["pdb"]
    path = os.path.join(folder, pdb["database"])
    sources = [("types.c", Structures(isf).source() if with_types else "int entry; "),
               ("symbols.s", symbols_source(isf))]
    objects = []
    for name, text in sources:
        source = os.path.join(folder, name)
        with open(source, "w") as f:
            f.write(text)
        objects.append(source + ".obj")
        subprocess.run([*CLANG, "-w", "-g", "-gcodeview", "-c", source, "-o", objects[-1]],
                       check=True)
    subprocess.run(["lld-link", "/debug", "/nodefaultlib", "/noentry", "/dll", "/opt:noref",
                    *objects, f"/out:{path}.dll", f"/pdb:{path}"], check=True)
    for name in [*objects, path + ".dll"]:
        os.unlink(name)
    patch(path, pdb["GUID"], pdb["age"])
    return path


def isf_of(kernel):
    return os.path.join(IMAGES, "windows-like", "isf", f"{KERNELS[kernel]}-1.json.xz")


def pdb_of(store, kernel):
    return os.path.join(store, "ntkrnlmp.pdb", KERNELS[kernel] + "1", "ntkrnlmp.pdb")


def make_store(store):
    for kernel in KERNELS:
        path, isf = pdb_of(store, kernel), isf_of(kernel)
        if os.path.exists(path) and \
                os.path.getmtime(path) > max(map(os.path.getmtime, (isf, __file__))):
            continue
        folder = os.path.dirname(path)
        for old in (folder, folder + ".part"):
            shutil.rmtree(old, ignore_errors=True)
        os.makedirs(folder + ".part")
        make_pdb(isf, folder + ".part")
        os.rename(folder + ".part", folder)


def skip_without_tools():
    """Ends the process where PDBs cannot be made."""
    if not all(map(shutil.which, ("clang", "lld-link"))):
        print("skipped: needs clang and lld-link")
        sys.exit(SKIPPED)
    if not os.path.isdir(IMAGES):
        print("skipped: ../shared/images is not here")
        sys.exit(SKIPPED)


if __name__ == "__main__":
    skip_without_tools()
    make_store(os.path.abspath(sys.argv[1]))
