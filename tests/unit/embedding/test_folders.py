from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lightly._kit.errors import BadInput
from lightly._kit.spreadsheet_cells import FORMULA_STARTS, restore_cell
from lightly.embedding.folders import embed_folder
from lightly.utils.io import load_embeddings
from tests.unit.media import odd_images as odd
from tests.unit.media.clips import LEVEL_STEP, write_clip


def paint(folder: Path, **colors: tuple[int, int, int]) -> None:
    """Write one PNG per name; `__` in a name is a folder."""
    for name, color in colors.items():
        path = folder / (name.replace("__", "/") + ".png")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(odd.encode(odd.flat(color), "PNG"))


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "images"


@pytest.fixture
def output(tmp_path):
    return tmp_path / "out" / "embeddings.csv"


def read_reasons(path: Path) -> dict[str, str]:
    with path.open(newline="", encoding="utf-8") as file:
        return {row["filenames"]: row["reason"] for row in csv.DictReader(file)}


def test_every_image_gets_a_row_in_listing_order(folder, output, tiny_model):
    paint(folder, cats__b=(1, 2, 3), cats__a=(4, 5, 6), birds__z=(7, 8, 9))

    summary = embed_folder(folder, output, model=tiny_model)
    vectors, labels, names = load_embeddings(str(output))

    assert names == ["birds/z.png", "cats/a.png", "cats/b.png"]
    assert labels == [0, 1, 1]
    assert vectors.tolist() == [[7, 8, 9], [4, 5, 6], [1, 2, 3]]
    assert (summary.n_embedded, summary.n_corrupt, summary.n_resumed) == (3, 0, 0)
    assert [path.name for path in output.parent.iterdir()] == ["embeddings.csv"]


def test_corrupt_images_are_listed_with_their_reason_and_stop_nothing(folder, output, tiny_model):
    paint(folder, a=(1, 1, 1), c=(3, 3, 3))
    (folder / "b.jpg").write_bytes(b"<html>")
    (folder / "d.png").write_bytes(b"")

    summary = embed_folder(folder, output, model=tiny_model)

    assert load_embeddings(str(output))[2] == ["a.png", "c.png"]
    assert summary.n_corrupt == 2
    assert summary.corrupt_path == output.parent / "embeddings_corrupt.csv"
    reasons = read_reasons(summary.corrupt_path)
    assert list(reasons) == ["b.jpg", "d.png"]
    assert reasons["b.jpg"].startswith("The content is not an image")
    assert reasons["d.png"] == "The file is empty."


def test_names_of_corrupt_images_are_no_formulas_and_come_back(folder, output, tiny_model):
    names = ["=1+2.jpg", "-i.jpg", "'@a.jpg", 'a"\r\n,b.jpg', "plain.jpg"]
    folder.mkdir()
    for name in names:
        (folder / name).write_bytes(b"")

    summary = embed_folder(folder, output, model=tiny_model)

    cells = list(read_reasons(summary.corrupt_path))
    assert not [cell for cell in cells if cell[0] in FORMULA_STARTS]
    assert sorted(map(restore_cell, cells)) == sorted(names)


def test_a_list_of_corrupt_images_of_an_earlier_run_disappears(folder, output, tiny_model):
    (folder).mkdir()
    (folder / "a.png").write_bytes(b"")
    embed_folder(folder, output, model=tiny_model)
    paint(folder, a=(1, 1, 1))

    summary = embed_folder(folder, output, model=tiny_model)

    assert summary.corrupt_path is None
    assert not (output.parent / "embeddings_corrupt.csv").exists()


def test_names_that_the_format_cannot_hold_are_reported(folder, output, tiny_model):
    paint(folder, a=(1, 1, 1))
    good = (folder / "a.png").read_bytes()
    for name in (b"x,y.png", b"line\nbreak.png", b"\xff.png"):
        Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_bytes(good)

    summary = embed_folder(folder, output, model=tiny_model)

    assert load_embeddings(str(output))[2] == ["a.png"]
    reasons = read_reasons(summary.corrupt_path)
    assert set(reasons) == {"x,y.png", "line\nbreak.png", "\\udcff.png"}
    assert len(set(reasons.values())) == 1


def test_names_of_all_scripts_are_kept(folder, output, tiny_model):
    paint(folder, **{"größe 100%": (1, 1, 1), "日本": (2, 2, 2), 'a"b': (3, 3, 3)})

    embed_folder(folder, output, model=tiny_model)

    assert set(load_embeddings(str(output))[2]) == {"größe 100%.png", "日本.png", 'a"b.png'}


def test_a_folder_of_corrupt_images_only_gives_a_header(folder, output, tiny_model):
    folder.mkdir()
    (folder / "a.png").write_bytes(b"")

    summary = embed_folder(folder, output, model=tiny_model)

    assert output.read_text() == "filenames,embedding_0,embedding_1,embedding_2,labels\n"
    assert summary.n_embedded == 0


def test_a_folder_without_images_is_an_error(folder, output, tiny_model):
    folder.mkdir()
    (folder / "notes.txt").touch()

    with pytest.raises(BadInput, match="Found 0 files in folder"):
        embed_folder(folder, output, model=tiny_model)

    assert not output.parent.exists()


def test_the_same_folder_gives_the_same_bytes(folder, output, tiny_model):
    for number in range(30):
        paint(folder, **{f"{number:02}": (number, 2 * number, 7)})

    embed_folder(folder, output, model=tiny_model, batch_size=7, n_processes=2)
    first = output.read_bytes()
    embed_folder(folder, output, model=tiny_model, batch_size=3, n_processes=1)

    assert output.read_bytes() == first


def test_progress_is_reported_up_to_the_total(folder, output, tiny_model):
    for number in range(10):
        paint(folder, **{f"{number:02}": (number, 0, 0)})
    (folder / "bad.png").write_bytes(b"")
    seen = []

    embed_folder(folder, output, model=tiny_model, batch_size=4, on_progress=seen.append)

    assert [state.n_done for state in seen] == sorted(state.n_done for state in seen)
    assert (seen[-1].n_done, seen[-1].n_total, seen[-1].n_corrupt) == (11, 11, 1)


def test_vectors_are_normalised_on_request(folder, output, tiny_model):
    paint(folder, a=(30, 40, 0))

    embed_folder(folder, output, model=tiny_model, normalize=True)

    assert load_embeddings(str(output))[0] == pytest.approx(np.array([[0.6, 0.8, 0]]))


def test_a_video_gives_a_row_per_frame(folder, output, tiny_model):
    folder.mkdir()
    write_clip(folder / "b.mp4", 12)
    write_clip(folder / "a.avi", 3, codec="mpeg4")
    paint(folder, ignored=(1, 1, 1))
    seen = []

    embed_folder(folder, output, model=tiny_model, on_progress=seen.append)
    vectors, labels, names = load_embeddings(str(output))

    assert names[:4] == ["a-0-avi.png", "a-1-avi.png", "a-2-avi.png", "b-00-mp4.png"]
    assert names[-1] == "b-11-mp4.png"
    assert labels == [0] * 3 + [1] * 12
    # the left half is painted with the number, the right half is constant
    steps = np.diff(vectors[3:].mean(axis=1))
    assert steps == pytest.approx(np.full(11, LEVEL_STEP / 2), abs=1.5)
    assert (seen[-1].n_done, seen[-1].n_total) == (15, 15)


def test_a_corrupt_video_is_reported_and_the_others_are_embedded(folder, output, tiny_model):
    folder.mkdir()
    (folder / "a.mp4").write_bytes(b"<html>")
    write_clip(folder / "b.mp4", 3)

    summary = embed_folder(folder, output, model=tiny_model)

    assert (summary.n_embedded, summary.n_corrupt) == (3, 1)
    assert list(read_reasons(summary.corrupt_path)) == ["a.mp4"]


class Stop(Exception):
    """What a test raises to interrupt a run."""


def stop_after(count: int):
    def on_progress(state) -> None:
        if state.n_done >= count:
            raise Stop

    return on_progress


def test_an_interrupted_run_goes_on_and_gives_the_same_bytes(folder, output, tiny_model):
    for number in range(40):
        paint(folder, **{f"{number:02}": (number, 0, 0)})
    (folder / "05.png").write_bytes(b"")
    embed_folder(folder, output, model=tiny_model)
    whole = output.read_bytes()
    output.unlink()

    with pytest.raises(Stop):
        embed_folder(folder, output, model=tiny_model, batch_size=4, on_progress=stop_after(12))
    assert not output.exists()
    summary = embed_folder(folder, output, model=tiny_model)

    assert output.read_bytes() == whole
    assert summary.n_resumed >= 12
    assert (summary.n_embedded, summary.n_corrupt) == (39, 1)


def test_a_restart_forgets_the_interrupted_run(folder, output, tiny_model):
    for number in range(20):
        paint(folder, **{f"{number:02}": (number, 0, 0)})
    with pytest.raises(Stop):
        embed_folder(folder, output, model=tiny_model, batch_size=4, on_progress=stop_after(8))

    summary = embed_folder(folder, output, model=tiny_model, restart=True)

    assert summary.n_resumed == 0


def test_an_image_that_changed_meanwhile_is_embedded_again(folder, output, tiny_model):
    for number in range(20):
        paint(folder, **{f"{number:02}": (number, 0, 0)})
    with pytest.raises(Stop):
        embed_folder(folder, output, model=tiny_model, batch_size=4, on_progress=stop_after(8))
    (folder / "00.png").write_bytes(odd.encode(odd.flat((200, 1, 1), (99, 9)), "PNG"))

    embed_folder(folder, output, model=tiny_model)

    assert load_embeddings(str(output))[0][0].tolist() == [200, 1, 1]


def test_files_that_came_and_went_meanwhile_do_not_matter(folder, output, tiny_model):
    for number in range(20):
        paint(folder, **{f"{number:02}": (number, 0, 0)})
    with pytest.raises(Stop):
        embed_folder(folder, output, model=tiny_model, batch_size=4, on_progress=stop_after(8))
    (folder / "01.png").unlink()
    paint(folder, **{"005": (77, 0, 0)})

    embed_folder(folder, output, model=tiny_model)
    vectors, _, names = load_embeddings(str(output))

    assert names[:3] == ["00.png", "005.png", "02.png"]
    assert vectors[:3, 0].tolist() == [0, 77, 2]


def test_a_video_goes_on_at_the_frame_where_it_was(folder, output, tiny_model):
    folder.mkdir()
    write_clip(folder / "a.mp4", 20)
    embed_folder(folder, output, model=tiny_model)
    whole = output.read_bytes()

    with pytest.raises(Stop):
        embed_folder(folder, output, model=tiny_model, batch_size=2, on_progress=stop_after(6))
    summary = embed_folder(folder, output, model=tiny_model)

    assert output.read_bytes() == whole
    assert 6 <= summary.n_resumed < 20


KILLED_RUN = """
import sys
from lightly.embedding.folders import embed_folder

def report(state):
    print(state.n_done, flush=True)

embed_folder(sys.argv[1], sys.argv[2], model=sys.argv[3], batch_size=2, on_progress=report)
"""


@pytest.mark.parametrize("kill_at", [2, 10, 30])
def test_a_killed_run_goes_on_and_gives_the_same_bytes(folder, output, tiny_model, kill_at):
    for number in range(60):
        paint(folder, **{f"{number:02}": (number, 0, 0)})
    embed_folder(folder, output, model=tiny_model)
    whole = output.read_bytes()
    output.unlink()

    command = [sys.executable, "-c", KILLED_RUN, str(folder), str(output), tiny_model.id]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        while int(process.stdout.readline()) < kill_at:
            pass
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    summary = embed_folder(folder, output, model=tiny_model)

    assert output.read_bytes() == whole
    assert summary.n_resumed >= kill_at
    assert [path.name for path in output.parent.iterdir()] == ["embeddings.csv"]
