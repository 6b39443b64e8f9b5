"""Places: local paths and addresses of fsspec."""

from pathlib import Path

import fsspec
import pytest

from guidedrec_core.data.files.place import place_of
from guidedrec_core.errors import DataError


def test_a_local_file_a_folder_and_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"x")
    file, folder, nothing = (place_of(path) for path in (tmp_path / "a.csv", tmp_path, tmp_path / "b.csv"))
    assert (file.exists(), folder.exists(), nothing.exists()) == (True, True, False)
    assert (file.is_folder(), folder.is_folder(), nothing.is_folder()) == (False, True, False)
    assert (file.name, file.origin, str(file)) == ("a.csv", "a.csv", str(tmp_path / "a.csv"))
    with file.open() as opened:
        assert opened.read() == b"x"
    assert not place_of(tmp_path / "a.csv" / "in a file").exists()


def test_a_link_keeps_its_name_and_remembers_its_target(tmp_path: Path) -> None:
    (tmp_path / "blob").write_bytes(b"x")
    (tmp_path / "sales.csv").symlink_to(tmp_path / "blob")
    place = place_of(tmp_path / "sales.csv")
    assert (place.name, place.origin) == ("sales.csv", "blob")


@pytest.mark.parametrize("scheme", ["memory://", "file://"])
def test_an_address_is_read_like_a_path(scheme: str, tmp_path: Path) -> None:
    root = f"{scheme}{tmp_path}"
    with fsspec.open(f"{root}/in/a.csv", "wb", auto_mkdir=True) as file:
        file.write(b"x")
    place = place_of(f"{root}/in/a.csv")
    assert (place.exists(), place.is_folder(), place.name, place.origin) == (True, False, "a.csv", "a.csv")
    with place.open() as opened:
        assert opened.read() == b"x"
    assert place_of(f"{root}/in").is_folder()
    assert not place_of(f"{root}/in/b.csv").exists()
    with pytest.raises(DataError, match=r"cannot read .*b\.csv \(.*\); check the address"):
        place_of(f"{root}/in/b.csv").open()


@pytest.mark.parametrize("scheme", ["", "memory://", "file://"])
def test_files_come_in_the_order_of_their_numbers_without_hidden_ones(scheme: str, tmp_path: Path) -> None:
    names = ("p-10", "p-9", "q", "in/p-1", "in/deep/p", ".hidden", ".git/p")
    for name in names:
        with fsspec.open(f"{scheme or 'file://'}{tmp_path}/{name}", "wb", auto_mkdir=True) as file:
            file.write(name.encode())
    folder = place_of(f"{scheme}{tmp_path}" if scheme else tmp_path)
    assert list(folder.files(0)) == ["p-9", "p-10", "q"]
    assert list(folder.files(1)) == ["in/p-1", "p-9", "p-10", "q"]
    found = folder.files(2)
    assert list(found) == ["in/deep/p", "in/p-1", "p-9", "p-10", "q"]
    with found["in/deep/p"].open() as opened:
        assert opened.read() == b"in/deep/p"


def test_a_missing_package_is_named() -> None:
    fsspec.register_implementation("faraway", "no_such_package.System", errtxt="Install no_such_package", clobber=True)
    with pytest.raises(DataError, match=r"a package for faraway:// is missing \(Install no_such_package\); install it"):
        place_of("faraway://bucket/a.csv")


def test_an_unknown_protocol_is_refused() -> None:
    with pytest.raises(DataError, match=r"cannot read nothing://bucket/a.csv \(Protocol not known: nothing\)"):
        place_of("nothing://bucket/a.csv")


def test_secrets_in_an_address_are_not_shown() -> None:
    with pytest.raises(DataError) as caught:
        place_of("nothing://user:secret@host/a.csv?signature=secret")
    assert "secret" not in str(caught.value)
    assert "nothing://host/a.csv" in str(caught.value)


def test_paths_that_no_system_takes() -> None:
    with pytest.raises(DataError, match="without NUL"):
        place_of("a\0b.csv")
    with pytest.raises(DataError, match=r"cannot read x+\.\.\.: File name too long; check the path"):
        place_of(Path("x" * 5_000)).exists()
