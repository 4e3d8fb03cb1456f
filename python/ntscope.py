# SPDX-License-Identifier: MIT
"""Snapshots of 64-bit Windows memory, for scripts.

    >>> import ntscope
    >>> with ntscope.open("testdata/small-windows.dmp") as s:
    ...     for p in s.ps(where="ppid=4"):
    ...         print(p.pid, p.name, p.create_time)
    ...     print(s.read(s.info().kernel_base, 2))
    348 smss.exe 2024-06-25T03:21:33.4978738Z
    b'MZ'

Every command of the program ntscope is a method of a snapshot: `s.ps()`, `s.registry_keys(path)`;
`ntscope help COMMAND` or `ntscope.commands["ps"]` tells its options and columns. What is absent is
None. A command that could not read everything logs warnings (logger "ntscope"), and its table says
so: `table.complete`, `table.partial`.

Needs Python 3.9 and libntscope, which is looked for where $NTSCOPE_LIBRARY says, beside this file,
in the installation that this file belongs to, and where the system's loader looks.
"""
from __future__ import annotations

import collections
import ctypes
import datetime
import itertools
import keyword
import logging
import os
import sys
import sysconfig
import threading
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple, Union

__all__ = ["open", "run", "commands", "version", "libraries", "Snapshot", "Table", "Row",
           "FileTime", "Explained", "Absent", "Error", "NoMemory", "OsError", "UsageError",
           "Unsupported", "Corrupt", "NotFound", "LimitExceeded"]

INTERFACE = 1
_LOG = logging.getLogger("ntscope")
_SHOWN = 20  # messages of one run that are logged

_U64, _I64, _ADDRESS, _TEXT, _TIME, _BOOL, _ADDRESSES, _BYTES, _TEXTS, _EXPLAINED = range(10)
_TYPE_NAMES = ("int", "int", "int", "str", "FileTime", "bool", "list of int", "bytes",
               "list of str", "list of Explained")
_FLAG, _WORD, _NUMBER, _AT_ADDRESS, _SIZE, _LIST = range(6)
_PARTIAL = 1

_Size, _U64_t, _Pointer, _Text = ctypes.c_size_t, ctypes.c_uint64, ctypes.c_void_p, ctypes.c_char_p
_Words = ctypes.POINTER(_Text)
_GapFn = ctypes.CFUNCTYPE(None, _Pointer, _U64_t, _U64_t, _Text)

# What each function of ntscope.h returns and takes.
_FUNCTIONS = {
    "nts_interface": (ctypes.c_uint,),
    "nts_version": (_Text,),
    "nts_library": (_Text, _Size, ctypes.POINTER(_Text)),
    "nts_error_code": (ctypes.c_int, _Pointer),
    "nts_error_message": (_Text, _Pointer),
    "nts_error_address": (ctypes.c_int, _Pointer, ctypes.POINTER(_U64_t)),
    "nts_error_errno": (ctypes.c_int, _Pointer),
    "nts_error_free": (None, _Pointer),
    "nts_command": (_Pointer, _Size),
    "nts_command_name": (_Text, _Pointer),
    "nts_command_summary": (_Text, _Pointer),
    "nts_command_arguments": (_Text, _Pointer),
    "nts_command_takes_snapshot": (ctypes.c_int, _Pointer),
    "nts_command_one_object": (ctypes.c_int, _Pointer),
    "nts_command_column": (_Pointer, _Pointer, _Size),
    "nts_command_option": (_Pointer, _Pointer, _Size),
    "nts_column_key": (_Text, _Pointer),
    "nts_column_help": (_Text, _Pointer),
    "nts_column_type": (ctypes.c_int, _Pointer),
    "nts_column_asked": (ctypes.c_int, _Pointer),
    "nts_option_name": (_Text, _Pointer),
    "nts_option_kind": (ctypes.c_int, _Pointer),
    "nts_option_help": (_Text, _Pointer),
    "nts_open": (_Pointer, _Text, _Words, _Size, ctypes.POINTER(_Pointer)),
    "nts_close": (None, _Pointer),
    "nts_format_name": (_Text, _Pointer),
    "nts_message": (_Text, _Pointer, _Size, ctypes.POINTER(ctypes.c_int)),
    "nts_run": (_Pointer, _Pointer, _Text, _Words, _Size, ctypes.POINTER(_Pointer)),
    "nts_table_free": (None, _Pointer),
    "nts_table_status": (ctypes.c_int, _Pointer),
    "nts_table_message": (_Text, _Pointer, _Size, ctypes.POINTER(ctypes.c_int)),
    "nts_table_output": (_Pointer, _Pointer, ctypes.POINTER(_Size)),
    "nts_table_rows": (_Size, _Pointer),
    "nts_table_column": (_Pointer, _Pointer, _Size),
    "nts_cell_present": (ctypes.c_int, _Pointer, _Size, _Size),
    "nts_cell_count": (_Size, _Pointer, _Size, _Size),
    "nts_cell_u64": (ctypes.c_int, _Pointer, _Size, _Size, _Size, ctypes.POINTER(_U64_t)),
    "nts_cell_text": (_Text, _Pointer, _Size, _Size, _Size),
    "nts_cell_detail": (_Text, _Pointer, _Size, _Size, _Size),
    "nts_table_copy_column": (_Size, _Pointer, _Size, _Pointer, _Size),
    "nts_space_open": (_Pointer, _Pointer, _Words, _Size, ctypes.POINTER(_Pointer)),
    "nts_space_free": (None, _Pointer),
    "nts_read": (_Pointer, _Pointer, _U64_t, _Pointer, _Size),
    "nts_read_partial": (_Size, _Pointer, _U64_t, _Pointer, _Size, _GapFn, _Pointer),
    "nts_translate": (_Text, _Pointer, _U64_t, ctypes.POINTER(_U64_t),
                      ctypes.POINTER(ctypes.c_int)),
}


class Error(Exception):
    """What libntscope refuses or cannot do; str() says why."""


class NoMemory(Error, MemoryError):
    """Memory is out."""


class OsError(Error, OSError):
    """A system call failed; errno says how."""

    def __str__(self) -> str:
        return str(self.args[-1])


class UsageError(Error, ValueError):
    """An option or argument is off."""


class Unsupported(Error):
    """Recognised by name, and not readable."""


class Corrupt(Error):
    """The input contradicts itself or its format."""


class Absent(Error, LookupError):
    """Bytes are not in the snapshot; address is the first of them."""

    address: int = 0


class NotFound(Error, LookupError):
    """There is no such thing in the snapshot."""


class LimitExceeded(Error):
    """A named limit would be passed."""


_ERRORS = (NoMemory, OsError, UsageError, Unsupported, Corrupt, Absent, NotFound, LimitExceeded)


def _candidates() -> Iterator[str]:
    here = os.path.dirname(os.path.abspath(__file__))
    prefix = os.path.dirname(os.path.dirname(os.path.dirname(here)))
    folders = [here, *(os.path.join(prefix, *parts) for parts in (
        ["lib", sysconfig.get_config_var("MULTIARCH") or ""], ["lib64"], ["lib"]))]
    for folder in folders:
        for name in ("libntscope.so.0", "libntscope.so"):
            path = os.path.join(folder, name)
            if os.path.exists(path):
                yield path


def _load() -> ctypes.CDLL:
    path = os.environ.get("NTSCOPE_LIBRARY") or next(_candidates(), "libntscope.so.0")
    try:
        library = ctypes.CDLL(path)
        for name, (result, *arguments) in _FUNCTIONS.items():
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
    except (OSError, AttributeError) as err:
        raise ImportError(f"no libntscope to use ($NTSCOPE_LIBRARY names one): {err}") from None
    if library.nts_interface() != INTERFACE:
        raise ImportError(f"{path}: has interface {library.nts_interface()}, not {INTERFACE}")
    return library


_lib = _load()


def _str(text: Optional[bytes]) -> Optional[str]:
    """As JSON of the program has it: C0 80 is a NUL, what is no UTF-8 is U+FFFD."""
    if text is None:
        return None
    return text.replace(b"\xc0\x80", b"\0").decode("utf-8", "replace")


def _check(error: Optional[int]) -> None:
    """Raises what the library returned, if anything."""
    if not error:
        return
    code, message = _lib.nts_error_code(error), _str(_lib.nts_error_message(error))
    number, address = _lib.nts_error_errno(error), _U64_t(0)
    _lib.nts_error_address(error, address)
    _lib.nts_error_free(error)
    kind = _ERRORS[code] if 0 <= code < len(_ERRORS) else Error
    raised = kind(number, message) if kind is OsError else kind(message)
    if kind is Absent:
        raised.address = address.value
    raise raised


version: str = _lib.nts_version().decode()


def libraries() -> Dict[str, Optional[str]]:
    """The libraries that libntscope can use, by name: the version in use, None: built without."""
    found, text = {}, _Text()
    for i in itertools.count():
        name = _lib.nts_library(i, text)
        if not name:
            return found
        found[name.decode()] = _str(text.value)


class FileTime(int):
    """A Windows time: 100 ns since 1601-01-01 UTC, as an int that keeps all of them.

    >>> FileTime(133637592903456789)
    FileTime('2024-06-25T03:21:30.3456789Z')
    >>> FileTime(133637592903456789).datetime  # the last digit does not fit
    datetime.datetime(2024, 6, 25, 3, 21, 30, 345678, tzinfo=datetime.timezone.utc)
    """

    __slots__ = ()
    _EPOCH = datetime.datetime(1601, 1, 1, tzinfo=datetime.timezone.utc)

    @property
    def datetime(self) -> datetime.datetime:
        return self._EPOCH + datetime.timedelta(microseconds=int(self) // 10)

    @property
    def unix_ns(self) -> int:
        """Nanoseconds since 1970-01-01 UTC."""
        return (int(self) - 116444736000000000) * 100

    def __str__(self) -> str:
        return f"{self.datetime:%Y-%m-%dT%H:%M:%S}.{int(self) % 10_000_000:07d}Z"

    def __repr__(self) -> str:
        return f"FileTime('{self}')"

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)


class Explained(NamedTuple):
    """A value and what is known of it."""

    value: int
    meaning: Optional[str]
    detail: Optional[str]


class Column(NamedTuple):
    key: str
    type: str
    help: str
    asked: bool  # is in a table only if `columns` or another option asks for it


class Option(NamedTuple):
    name: str  # as a keyword argument
    kind: str
    help: str


class Command(NamedTuple):
    """What a command takes and gives."""

    name: str
    summary: str
    arguments: Optional[str]
    takes_snapshot: bool
    one_object: bool
    columns: Tuple[Column, ...]
    options: Tuple[Option, ...]


def _each(function: Callable[..., Optional[int]], *arguments: Any) -> Iterator[int]:
    """What function(*arguments, index) gives until it gives nothing."""
    return iter(map(function, *map(itertools.repeat, arguments), itertools.count()).__next__, None)


_KIND_NAMES = ("bool", "str", "int", "address", "size", "list of str")


def _options(command: Optional[int]) -> Dict[str, Tuple[str, int, str]]:
    """By keyword: name, kind and help."""
    return {name.replace("-", "_"): (name, _lib.nts_option_kind(o), _str(_lib.nts_option_help(o)))
            for o in _each(_lib.nts_command_option, command)
            for name in [_lib.nts_option_name(o).decode()]}


def _command(c: int, own: Dict[str, Tuple[str, int, str]]) -> Command:
    return Command(
        _lib.nts_command_name(c).decode(), _str(_lib.nts_command_summary(c)) or "",
        _str(_lib.nts_command_arguments(c)), bool(_lib.nts_command_takes_snapshot(c)),
        bool(_lib.nts_command_one_object(c)),
        tuple(Column(_lib.nts_column_key(k).decode(), _TYPE_NAMES[_lib.nts_column_type(k)],
                     _str(_lib.nts_column_help(k)) or "", bool(_lib.nts_column_asked(k)))
              for k in _each(_lib.nts_command_column, c)),
        tuple(Option(keyword_, _KIND_NAMES[kind], help_)
              for keyword_, (_, kind, help_) in own.items()))


_COMMON = _options(None)
_SPACE = {"physical": ("physical", _FLAG, ""), "cpu": ("cpu", _NUMBER, ""),
          "levels": ("levels", _NUMBER, "")}
_OWN: Dict[str, Dict[str, Tuple[str, int, str]]] = {}
#: Every command by its name.
commands: Dict[str, Command] = {}
for _c in _each(_lib.nts_command):
    _own = _options(_c)
    _described = _command(_c, _own)
    commands[_described.name], _OWN[_described.name] = _described, _own
del _c, _own, _described


def _word(value: Any) -> bytes:
    """An argument as a word; a number is taken for an address."""
    if isinstance(value, int) and not isinstance(value, bool):
        return b"0x%x" % (value & (1 << 64) - 1)
    word = os.fsencode(value)
    if b"\0" in word:
        raise UsageError(f"{value!r}: has a NUL")
    return word


def _option(option: Tuple[str, int, str], value: Any) -> Iterator[bytes]:
    """The words of one keyword argument."""
    name, kind, _ = option
    if value is None or value is False:
        return
    if kind == _FLAG:
        if value is not True:
            raise TypeError(f"{name}: True or False, not {value!r}")
        yield f"--{name}".encode()
        return
    if value is True:
        raise TypeError(f"{name}: needs a value")
    if name in ("columns", "sort") and not isinstance(value, str):
        value = ",".join(value)
    several = kind == _LIST and not isinstance(value, (str, bytes, os.PathLike))
    for item in value if several else [value]:
        plain = isinstance(item, int) and kind in (_WORD, _LIST)
        yield f"--{name}=".encode() + _word(str(item) if plain else item)


def _words(own: Dict[str, Tuple[str, int, str]], arguments: Sequence[Any],
           options: Dict[str, Any]) -> Tuple[Any, int]:
    words: List[bytes] = []
    for name, value in options.items():
        option = own.get(name) or _COMMON.get(name)
        if not option:
            raise TypeError(f"unknown option '{name}'")
        words.extend(_option(option, value))
    if arguments:
        words += [b"--", *map(_word, arguments)]
    return (_Text * len(words))(*words), len(words)


class _Handle:
    """An object of the library. close() during a call in another thread waits for its end."""

    def __init__(self, pointer: int, free: Callable[[int], None], what: str):
        self._pointer, self._free, self._what = pointer, free, what
        self._users, self._closed, self._lock = 0, False, threading.Lock()

    def __enter__(self) -> int:
        with self._lock:
            if self._closed:
                raise ValueError(f"the {self._what} is closed")
            self._users += 1
        return self._pointer

    def __exit__(self, *_: Any) -> None:
        with self._lock:
            self._users -= 1
            last = self._closed and not self._users
        if last:
            self._free(self._pointer)

    def close(self) -> None:
        with self._lock:
            last = not self._closed and not self._users
            self._closed = True
        if last:
            self._free(self._pointer)

    __del__ = close


class Row(tuple):
    """A row: row.pid, row["pid"] and row[0] are the same. Absent cells are None."""

    __slots__ = ()
    _keys: Tuple[str, ...] = ()
    _index: Dict[str, int] = {}

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, str):
            key = self._index[key]
        return tuple.__getitem__(self, key)

    def keys(self) -> Tuple[str, ...]:
        """The columns: dict(row) works."""
        return self._keys

    def __repr__(self) -> str:
        return "Row(" + ", ".join(f"{k}={v!r}" for k, v in zip(self._keys, self)) + ")"

    def __reduce__(self) -> Any:
        return _restore_row, (self._keys, tuple(self))


_row_types: Dict[Tuple[str, ...], type] = {}


def _attribute(key: str) -> str:
    return key + "_" if keyword.iskeyword(key) or hasattr(Row, key) else key


def _row_type(keys: Tuple[str, ...]) -> type:
    """A Row with these attributes; keys that Python takes for itself get a '_' behind them."""
    if keys not in _row_types:
        # a named tuple's own attributes are those that are fastest to get
        names = list(map(_attribute, keys))
        named = collections.namedtuple("Row", names, rename=True)
        members = {name: vars(named)[field] for name, field in zip(names, named._fields)}
        _row_types[keys] = type("Row", (Row,), {
            **members, "__slots__": (), "_keys": keys,
            "_index": {key: i for i, key in enumerate(keys)}})
    return _row_types[keys]


def _restore_row(keys: Tuple[str, ...], cells: Tuple[Any, ...]) -> Row:
    return _row_type(keys)(cells)


def _none_where_absent(values: List[Any], present: bytes) -> List[Any]:
    if b"\0" not in present:
        return values
    return [v if p else None for v, p in zip(values, present)]


def _slices(ends: Sequence[int], present: bytes, data: Any) -> List[Any]:
    return [data[start:end] if p else None
            for start, end, p in zip(itertools.chain((0,), ends), ends, present)]


def _i64(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value


_FROM_U64 = {_I64: _i64, _TIME: FileTime, _BOOL: bool}


def _flat_column(table: int, column: int, kind: int, rows: int) -> List[Any]:
    """A column of numbers, texts or bytes, by one copy of all of it."""
    size = _lib.nts_table_copy_column(table, column, None, 0)
    buffer = bytearray(size)
    if size:
        _lib.nts_table_copy_column(table, column, (ctypes.c_char * size).from_buffer(buffer), size)
    view = memoryview(buffer)
    numbers = view[:8 * rows].cast("Q").tolist()
    present = bytes(view[8 * rows:9 * rows])
    if kind == _BYTES:
        return _slices(numbers, present, bytes(view[9 * rows:]))
    if kind == _TEXT:
        text = bytes(view[9 * rows:])
        if text.isascii():  # then places of bytes are places of characters
            return _slices(numbers, present, text.decode())
        return [t if t is None else t.decode("utf-8", "replace")
                for t in _slices(numbers, present, text)]
    if kind in _FROM_U64:
        numbers = list(map(_FROM_U64[kind], numbers))
    return _none_where_absent(numbers, present)


def _list_cell(table: int, row: int, column: int, kind: int) -> Optional[List[Any]]:
    if not _lib.nts_cell_present(table, row, column):
        return None
    cell: List[Any] = []
    value = _U64_t()
    for i in range(_lib.nts_cell_count(table, row, column)):
        if kind != _TEXTS:
            _lib.nts_cell_u64(table, row, column, i, value)
        text = None if kind == _ADDRESSES else _str(_lib.nts_cell_text(table, row, column, i))
        if kind == _EXPLAINED:
            detail = _str(_lib.nts_cell_detail(table, row, column, i))
            cell.append(Explained(value.value, text, detail))
        else:
            cell.append(value.value if kind == _ADDRESSES else text)
    return cell


def _messages(function: Callable[..., Optional[bytes]],
              pointer: int) -> Tuple[List[str], List[str]]:
    """Notes, and what could not be read."""
    kinds: Tuple[List[str], List[str]] = ([], [])
    kind = ctypes.c_int()
    for i in itertools.count():
        text = function(pointer, i, kind)
        if text is None:
            return kinds
        kinds[kind.value == _PARTIAL].append(_str(text) or "")
    return kinds


class Table(Sequence):
    """The rows of a command, in its order."""

    def __init__(self, table: int):
        """Takes what is in the library's table, which is not needed afterwards."""
        size, rows = _Size(0), _lib.nts_table_rows(table)
        columns = list(_each(_lib.nts_table_column, table))
        #: keys of the columns
        self.keys: Tuple[str, ...] = tuple(_lib.nts_column_key(c).decode() for c in columns)
        self._columns = []
        for i, kind in enumerate(map(_lib.nts_column_type, columns)):
            if kind in (_ADDRESSES, _TEXTS, _EXPLAINED):
                column = [_list_cell(table, row, i, kind) for row in range(rows)]
            else:
                column = _flat_column(table, i, kind, rows)
            self._columns.append(column)
        self._rows, self._type = rows, _row_type(self.keys)
        #: 0: all was read; 3: something could not be; else as `ntscope help COMMAND` says
        self.status: int = _lib.nts_table_status(table)
        #: messages: worth knowing, and what could not be read
        self.notes, self.partial = _messages(_lib.nts_table_message, table)
        output = _lib.nts_table_output(table, size)
        #: bytes that the command wrote in place of rows; None: it did not
        self.output: Optional[bytes] = ctypes.string_at(output, size.value) if output else None

    @property
    def complete(self) -> bool:
        """Was everything read that should be there?"""
        return self.status != 3

    def column(self, key: str) -> List[Any]:
        """All cells of a column."""
        return self._columns[self.keys.index(key)]

    def __len__(self) -> int:
        return self._rows

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return list(itertools.islice(self, *index.indices(self._rows))) \
                if (index.step or 1) > 0 else list(self)[index]
        index = range(self._rows)[index]
        return self._type(column[index] for column in self._columns)

    def __iter__(self) -> Iterator[Row]:
        return map(self._type, zip(*self._columns))

    def __repr__(self) -> str:
        return f"<Table: {self._rows} rows of {', '.join(self.keys)}>"


def _log(notes: List[str], partial: List[str]) -> None:
    for text in notes:
        _LOG.info("%s", text)
    for text in partial[:_SHOWN]:
        _LOG.warning("%s", text)
    if len(partial) > _SHOWN:
        _LOG.warning("... and %d more that could not be read", len(partial) - _SHOWN)


def _run(snapshot: Optional[int], name: str, arguments: Sequence[Any],
         options: Dict[str, Any]) -> Table:
    words, count = _words(_OWN.get(name, {}), arguments, options)
    pointer = _Pointer()
    _check(_lib.nts_run(snapshot, _word(name), words, count, pointer))
    try:
        table = Table(pointer.value or 0)
    finally:
        _lib.nts_table_free(pointer)
    _log(table.notes, table.partial)
    return table


def run(command: str, *arguments: Any, **options: Any) -> Table:
    """Runs a command that takes no snapshot, such as "formats"."""
    return _run(None, command, arguments, options)


class Snapshot:
    """An open snapshot: see open(). Threads may share it."""

    def __init__(self, path: Union[str, bytes, "os.PathLike[Any]"], **options: Any):
        words, count = _words({}, (), options)
        pointer = _Pointer()
        self._handle: Optional[_Handle] = None
        _check(_lib.nts_open(_word(os.fspath(path)), words, count, pointer))
        self._handle = _Handle(pointer.value or 0, _lib.nts_close, "snapshot")
        self._spaces: Dict[Any, _Handle] = {}
        self.path = path

    def __enter__(self) -> Snapshot:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def close(self) -> None:
        """Tables and rows stay usable. Closing twice does nothing."""
        if self._handle:
            for space in list(self._spaces.values()):
                space.close()
            self._handle.close()

    def _open_handle(self) -> _Handle:
        if not self._handle:
            raise ValueError("the snapshot was never opened")
        return self._handle

    @property
    def format(self) -> str:
        """ "raw", "elf-core", "crash-dump", ... """
        with self._open_handle() as pointer:
            return _lib.nts_format_name(pointer).decode()

    @property
    def commands(self) -> List[str]:
        """Names of the commands that run on a snapshot."""
        return [name for name, c in commands.items() if c.takes_snapshot]

    @property
    def partial(self) -> List[str]:
        """What of the snapshot as a whole, or of its kernel, could not be read."""
        with self._open_handle() as pointer:
            return _messages(_lib.nts_message, pointer)[1]

    @property
    def notes(self) -> List[str]:
        """What else was said while it and its kernel were opened."""
        with self._open_handle() as pointer:
            return _messages(_lib.nts_message, pointer)[0]

    def run(self, command: str, *arguments: Any, **options: Any) -> Table:
        """Runs a command by its name: s.run("registry keys", r"HKLM\\SOFTWARE").

        Options are named as on the command line, with '_' for '-': True for flags, numbers, texts,
        lists where an option may be repeated. Arguments that are numbers are addresses.
        """
        with self._open_handle() as pointer:
            return _run(pointer, command, arguments, options)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """A command as a method; its table, or of one with a single row that Row or None."""
        command = commands.get(name) or commands.get(name.replace("_", " "))
        if not command or not command.takes_snapshot:
            raise AttributeError(f"there is no command '{name}'")

        def call(*arguments: Any, **options: Any) -> Union[Table, Row, None]:
            table = self.run(command.name, *arguments, **options)
            if not command.one_object:
                return table
            return table[0] if table else None

        call.__name__ = name
        call.__doc__ = command.summary
        return call

    def __dir__(self) -> List[str]:
        return [*super().__dir__(), *(name.replace(" ", "_") for name in self.commands)]

    def _space(self, options: Dict[str, Any]) -> _Handle:
        key = tuple(sorted(options.items()))
        with self._open_handle() as snapshot:
            if key in self._spaces:
                return self._spaces[key]
            words, count = _words(_SPACE, (), options)
            pointer = _Pointer()
            _check(_lib.nts_space_open(snapshot, words, count, pointer))
            opened = _Handle(pointer.value or 0, _lib.nts_space_free, "snapshot")
            # another thread may have been faster: one of them goes with the last who uses it
            return self._spaces.setdefault(key, opened)

    def read(self, address: int, length: int, **space: Any) -> bytes:
        """All of these bytes, or Absent. The space is the kernel's, or as pid, cpu, dtb (levels)
        or physical=True say."""
        buffer = bytearray(_length(length))
        with self._space(space) as pointer:
            _check(_lib.nts_read(pointer, _address(address), _into(buffer), length))
        return bytes(buffer)

    def read_partial(self, address: int, length: int, **space: Any) -> List[Tuple[int, bytes]]:
        """The stretches of these bytes that are there: (offset, bytes)."""
        buffer = bytearray(_length(length))
        start, gaps = _address(address), []
        on_gap = _GapFn(lambda _, at, size, reason: gaps.append((at - start, size)))
        with self._space(space) as pointer:
            _lib.nts_read_partial(pointer, start, _into(buffer), length, on_gap, None)
        found, at = [], 0
        for offset, size in [*gaps, (length, 0)]:
            if offset > at:
                found.append((at, bytes(buffer[at:offset])))
            at = offset + size
        return found

    def translate(self, address: int, **space: Any) -> Optional[int]:
        """The physical address; None: there is none. s.vtop(address) says why, and step by step."""
        pa, has_pa = _U64_t(), ctypes.c_int()
        with self._space(space) as pointer:
            _lib.nts_translate(pointer, _address(address), pa, has_pa)
        return pa.value if has_pa.value else None


def _address(address: Any) -> int:
    if not isinstance(address, int) or isinstance(address, bool):
        raise TypeError(f"an address is an int, not {address!r}")
    if not 0 <= address < 1 << 64:
        raise ValueError(f"{address:#x} is not an address")
    return address


def _length(length: Any) -> int:
    if not isinstance(length, int) or isinstance(length, bool):
        raise TypeError(f"a length is an int, not {length!r}")
    if not 0 <= length <= sys.maxsize:
        raise ValueError(f"{length} is not a length")
    return length


def _into(buffer: bytearray) -> Any:
    return (ctypes.c_char * len(buffer)).from_buffer(buffer)


def open(path: Union[str, bytes, "os.PathLike[Any]"], **options: Any) -> Snapshot:
    """Opens a snapshot of any format that ntscope reads.

    options: symbols, no_symbol_store, no_builtin_symbols, pagefile, dtb, kernel_base,
    input_format, memory_map, member, max_memory, max_unpacked, threads: `ntscope help` explains
    them. Close it, or use `with`. Errors are exceptions below Error.
    """
    return Snapshot(path, **options)
