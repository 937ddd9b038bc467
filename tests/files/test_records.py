"""Records in files: what is written is read, in one step or not at all, and wrong files are named in words."""

import json
import os

import numpy as np
import pytest

from lieder.files import read_record, record_kind, write_record

KIND = "lieder songs 1"
CONTENT = {
    "name": "Winterreise",
    "count": 24,
    "key": None,
    "file": True,
    "rest": float("inf"),
    "cycles": [{"pages": np.arange(6).reshape(2, 3)}, {"pages": np.ones((0, 2)), "header": [1.5, "a"]}],
    "song": {"header": np.array([1 + 2j]), "words": np.array(["Fremd bin ich", "ausgezogen"])},
}


def read(path, kind=KIND):
    return read_record(path, kind, "Songs.save", "score")


def test_what_is_written_is_read(tmp_path):
    path = write_record(tmp_path / "songs.npz", CONTENT | {"pair": (1, np.float64(0.1))}, KIND)
    back = read(str(path))
    assert list(back) == [*CONTENT, "pair"] and back["pair"] == [1, 0.1]
    assert {name: back[name] for name in list(CONTENT)[:5]} == {name: CONTENT[name] for name in list(CONTENT)[:5]}
    assert back["cycles"][1]["header"] == [1.5, "a"]
    for found, put in (
        (back["cycles"][0]["pages"], CONTENT["cycles"][0]["pages"]),
        (back["cycles"][1]["pages"], CONTENT["cycles"][1]["pages"]),
        (back["song"]["header"], CONTENT["song"]["header"]),
        (back["song"]["words"], CONTENT["song"]["words"]),
    ):
        np.testing.assert_array_equal(found, put)
        assert found.dtype == put.dtype and found.shape == put.shape
    with np.load(path) as archive:  # any program that reads .npz finds the arrays by name
        assert "cycles.0.pages" in archive.files


def test_a_reader_finds_the_old_record_or_the_new_one(tmp_path, monkeypatch):
    path = write_record(tmp_path / "songs.npz", {"count": 1}, KIND)
    link = tmp_path / "link.npz"
    link.symlink_to(path)
    write_record(link, {"count": 2}, KIND)
    assert link.is_symlink() and read(path) == {"count": 2}

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    for step in ("os.fsync", "numpy.savez", "os.replace"):
        with monkeypatch.context() as patch:
            patch.setattr(step, full)
            with pytest.raises(OSError, match=r"score: cannot write '.*songs.npz': No space left on device"):
                write_record(path, {"count": 3}, KIND, "score")
        assert read(path) == {"count": 2} and sorted(os.listdir(tmp_path)) == ["link.npz", "songs.npz"]
    with pytest.raises(ValueError, match="allow_pickle"):  # objects are our own bug, and leave nothing behind
        write_record(path, {"count": np.array([object()])}, KIND)
    assert read(path) == {"count": 2} and len(os.listdir(tmp_path)) == 2


def test_wrong_files_are_named_in_words(tmp_path):
    whole = write_record(tmp_path / "whole.npz", CONTENT, KIND).read_bytes()
    np.save(tmp_path / "array.npy", np.ones(3))
    np.savez(tmp_path / "arrays.npz", a=np.ones(3))
    np.savez(tmp_path / "objects.npz", header=np.array([object()]), allow_pickle=True)
    np.savez(tmp_path / "list.npz", header=np.array(json.dumps([1, 2])))
    torn = bytearray(whole)
    torn[len(whole) // 3] ^= 255
    texts = {"text.npz": b"no arrays", "empty.npz": b"", "half.npz": whole[: len(whole) // 2], "torn.npz": bytes(torn)}
    for name, text in texts.items():
        (tmp_path / name).write_bytes(text)
    words = {
        "array.npy": "a single array",
        "arrays.npz": "without a header",
        "objects.npz": "",
        "list.npz": "",
        "text.npz": "no archive",
        "empty.npz": "it is empty",
        "half.npz": "cut off",
        "torn.npz": "",
    }
    for name, word in words.items():
        with pytest.raises(
            ValueError, match=rf"^score: '.*{name}' is no file written by Songs.save, or .*\(.*{word}.*\). Name another"
        ):
            read(tmp_path / name)
    with pytest.raises(ValueError, match=r"score: .* has format 'lieder songs 1', this version reads 'lieder songs 2'"):
        read(tmp_path / "whole.npz", "lieder songs 2")


def test_wrong_paths_are_named_in_words(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"score: there is no file '.*none.npz'"):
        read(tmp_path / "none.npz")
    with pytest.raises(IsADirectoryError, match=r"score: '.*' is a directory; name a file in it"):
        read(tmp_path)
    with pytest.raises(TypeError, match="score: expected the path of a file, got 3"):
        read(3)
    for path, kind, words in (
        (tmp_path / "nowhere" / "songs.npz", FileNotFoundError, "the directory '.*nowhere' does not exist. Make it"),
        (tmp_path, IsADirectoryError, "is a directory. Add a file name"),
    ):
        with pytest.raises(kind, match=f"score: .*{words}"):
            write_record(path, CONTENT, KIND, "score")


def test_what_kind_a_file_is_of(tmp_path):
    assert record_kind(write_record(tmp_path / "songs.npz", CONTENT, KIND)) == KIND
    (tmp_path / "text.npz").write_text("no archive")
    assert record_kind(tmp_path / "text.npz") == record_kind(tmp_path / "none.npz") == ""
