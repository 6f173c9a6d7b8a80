"""The files of an export, in whatever storage Django was given: a folder of its own for each go, so never half a file.

Large exports are put aside in pieces while they are made; whoever takes over a dead worker's run goes on from there.
"""

import hashlib
import shutil
import tempfile
import uuid
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack

from django.core.files import File
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

CHUNK = 1 << 20
Beat = Callable[[], None]  # called for each chunk: whoever works holds a lease


def _no_beat() -> None:
    pass


MANIFEST = "manifest.json"


def home(run) -> str:
    """Where everything of a run lies."""
    return f"exports/{run.public_id}"


class Spools:
    """One temporary file for each file in the making, on this worker's disk."""

    def __init__(self, run, names: list[str], *, beat: Beat = _no_beat):
        self.run, self.names, self.beat = run, names, beat
        self._stack = ExitStack()
        self._open = {name: self._temporary() for name in names}

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self._stack.close()

    def _temporary(self):
        return self._stack.enter_context(tempfile.TemporaryFile())

    def write(self, name: str, content: bytes) -> None:
        self._open[name].write(content)

    def put_aside(self) -> list[str]:
        """What was written so far, kept as one piece of each file, in the order of `names`; begin anew."""
        folder = f"{home(self.run)}/pieces-{uuid.uuid4()}"
        kept = []
        for place, name in enumerate(self.names):
            handle = self._open[name]
            handle.seek(0)
            kept.append(default_storage.save(f"{folder}/{place}", _Beating(handle, self.beat)))
            handle.close()
            self._open[name] = self._temporary()
        return kept

    def finish(self, name: str, pieces: list[str]):
        """The whole of a file: the pieces put aside, then what was written since; ready to be read."""
        tail = self._open[name]
        tail.seek(0)
        if not pieces:
            return tail
        whole = self._temporary()
        for piece in pieces:
            with default_storage.open(piece) as part:
                shutil.copyfileobj(_Beating(part, self.beat), whole, CHUNK)
        shutil.copyfileobj(tail, whole, CHUNK)
        whole.seek(0)
        return whole


class _Beating(File):
    """A file that says that somebody is at work whenever more of it is read."""

    def __init__(self, handle, beat: Beat):
        super().__init__(handle)
        self.beat = beat

    def read(self, *size):
        self.beat()
        return self.file.read(*size)


def describe(name: str, handle, rows: int | None = None, *, beat: Beat = _no_beat) -> dict:
    """Name, rows, bytes and SHA-256 of a file."""
    sha, size = hashlib.sha256(), 0
    handle.seek(0)
    while chunk := handle.read(CHUNK):
        beat()
        sha.update(chunk)
        size += len(chunk)
    handle.seek(0)
    facts = {"name": name, "bytes": size, "sha256": sha.hexdigest()}
    return facts if rows is None else {"name": name, "rows": rows} | facts


def keep(folder: str, name: str, content, *, beat: Beat = _no_beat) -> None:
    """A file into the storage, under exactly this name: the folder is new."""
    file = ContentFile(content) if isinstance(content, bytes) else _Beating(content, beat)
    saved = default_storage.save(f"{folder}/{name}", file)
    if saved != f"{folder}/{name}":
        raise OSError(f"The storage kept {name} under another name.")


def delete_folder(folder: str, *, but: str = "") -> None:
    """Everything in a folder, deeper ones too, except the folder `but`."""
    try:
        folders, files = default_storage.listdir(folder)
    except FileNotFoundError:
        return
    for each in folders:
        if f"{folder}/{each}" != but:
            delete_folder(f"{folder}/{each}")
    for each in files:
        default_storage.delete(f"{folder}/{each}")
    if not but:
        default_storage.delete(folder)


def zipped(folder: str, names: list[str]) -> Iterator[bytes]:
    """The files as one ZIP, made while it is read; the same bytes each time."""
    out = _Outlet()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name in names:
            entry = zipfile.ZipInfo(name)  # of 1980: no clock in it
            entry.compress_type = zipfile.ZIP_DEFLATED
            with (
                default_storage.open(f"{folder}/{name}") as file,
                archive.open(entry, "w", force_zip64=True) as into,
            ):
                while chunk := file.read(CHUNK):
                    into.write(chunk)
                    yield out.taken()
    yield out.taken()


class _Outlet:
    """What `zipfile` writes to: it cannot be sought, and gives away what it was given."""

    def __init__(self):
        self._waiting = bytearray()

    def write(self, content) -> int:
        self._waiting += content
        return len(content)

    def flush(self) -> None:
        pass

    def taken(self) -> bytes:
        found, self._waiting = bytes(self._waiting), bytearray()
        return found
