"""Thrift's compact protocol, in which Parquet's footers and page headers are: reading what is wanted, writing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Wanted = Mapping[int, Any]
"""The fields of a structure to keep, by number: None for a number, text or list of such, a Wanted for structures."""
Value = tuple[int, bytes]
"""Something written: its type and its bytes."""

_TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE = range(1, 8)
_BINARY, _LIST, _SET, _MAP, _STRUCT, _UUID = range(8, 14)
_INTEGERS = (_I16, _I32, _I64)
_DEPTH = 12
_LAST_FIELD = (1 << 15) - 1


class ThriftError(ValueError):
    """Not a structure of the compact protocol, or a larger one than is read."""


class Reader:
    """Reads structures, and of them what is wanted, `most` values in all; what is passed over takes no memory."""

    def __init__(self, data: bytes, most: int) -> None:
        self._data = data
        self._left = most
        self.at = 0

    def struct(self, wanted: Wanted) -> dict[int, Any]:
        """The wanted fields of a structure by number. Raises ThriftError."""
        try:
            return self._struct(wanted, 0)
        except IndexError:
            raise ThriftError from None

    def _struct(self, wanted: Wanted, depth: int) -> dict[int, Any]:
        fields: dict[int, Any] = {}
        number = 0
        while (head := self._byte()) != 0:
            number = number + (head >> 4) if head >> 4 else self._zigzag()
            kind = head & 15
            if not 0 < number <= _LAST_FIELD or depth > _DEPTH or number in fields:
                raise ThriftError
            if number not in wanted:
                self._pass(kind, depth, boolean=False)
            else:
                fields[number] = kind == _TRUE if kind in (_TRUE, _FALSE) else self._value(kind, wanted[number], depth)
        return fields

    def _value(self, kind: int, wanted: Wanted | None, depth: int) -> Any:
        self._left -= 1
        if self._left < 0 or depth > _DEPTH:
            raise ThriftError
        if kind == _STRUCT:
            return self._struct(wanted or {}, depth + 1)
        if kind == _LIST:
            inner, size = self._list()
            return [self._value(inner, wanted, depth + 1) for _ in range(size)]
        if kind in _INTEGERS:
            return self._zigzag()
        if kind == _BYTE:
            return self._byte()
        if kind == _BINARY:
            size = self._varint()
            self._skip(size)
            return self._data[self.at - size : self.at]
        return self._pass(kind, depth, boolean=True)

    def _pass(self, kind: int, depth: int, *, boolean: bool) -> None:
        """Pass a value over; a boolean has a byte of its own in a list, and none as a field."""
        if depth > _DEPTH:
            raise ThriftError
        if kind in _INTEGERS:
            self._varint()
        elif kind in (_TRUE, _FALSE):
            self._skip(int(boolean))
        elif kind in (_BYTE, _DOUBLE, _BINARY, _UUID):
            self._skip({_BYTE: 1, _DOUBLE: 8, _UUID: 16}.get(kind) or self._varint())
        else:
            self._pass_all(kind, depth + 1)

    def _pass_all(self, kind: int, depth: int) -> None:
        """Pass over what holds other values."""
        if kind == _STRUCT:
            while (head := self._byte()) != 0:
                if not head >> 4:
                    self._zigzag()
                self._pass(head & 15, depth, boolean=False)
        elif kind in (_LIST, _SET):
            inner, size = self._list()
            for _ in range(size):
                self._pass(inner, depth, boolean=True)
        elif kind == _MAP:
            size = self._varint()
            kinds = self._byte() if size else 0
            for _ in range(size):
                self._pass(kinds >> 4, depth, boolean=True)
                self._pass(kinds & 15, depth, boolean=True)
        else:
            raise ThriftError

    def _list(self) -> tuple[int, int]:
        head = self._byte()
        return head & 15, head >> 4 if head >> 4 < 15 else self._varint()

    def _skip(self, count: int) -> None:
        self.at += count
        if self.at > len(self._data):
            raise ThriftError

    def _byte(self) -> int:
        self.at += 1
        return self._data[self.at - 1]

    def _varint(self) -> int:
        value = shift = 0
        while True:
            byte = self._byte()
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value
            if shift > 63:
                raise ThriftError

    def _zigzag(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)


def i32(number: int) -> Value:
    """A number of 32 bits."""
    return _I32, _as_varint(number << 1 ^ number >> 63)


def i64(number: int) -> Value:
    """A number of 64 bits."""
    return _I64, _as_varint(number << 1 ^ number >> 63)


def text(content: bytes) -> Value:
    """Text or bytes."""
    return _BINARY, _as_varint(len(content)) + content


def items(values: Iterable[Value]) -> Value:
    """A list of values of one type."""
    written = list(values)
    kind = written[0][0] if written else _STRUCT
    head = bytes([len(written) << 4 | kind]) if len(written) < 15 else bytes([0xF0 | kind]) + _as_varint(len(written))
    return _LIST, head + b"".join(content for _, content in written)


def struct(fields: Mapping[int, Value]) -> Value:
    """A structure, its fields by number in their order, no two of them further apart than fifteen."""
    out = bytearray()
    before = 0
    for number, (kind, content) in fields.items():
        out.append((number - before) << 4 | kind)
        out += content
        before = number
    return _STRUCT, bytes(out) + b"\0"


def _as_varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)
