"""Interprets the pickles in files of torch.save, without Python's unpickler.

A pickle is a program: it may call any function, and a few bytes may allocate gigabytes. This
interpreter knows only what torch.save writes for dicts of tensors. Values are None, booleans,
numbers, strings, tuples, lists, dicts with strings and integers as keys, and references to storages
and tensors; it computes nothing from them, so memory is proportional to the length of the pickle.
"""

import pickletools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np

DTYPES = {
    "FloatStorage": np.float32,
    "DoubleStorage": np.float64,
    "HalfStorage": np.float16,
    "LongStorage": np.int64,
    "IntStorage": np.int32,
    "ShortStorage": np.int16,
    "CharStorage": np.int8,
    "ByteStorage": np.uint8,
    "BoolStorage": np.bool_,
}
DICT, TENSOR, PARAMETER = (
    "collections.OrderedDict",
    "torch._utils._rebuild_tensor_v2",
    "torch._utils._rebuild_parameter",
)
KNOWN = {DICT, TENSOR, PARAMETER, *(f"torch.{name}" for name in DTYPES)}
MAX_AXES = 32
NOTHING = {"PROTO", "FRAME", "STOP"}
ARGUMENTS = {
    *("BININT", "BININT1", "BININT2", "LONG1", "LONG4", "BINFLOAT", "BINUNICODE"),
    *("SHORT_BINUNICODE", "SHORT_BINSTRING", "BINSTRING"),
}
CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


@dataclass(frozen=True)
class Name:
    """The dotted name of a function or class, which is never looked up."""

    dotted: str


@dataclass(frozen=True)
class Storage:
    """A one-dimensional block of `size` elements, to which tensors refer."""

    key: str
    dtype: type
    size: int

    @property
    def bytes(self) -> int:
        return self.size * np.dtype(self.dtype).itemsize


@dataclass(frozen=True)
class Tensor:
    """A view of a storage that is not loaded yet; offset and strides count elements."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def load_pickle(file: BinaryIO, storages: dict[str, Storage] | None = None) -> Any:
    """Read the value of one pickle, and leave the file's position behind it.

    Args:
        storages: filled with the storages that the pickle refers to, by key.

    Raises:
        ValueError: the pickle contains anything else than torch.save writes.
        IndexError, KeyError, TypeError: it is corrupted.
    """
    interpreter = _Interpreter({} if storages is None else storages)
    for opcode, argument, _ in pickletools.genops(file):
        interpreter.do(opcode.name, argument)
    return interpreter.stack.pop()


class _Interpreter:
    def __init__(self, storages: dict[str, Storage]) -> None:
        self._storages = storages
        self.stack: list[Any] = []
        self._marked: list[list[Any]] = []  # the stacks below the marks
        self._memo: dict[int, Any] = {}

    def do(self, opcode: str, argument: Any) -> None:
        stack = self.stack
        if opcode in ARGUMENTS:
            stack.append(argument)
        elif opcode in CONSTANTS:
            stack.append(CONSTANTS[opcode])
        elif opcode in ("BINPUT", "LONG_BINPUT"):
            self._memo[argument] = stack[-1]
        elif opcode == "MEMOIZE":
            self._memo[len(self._memo)] = stack[-1]
        elif opcode in ("BINGET", "LONG_BINGET"):
            stack.append(self._memo[argument])
        elif opcode in ("EMPTY_DICT", "EMPTY_LIST"):
            stack.append({} if opcode == "EMPTY_DICT" else [])
        elif opcode == "MARK":
            self._marked.append(stack)
            self.stack = []
        elif opcode in TUPLES:
            self._push(tuple(self._pop(TUPLES[opcode])))
        elif opcode == "TUPLE":
            self._push(tuple(self._pop_marked()))
        elif opcode in ("APPEND", "APPENDS"):
            values = self._pop(1) if opcode == "APPEND" else self._pop_marked()
            _require(self.stack[-1], list).extend(values)
        elif opcode in ("SETITEM", "SETITEMS"):
            values = self._pop(2) if opcode == "SETITEM" else self._pop_marked()
            _require(self.stack[-1], dict).update(_items(values))
        elif opcode not in NOTHING:
            self._call(opcode, argument)

    def _call(self, opcode: str, argument: Any) -> None:
        """Do what in other pickles would import and execute code."""
        if opcode == "GLOBAL":
            self._push(_known(argument.replace(" ", ".")))
        elif opcode == "STACK_GLOBAL":
            module, name = self._pop(2)
            self._push(_known(f"{_require(module, str)}.{_require(name, str)}"))
        elif opcode == "BINPERSID":
            (reference,) = self._pop(1)
            storage = _storage(reference)
            if self._storages.setdefault(storage.key, storage) != storage:
                raise ValueError("a storage has two sizes or types")
            self.stack.append(storage)
        elif opcode == "REDUCE":
            function, arguments = self._pop(2)
            self._push(_reduce(_require(function, Name), _require(arguments, tuple)))
        elif opcode == "BUILD":
            _require(self._pop(1)[0], dict)  # attributes of a dict, such as versions
            _require(self.stack[-1], dict)
        else:
            raise ValueError(f"it contains {opcode}, which torch.save never writes")

    def _push(self, value: Any) -> None:
        """Push onto the current stack, which popping a mark replaces."""
        self.stack.append(value)

    def _pop(self, count: int) -> list[Any]:
        if len(self.stack) < count:
            raise IndexError
        values = self.stack[-count:]
        del self.stack[-count:]
        return values

    def _pop_marked(self) -> list[Any]:
        values, self.stack = self.stack, self._marked.pop()
        return values


def _items(values: list[Any]) -> Iterator[tuple[str | int, Any]]:
    for key, value in zip(values[::2], values[1::2], strict=True):
        yield _require(key, (str, int)), value


def _known(dotted: str) -> Name:
    if dotted not in KNOWN:
        raise ValueError(f"it refers to {dotted}, which is not allowed")
    return Name(dotted)


def _storage(reference: Any) -> Storage:
    kind, type_, key, _, size, *view = _require(reference, tuple)
    dtype = DTYPES.get(_require(type_, Name).dotted.removeprefix("torch."))
    if kind != "storage" or dtype is None or any(part is not None for part in view):
        raise ValueError("it has an unknown kind of storage")
    return Storage(_require(key, str), dtype, _natural(size))


def _reduce(function: Name, arguments: tuple[Any, ...]) -> Any:
    if function.dotted == DICT and not arguments:
        return {}
    if function.dotted == TENSOR:
        storage, offset, shape, strides, *_ = arguments
        if max(len(shape), len(strides)) > MAX_AXES:
            raise ValueError("a tensor has too many axes")
        return Tensor(
            _require(storage, Storage),
            _natural(offset),
            tuple(map(_natural, _require(shape, tuple))),
            tuple(map(_natural, _require(strides, tuple))),
        )
    if function.dotted == PARAMETER:
        return _require(arguments[0], Tensor)
    raise ValueError(f"it calls {function.dotted}, which is not allowed")


def _natural(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 2**63:
        raise ValueError("a size, an offset or a stride is not a natural number")
    return value


def _require(value: Any, kind: Any) -> Any:
    if not isinstance(value, kind):
        raise TypeError
    return value
