"""What an anchor is for: apart from the compiled pass (`anchors.py`), which is slow to import."""

RUN, EMAIL, URL, IPV4, IPV6, PHONE, GROUPS, DESCRIPTOR = range(8)
"""`RUN`: letters and digits that stand between others; all else is what it says."""
