"""Videos that are none, and names that look like orders: T32.

What decides is the content: a list of other files is never opened as a video, whatever it is
called. Behind that, FFmpeg may open nothing but files.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES128
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7

from lightly.media import videos
from lightly.media.errors import CorruptVideo
from lightly.media.frames import FrameReader, count_frames, index_frames, iterate_frames
from tests.support.http_servers import Answer, serve
from tests.unit.media.clips import write_clip

N_FRAMES = 4
SOURCES = Path(videos.__file__).parents[1]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with the video `secret.mp4`, which is also the working directory."""
    write_clip(tmp_path / "secret.mp4", N_FRAMES)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def web(folder):
    """A web server that has the same video, and remembers who asks."""
    content = (folder / "secret.mp4").read_bytes()
    with serve(lambda _: Answer(body=content)) as server:
        yield server


def write_lists(target: str) -> dict[str, str]:
    """Return lists that lead to a target, in every form that FFmpeg knows by itself."""
    return {
        "playlist": f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{target}\n#EXT-X-ENDLIST\n",
        "master playlist": f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{target}\n",
        "concat list": f"ffconcat version 1.0\nfile '{target}'\n",
        "dash": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static">'
        f"<Period><AdaptationSet><Representation id='1'><BaseURL>{target}</BaseURL>"
        "</Representation></AdaptationSet></Period></MPD>",
        "stream description": "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 127.0.0.1\r\n"
        "t=0 0\r\nm=video 5004 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n",
        "old playlist": f"[playlist]\nFile1={target}\nNumberOfEntries=1\n",
        "reference movie": f"RTSPtext {target}\r\n",
    }


FORMS = sorted(write_lists(""))
EXTENSIONS = ["mp4", "m3u8", "avi", "webm", "mov", "mpg"]


@pytest.mark.parametrize("extension", EXTENSIONS)
@pytest.mark.parametrize("form", FORMS)
def test_a_list_of_other_files_is_no_video(folder, form, extension):
    path = folder / f"list.{extension}"
    path.write_text(write_lists("secret.mp4")[form])

    for read in (count_frames, index_frames, FrameReader):
        with pytest.raises(CorruptVideo, match="not a video"):
            read(path)
    with pytest.raises(CorruptVideo, match="not a video"):
        list(iterate_frames(path))


@pytest.mark.parametrize("form", FORMS)
def test_a_list_of_urls_asks_nobody(folder, web, form):
    path = folder / "list.mp4"
    path.write_text(write_lists(f"{web.url}/secret.mp4")[form])

    with pytest.raises(CorruptVideo):
        count_frames(path)

    assert web.requests == []


def test_ffmpeg_may_open_files_only(folder, web, monkeypatch):
    """The second line of defence: as if the content had been taken for a list."""
    monkeypatch.setattr(videos, "_choose_demuxer", lambda _: "hls")
    path = folder / "list.m3u8"
    path.write_text(write_lists(f"{web.url}/secret.mp4")["playlist"])

    with pytest.raises(CorruptVideo):
        count_frames(path)

    assert web.requests == []


def test_ffmpeg_may_use_no_protocol_but_that_of_files(folder, monkeypatch):
    """Unless told otherwise, a list that lies in a file may use two more, here to decrypt."""
    clip = write_clip(folder / "clip.ts", N_FRAMES)
    padding = PKCS7(128).padder()
    cipher = Cipher(AES128(bytes(16)), CBC(bytes(16))).encryptor()
    content = padding.update(clip.read_bytes()) + padding.finalize()
    clip.write_bytes(cipher.update(content) + cipher.finalize())
    (folder / "key.ts").write_bytes(bytes(16))
    key = f'#EXT-X-KEY:METHOD=AES-128,URI="key.ts",IV=0x{"0" * 32}\n'
    path = folder / "list.m3u8"
    path.write_text(write_lists("clip.ts")["playlist"].replace("#EXTINF", f"{key}#EXTINF"))
    monkeypatch.setattr(videos, "_choose_demuxer", lambda _: "hls")

    with pytest.raises(CorruptVideo):
        count_frames(path)


@pytest.mark.parametrize(
    "name",
    ["-i.mp4", "--.mp4", "-f lavfi.mp4", "-", "http:a.mp4", "file:a.mp4", "pipe:0", "fd:.mp4",
     "concat:a.mp4|b.mp4", "data:,a.mp4", "subfile,,start,0,end,9,,:secret.mp4", "%d.mp4",
     "*.mp4", "$(id).mp4", "a;b.mp4", "a\nb.mp4", "cache:secret.mp4", "crypto:secret.mp4"],
)  # fmt: skip
def test_a_name_that_looks_like_an_order_is_a_name(folder, name):
    (folder / "secret.mp4").rename(folder / name)

    assert count_frames(name) == count_frames(folder / name) == N_FRAMES
    with FrameReader(name) as reader:
        assert reader.read(N_FRAMES - 1).index == N_FRAMES - 1


@pytest.mark.parametrize(
    "name", ["http://127.0.0.1:9/a.mp4", "concat:secret.mp4", "cache:secret.mp4", "file:secret.mp4"]
)
def test_an_address_is_not_taken_for_the_name_of_another_file(folder, name):
    with pytest.raises(CorruptVideo, match="missing"):
        count_frames(name)


def test_videos_are_opened_in_one_place_and_nothing_calls_a_program_for_it():
    callers = {
        path.relative_to(SOURCES).as_posix()
        for path in SOURCES.rglob("*.py")
        if re.search(
            r"\bav\.open\(|\bffmpeg\b.*\b(run|Popen)\(|cv2\.VideoCapture", path.read_text()
        )
    }

    assert callers == {"media/videos.py"}
