"""Undo data for small chains of tests, as Bitcoin Core packs it (`undo.h`, `compressor.cpp`, `serialize.h`)."""

from collections.abc import Iterable, Sequence

from casewright.kernels.blocks import Block, Coin, parse_block, sha256d
from tests.chain.world import compact, frame


def packed(sats: int) -> int:
    """How Core compresses an amount."""
    if not sats:
        return 0
    power = 0
    while sats % 10 == 0 and power < 9:
        sats, power = sats // 10, power + 1
    if power == 9:
        return 1 + (sats - 1) * 10 + 9
    return 1 + (sats // 10 * 9 + sats % 10 - 1) * 10 + power


def written(number: int) -> bytes:
    """A number in groups of seven bits, as Core writes it."""
    groups = [number & 127]
    while number > 127:
        number = (number >> 7) - 1
        groups.append(number & 127 | 128)
    return bytes(reversed(groups))


def undo_file(blocks: Sequence[bytes], order: Iterable[int] = ()) -> bytes:
    """A `rev*.dat` for the blocks of a chain, whose first has height 1; in this order, or as the blocks stand."""
    made: dict[tuple[bytes, int], tuple[int, bool, Coin]] = {}
    frames = []
    for height, raw in enumerate(blocks, 1):
        block = parse_block(raw)
        for t in block.transactions:
            made |= {(t.txid, n): (height, t.coinbase, coin) for n, coin in enumerate(t.coins)}
        undo = _undo(block, made)
        frames.append(frame(undo) + sha256d(block.prev + undo))
    return b"".join(frames[n] for n in (list(order) or range(len(frames))))


def _undo(block: Block, made: dict[tuple[bytes, int], tuple[int, bool, Coin]]) -> bytes:
    told = compact(len(block.transactions) - 1)
    for t in block.transactions[1:]:
        told += compact(len(t.spends)) + b"".join(_coin(*made[spend]) for spend in t.spends)
    return told


def _coin(height: int, coinbase: bool, coin: Coin) -> bytes:
    script = coin.script
    form, rest = written(len(script) + 6), script
    if script[:3] == b"\x76\xa9\x14" and len(script) == 25:
        form, rest = b"\x00", script[3:23]
    elif script[:2] == b"\xa9\x14" and len(script) == 23:
        form, rest = b"\x01", script[2:22]
    elif script[:1] == b"\x21" and script[1] in (2, 3) and len(script) == 35:
        form, rest = script[1:2], script[2:34]
    code = 2 * height + coinbase
    return written(code) + (b"\x00" if code > 1 else b"") + written(packed(coin.sats)) + form + rest
