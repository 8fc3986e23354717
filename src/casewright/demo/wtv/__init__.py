"""The operation at the size of the one that the tool is for: written as it is told, from a seed, part by part."""
