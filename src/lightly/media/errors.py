"""What can be wrong with an image or a video.

LightlyError
├── CorruptMedia          the bytes cannot be used as what they should be
│   ├── CorruptImage
│   │   └── ImageTooLarge     also LimitExceeded
│   └── CorruptVideo
│       └── VideoTooLarge     also LimitExceeded
└── SandboxFailed         decoding children cannot be started
"""

from __future__ import annotations

from lightly._kit.errors import LightlyError, LimitExceeded


class CorruptMedia(LightlyError, OSError):
    """The bytes cannot be decoded."""

    code = "corrupt_media"


class CorruptImage(CorruptMedia):
    """The image cannot be decoded."""

    code = "corrupt_image"


class ImageTooLarge(CorruptImage, LimitExceeded):
    """The image crosses one of the limits in `lightly.media.limits`."""

    code = "image_too_large"


class CorruptVideo(CorruptMedia):
    """The video cannot be decoded."""

    code = "corrupt_video"


class VideoTooLarge(CorruptVideo, LimitExceeded):
    """The video crosses one of the limits in `lightly.media.limits`."""

    code = "video_too_large"


class SandboxFailed(LightlyError, RuntimeError):
    """The decoding processes cannot be started."""

    code = "sandbox_failed"
