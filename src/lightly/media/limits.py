"""The limits of what is decoded, each with its reason. All are checked before any pixel is made."""

from __future__ import annotations

# 256 MiB of 8-bit RGB, the size from which Pillow warns of a decompression bomb. Cameras up to
# 89 Mpx pass; RGBA, its white background and the RGB result together stay under MEMORY_BYTES.
MAX_IMAGE_PIXELS = 89_478_485

# Longest side. JPEG and WebP cannot be longer, and 16-bit coordinates of old decoders stay safe.
MAX_IMAGE_SIDE = 65_535

# An uncompressed 16-bit RGB TIFF of MAX_IMAGE_PIXELS has 512 MiB; nothing honest is larger.
MAX_IMAGE_BYTES = 512 * 1024 * 1024

# A single-colour 8-bit PNG reaches about 1,030 pixels a byte (the limit of deflate), a photo 3 to
# 20. More than this is a bomb, or empty; 1-bit images can pass it, so small images are exempt.
MAX_PIXELS_PER_BYTE = 2_000

# Below this a bomb costs less than a large honest photo (48 MB of RGB), so the ratio is not asked.
RATIO_FREE_PIXELS = 16_000_000

# EXIF of a JPEG fits one segment of 64 KiB; other formats could carry more, nothing useful does.
MAX_EXIF_BYTES = 64 * 1024

# Cameras write 40 to 80 entries, text up to some hundred characters.
MAX_EXIF_ENTRIES = 256
MAX_EXIF_TEXT_CHARS = 1_000
MAX_EXIF_LIST_ITEMS = 64

# 8K UHD is 33 Mpx; nothing that records video has more.
MAX_FRAME_PIXELS = 36_000_000

# 24 hours at 120 frames a second. The index of time stamps takes 8 bytes a frame.
MAX_VIDEO_FRAMES = 24 * 3600 * 120

# Longest wait for one image or frame, reading the file included.
ITEM_DEADLINE_S = 30.0

# Longest step that a child may ask patience for: running a large model on a batch.
LONGEST_STEP_S = 600.0

# CPU time for one image or frame. The slowest honest case, an RGBA PNG of 88 Mpx, takes 5 to 8 s.
ITEM_CPU_S = 20

# Memory for one image above what the idle child needs. The largest RGBA PNG that passes the limits
# above was seen to take 1.5 GiB.
MEMORY_BYTES = 2 * 1024 * 1024 * 1024

# Importing numpy and OpenCV takes 0.3 s on an idle machine; a loaded one gets its time.
CHILD_START_S = 120.0

# Text that explains a failure is shown in tables and stored per sample.
MAX_REASON_CHARS = 200
