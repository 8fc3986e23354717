"""`case.toml`: everything that changes a result, built once, frozen, passed in."""

import tomllib
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import tomli_w

from casewright.model.bitcoin import NETWORKS
from casewright.model.errors import Missing, Refused
from casewright.model.priority import PrioritySettings, explained

CASE_FILE = "case.toml"


@dataclass(frozen=True)
class CaseSettings:
    title: str = ""
    agency: str = ""
    examiner: str = ""
    reference: str = ""


@dataclass(frozen=True)
class StoreSettings:
    copy_up_to: int = 8 << 30
    """Sources up to this many bytes are copied into the store; larger ones are sealed by pointer and manifest."""
    twin: str = ""
    """Shared storage that holds the case's bytes too: s3://BUCKET/PREFIX or file:///FOLDER. Empty: none."""


@dataclass(frozen=True)
class LimitSettings:
    child_memory: int = 4 << 30
    """Address space of a child that parses evidence, bytes."""
    child_cpu_seconds: int = 600
    child_wall_seconds: int = 900
    archive_ratio: int = 200
    archive_bytes: int = 4 << 30
    archive_depth: int = 4
    archive_members: int = 100_000
    picture_pixels: int = 300_000_000
    video_pixels: int = 4_000_000_000_000
    """Pixels that are decoded of one video, all frames together: nine hours of 1080p at 60 frames a second."""
    free_text_bytes: int = 4 << 30
    """Bytes of an exhibit's free space that are kept because addresses or the like may stand in them."""


@dataclass(frozen=True)
class ExtractSettings:
    clock_offset_seconds: int = 0
    """Added to every time stamp of the seized server: positive when its clock was slow."""
    assumed_zone: str = "UTC"
    """Zone of time stamps that name none."""
    wallet_gap: int = 20
    """Addresses derived from a wallet's extended keys beyond the last that it handed out or lists (BIP 44 says 20)."""
    session_gap_minutes: int = 30
    """Requests of one user that are further apart than this are two sessions."""


@dataclass(frozen=True)
class MediaSettings:
    pdq_distance: int = 31
    pdq_quality: int = 50
    """Hashes below this quality decide nothing."""
    frame_seconds: float = 1.0
    frame_share: float = 0.8
    """Share of a video's moments from which on it is found in another one; of two films of the case, share of each
    one's frames that must be found in the other to call them versions of one."""
    alike_share: float = 0.05
    """A trace of a device or program that more of the case's contents share than this is common, and groups nothing."""
    series_gap_minutes: int = 10
    """Pictures of a series are made one after the other within this."""
    second_look: bool = True
    """Whether pictures that are on no list are also looked for mirrored, turned, without a border and the like."""
    cut_distance: int = 47
    """Bits that a second look may be off, up to 47, when one of the two was cut; otherwise `pdq_distance` holds."""
    excerpt_seconds: float = 10.0
    """A stretch of at least so many seconds is told also where neither video is found in the other."""
    common_films: int = 3
    """A stretch counts for nothing when so many different films share it: an intro, a logo, credits."""
    common_seconds: float = 30.0
    """Longer stretches always count."""


@dataclass(frozen=True)
class ChainSettings:
    network: str = "mainnet"
    """mainnet, testnet (the third), testnet4, signet or regtest: decides how addresses are written."""
    max_hops: int = 6
    """Hops that a trace goes; a peeling chain is one."""
    dust_sats: int = 546
    """Coins below this are not followed."""
    max_age_days: int = 0
    """A trace stops so many days before or after its payment; 0: it does not look at days."""
    layers: tuple[str, ...] = ("co-spend",)
    """What joins addresses to clusters, each on its own: co-spend (spent together), change (votes of rules), tags (of
    one name). `casewright trace --with` and `--without` change it."""
    change_votes: int = 3
    """So many rules must point at an output, and none at another, for the layer `change` to join it; those that look at
    what spends the output count as one."""
    taint: str = "haircut"
    """How a payment's satoshis are shared out over what went into it: haircut, fifo, lifo or poison."""
    gathered_from: int = 2
    """A trace back stops where one output takes coins that so many other wallets paid in, as services gather their
    customers' deposits; 0: it goes on."""
    busy_wallet: int = 50
    """Of an untagged wallet that so many others paid, and that paid as many, a trace back follows its change only;
    0: all of its coins."""
    market_members: int = 50
    """A cluster of a thousand addresses or more, and of more than so many for each that is known to be the market's, is
    not taken for its wallet: then what is known counts as the market's, and nothing else; 0: it always is."""
    targeted: bool = False
    """Search block files for what the market was paid and spent, and follow it, instead of reading them whole.
    `casewright trace --targeted` and `--full` change it."""
    targeted_hops: int = 6
    """In targeted mode: transactions that are read back from a payment, and forward from what the market spent."""
    targeted_inputs: int = 100
    """In targeted mode: behind a transaction with more unknown inputs, or more outputs, nothing is read."""
    targeted_transactions: int = 500_000
    """In targeted mode: when so many transactions were read, no more are asked for."""
    late_hours: int = 24
    """Entries of the service's ledger that stand longer than this after their block are late."""


@dataclass(frozen=True)
class LinkSettings:
    suggest_at: float = 0.95
    """Two records are suggested as one person from this probability on; below it nothing is said of them."""


@dataclass(frozen=True)
class ReferSettings:
    handling: str = "TLP:AMBER+STRICT"
    permitted_use: str = "Intelligence only. Not for use in proceedings without the originator's written consent."
    reply_within_days: int = 30
    contact: str = ""
    retention_days: int = 1825
    keep_until: str = ""
    """Day on which what was sent must be destroyed; empty: `retention_days` after it was received."""
    codes: dict[str, str] = field(default_factory=dict)
    """Handling codes other than `handling`, of a section, an exhibit or an item and all that rests on it:
    "section persons" = "H2", "exhibit NAME" = "TLP:RED", "item ID" = "3-5-2:1-B-C"."""
    allowed: dict[str, str] = field(default_factory=dict)
    """Codes beyond the case's own up to which a country may have values, by its code, or "*": NL = "TLP:RED, H1"."""
    languages: dict[str, str] = field(default_factory=dict)
    """Language of a country's package, by its code: NL = "nl". The others are in English."""
    scripts: tuple[str, ...] = ()
    """Scripts beyond those of each language that documents draw: hangul, arabic. Their fonts must be on the machine."""
    font_folders: tuple[str, ...] = ("/usr/share/fonts",)
    place_days: int = 3
    """Days on which an account's addresses must agree on a country before it goes there because of them."""
    place_share: float = 0.2
    """Share of the days on which its addresses locate it at all that must agree, 0 to 1."""
    agree_hours: int = 24
    """An address of a customer record agrees with one on the site when both were used within this of each other."""


@dataclass(frozen=True)
class DeconflictSettings:
    service: str = ""
    """The seized service as others call it; without it its user names are not compared."""
    most_selectors: int = 2_000_000
    """A larger set is neither sent nor taken."""
    most_asked: int = 10_240
    """Members that one query may have, noise included: what a peer could try at once."""
    queries_per_peer: int = 10
    """Queries that one peer is answered in this case."""
    valid_days: int = 14
    """A file older than this is stale; keys of an exchange are kept no longer."""
    phones: bool = False
    """Telephone numbers are few enough to be tried; they are compared only when this is set."""


@dataclass(frozen=True)
class SealSettings:
    public_key: str = ""
    """minisign public key (base64) that signs this case's ledger heads and packages."""
    key_file: str = ""
    """The secret key, relative to the case; empty: the examiner's own, outside the case (the usual way)."""


@dataclass(frozen=True)
class Settings:
    """All settings of a case. `Settings.load` refuses unknown names: a misspelt setting must not be ignored."""

    case: CaseSettings = field(default_factory=CaseSettings)
    store: StoreSettings = field(default_factory=StoreSettings)
    limits: LimitSettings = field(default_factory=LimitSettings)
    extract: ExtractSettings = field(default_factory=ExtractSettings)
    media: MediaSettings = field(default_factory=MediaSettings)
    chain: ChainSettings = field(default_factory=ChainSettings)
    link: LinkSettings = field(default_factory=LinkSettings)
    refer: ReferSettings = field(default_factory=ReferSettings)
    priority: PrioritySettings = field(default_factory=PrioritySettings)
    deconflict: DeconflictSettings = field(default_factory=DeconflictSettings)
    seal: SealSettings = field(default_factory=SealSettings)

    @classmethod
    def load(cls, case: Path) -> "Settings":
        path = case / CASE_FILE
        if not path.is_file():
            raise Missing(f"{case} is not a case: it has no {CASE_FILE}. Make one with: casewright new {case} ...")
        try:
            raw = tomllib.loads(path.read_text("utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise Refused(f"{path} cannot be read: {error}. Correct the file and run again.") from error
        settings: Settings = _build(cls(), raw, str(path))
        settings.priority.check(str(path))
        if settings.chain.network not in NETWORKS:
            known = ", ".join(NETWORKS)
            raise Refused(f"{path}: [chain] network is {settings.chain.network!r}, but must be one of {known}.")
        return settings

    def dump(self) -> str:
        """The text of case.toml, with remarks where a person is meant to change it."""
        table = "[priority]\n"
        return tomli_w.dumps(asdict(self)).replace(table, "\n".join([*explained(), table]), 1)


def _build(defaults: Any, raw: dict[str, Any], where: str) -> Any:
    """`defaults` with the values of `raw` put in, each checked against the type of the default it replaces."""
    known = {f.name: getattr(defaults, f.name) for f in fields(defaults)}
    if unknown := raw.keys() - known.keys():
        raise Refused(f"{where}: unknown setting {sorted(unknown)}. Known here: {sorted(known)}.")
    values: dict[str, Any] = {}
    for name, value in raw.items():
        default = known[name]
        if is_dataclass(default):
            if not isinstance(value, dict):
                raise Refused(f"{where}: [{name}] must be a section.")
            values[name] = _build(default, value, f"{where} [{name}]")
        elif isinstance(default, dict):
            if not isinstance(value, dict) or not all(isinstance(v, str) for v in value.values()):
                raise Refused(f"{where}: [{name}] must be a table of texts, not {value!r}.")
            values[name] = dict(value)
        elif isinstance(default, tuple):
            if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
                raise Refused(f"{where}: {name} must be a list of texts, not {value!r}.")
            values[name] = tuple(value)
        elif isinstance(default, float) and type(value) in (int, float):
            values[name] = float(value)
        elif type(value) is type(default):
            values[name] = value
        else:
            raise Refused(f"{where}: {name} must be {type(default).__name__}, not {value!r}.")
    return replace(defaults, **values)
