import json
from pathlib import Path

import pytest

from retinopathy import files


def test_a_file_is_whole_or_absent(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file.txt"
    with pytest.raises(RuntimeError), files.written(path) as beside:
        beside.write_text("half")
        raise RuntimeError
    assert not path.exists()
    assert [*path.parent.iterdir()] == []


def test_a_failed_write_keeps_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    files.write_text(path, "first")
    with pytest.raises(RuntimeError), files.written(path) as beside:
        beside.write_text("second")
        raise RuntimeError
    assert path.read_text() == "first"


def test_what_a_killed_process_left_is_written_over(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    with pytest.raises(RuntimeError), files.written(path) as beside:
        raise RuntimeError
    beside.write_text("a longer text that was never finished")
    files.write_text(path, "whole")
    assert path.read_text() == "whole"
    assert [*tmp_path.iterdir()] == [path]


def test_json_has_no_nan(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        files.write_json(tmp_path / "a.json", {"value": float("nan")})
    files.write_json(tmp_path / "a.json", {"value": 1.5})
    assert json.loads((tmp_path / "a.json").read_text()) == {"value": 1.5}


def test_sha256_of_known_content(tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")
    assert files.sha256(tmp_path / "abc").startswith("ba7816bf8f01cfea414140de5dae2223")
