"""The only place that decodes bytes: sniffing, limits, pixels, statistics, thumbnails, frames.

Nothing is imported here, so that `lightly.media.sniff` costs a server process neither numpy nor an
image library. Bytes that somebody else made are decoded in the children of
`lightly.media.sandbox.DecodePool`; the functions behind it can also be called directly.
"""
