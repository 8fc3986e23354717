"""An invented crowd: people of many tongues, what two sources wrote of them, and who is who. Grades resolution.

Names are put together from common given names and from syllables; no phone number of theirs can be dialled, and their
mail goes to domains that are kept for examples (RFC 2606). Told from a seed.
"""
