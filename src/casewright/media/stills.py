"""What a still of a medium can be asked to be, for whoever shows one and decodes nothing."""

SIDES = (160, 480, 1200)
"""Pixels of the longer side that a still may have."""
IMPORTS = ("pi_heif", "simplejpeg", "av")
"""What the child that makes one has loaded before it gives up its rights."""
