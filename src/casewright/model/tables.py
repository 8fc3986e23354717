"""Every table of a case: the contract in which the rooms meet.

A row is either an *observation*, which carries a locus (`item` or `exhibit`, and `span_start`/`span_length` in bytes
or `row`), or it is *derived*, and then `sources` lists the ids of the rows it rests on. `why` needs nothing more.

Conventions: times are UTC without a zone; satoshis are integers; hashes are lower-case hex; `path` is raw bytes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

STR, INT, BOOL, BYTES, REAL = pa.string(), pa.int64(), pa.bool_(), pa.binary(), pa.float64()
TIME = pa.timestamp("us")
STRS = pa.list_(pa.string())
INTS = pa.list_(pa.int64())


@dataclass(frozen=True)
class Column:
    """One column: its Arrow type and what it means, in the words of `docs/glossary.md`."""

    name: str
    type: Any
    meaning: str


@dataclass(frozen=True)
class Table:
    """A table of the case.

    `key` is the SQL expression that gives a row's id; `sources` the SQL expression for the list of ids that the row
    rests on (empty for observations); in both, `t` is the row. `locus` says whether the row itself tells where it
    stands in an exhibit.
    """

    name: str
    meaning: str
    columns: tuple[Column, ...]
    key: str
    sources: str = "[]"
    locus: bool = False

    @property
    def schema(self) -> pa.Schema:
        return pa.schema([(c.name, c.type) for c in self.columns])

    def empty(self) -> pa.Table:
        return self.schema.empty_table()

    def rows(self, rows: Sequence[Mapping[str, Any]]) -> pa.Table:
        """Arrow table from dictionaries; a missing key is NULL, an unknown one an error."""
        names = {c.name for c in self.columns}
        for row in rows:
            if unknown := row.keys() - names:
                raise KeyError(f"{self.name} has no column {sorted(unknown)}")
        return pa.Table.from_pylist([dict(r) for r in rows], schema=self.schema)


ITEM_LOCUS = (
    Column("item", STR, "the item it was read from"),
    Column("span_start", INT, "first byte in the item, from 0"),
    Column("span_length", INT, "number of bytes"),
    Column("row", INT, "record, line or entry number in the item, from 1; NULL where bytes say it all"),
)
EXHIBIT_LOCUS = (
    Column("exhibit", STR, "SHA-256 of the exhibit it was read from"),
    Column("path", BYTES, "file inside the exhibit, raw bytes; empty when the exhibit is one file"),
    Column("span_start", INT, "first byte in that file, from 0"),
    Column("span_length", INT, "number of bytes"),
    Column("row", INT, "record number in that file, from 1"),
)
SOURCES = Column("sources", STRS, "ids of the rows it rests on")
ROW_ORIGIN = Column(
    "origin", STR, "live, wal (from a page that a log replaced or never committed) or freed (the database gave it up)"
)

VIDEO_FRAME = (
    Column("item", STR, "item"),
    Column("second", REAL, "seconds from the start, by presentation time stamp"),
    Column("pdq", STR, "PDQ, 64 hex digits"),
    Column("pdq_quality", INT, "PDQ quality, 0 to 100"),
)
MATCH = (
    Column("match_id", STR, "match id"),
    Column("item", STR, "item"),
    Column("list", STR, "list"),
    Column("entry", STR, "entry"),
    Column(
        "method",
        STR,
        "sha256, sha1, md5 or pdq; a view of the second look, as in media_views; of videos frames, contains, part "
        "or excerpt",
    ),
    Column("distance", INT, "bits that differ; 0 for exact methods; of videos the most of any near second"),
    Column("category", STR, "the entry's category code, verbatim"),
    Column("item_from", REAL, "of videos: second of the item at which the longest stretch found begins"),
    Column("item_to", REAL, "second of the item at which it ends"),
    Column("entry_from", REAL, "second of the listed video at which it begins"),
    Column("entry_to", REAL, "second of the listed video at which it ends"),
    Column("item_share", REAL, "share of the item's moments that count which is found in the listed video, 0 to 1"),
    Column("entry_share", REAL, "share of the listed video's moments that is found in the item, 0 to 1"),
    SOURCES,
)

_ALL = (
    Table(
        "exhibits",
        "What was sealed into the case: seizures, and every list, chain, tag pack and return that was given to it.",
        (
            Column("exhibit", STR, "SHA-256 of the file, or of the manifest when it has several files"),
            Column("role", STR, "seizure, list, chain, tags, return, prior, mapping or settings"),
            Column("name", STR, "exhibit name"),
            Column("form", STR, "file or folder (folder: several files bound by a manifest)"),
            Column("size", INT, "bytes in all"),
            Column("files", INT, "number of files"),
        ),
        key="exhibit",
    ),
    Table(
        "exhibit_files",
        "The files that make up each exhibit, in the order of its manifest.",
        (
            Column("exhibit", STR, "the exhibit"),
            Column("role", STR, "the exhibit's role"),
            Column("position", INT, "order in the manifest, from 0"),
            Column("path", BYTES, "path inside the exhibit, raw bytes; empty when the exhibit is one file"),
            Column("name", STR, "printable file name"),
            Column("size", INT, "bytes"),
            Column("sha256", STR, "SHA-256"),
        ),
        key="exhibit || '/' || position",
        sources="[exhibit]",
    ),
    Table(
        "items",
        "Every file found in the seizures, deleted ones and archive members included.",
        (
            Column("item", STR, "item id"),
            Column("exhibit", STR, "exhibit it lies in"),
            Column("path", BYTES, "path, raw bytes; archive members follow their archive after '!/'"),
            Column("name", STR, "printable path"),
            Column("parent", STR, "the archive item it was unpacked from"),
            Column("volume", INT, "number of the partition, from 0"),
            Column("inode", INT, "file system's own number for it"),
            Column("size", INT, "bytes"),
            Column("sha256", STR, "SHA-256"),
            Column("sha1", STR, "SHA-1"),
            Column("md5", STR, "MD5"),
            Column("mime", STR, "media type by content, never by name"),
            Column("deleted", BOOL, "no longer in the directory, content still standing"),
            Column("origin", STR, "live, deleted, unallocated or slack (carved), or member (of an archive or image)"),
            Column("spans", INTS, "where its bytes stand in the volume: start, length, start, length, ..., in bytes"),
            Column("modified", TIME, "as the file system says"),
            Column("accessed", TIME, "as the file system says"),
            Column("changed", TIME, "as the file system says"),
            Column("created", TIME, "as the file system says"),
        ),
        key="item",
        locus=True,
    ),
    Table(
        "volumes",
        "Everything on the seized disks that is one run of bytes: file systems, and partitions that hold none.",
        (
            Column("exhibit", STR, "exhibit it lies in"),
            Column("parent", STR, "the item it lies in, when that is a disk image inside the exhibit"),
            Column("volume", INT, "its number, from 0, as in items"),
            Column("layers", STRS, "what leads to it, from the image inwards: partition, encryption, logical volume"),
            Column("system", STR, "the file system, or what was found instead"),
            Column("start", INT, "first byte on the image's disk; NULL where its bytes are not those of the disk"),
            Column("size", INT, "bytes"),
            Column("is_read", BOOL, "its files are among the items"),
        ),
        key="t.exhibit || '/' || coalesce(t.parent, '') || '/' || t.volume",
        sources="[t.exhibit]",
    ),
    Table(
        "stored_hashes",
        "Hashes that an image carries of its own content, and what its content hashes to now.",
        (
            Column("exhibit", STR, "the exhibit"),
            Column("image", BYTES, "first file of the image, raw bytes; empty when the exhibit is one file"),
            Column("algorithm", STR, "md5 or sha1"),
            Column("stored", STR, "as stored when the image was made"),
            Column("computed", STR, "of the content as it is now"),
            Column("holds", BOOL, "both are equal"),
        ),
        key="t.exhibit || '/' || hex(t.image) || '/' || t.algorithm",
        sources="[t.exhibit]",
    ),
    Table(
        "set_aside",
        "What could not be processed, each with its reason. Received = done + nothing to find + set aside.",
        (
            Column("id", STR, "set-aside id"),
            Column("stage", STR, "stage that set it aside"),
            Column("noun", STR, "what is being counted: items, rows, lines, blocks, ..."),
            Column("count", INT, "how many it stands for"),
            Column("subject", STR, "id of the row that was being processed"),
            Column("reason", STR, "short code: truncated, undecodable, too large, died, ..."),
            Column("detail", STR, "what was met, where, and what may be done"),
            Column("span_start", INT, "first byte in the subject"),
            Column("span_length", INT, "number of bytes"),
            Column("row", INT, "record number in the subject, from 1"),
        ),
        key="id",
        sources="[subject]",
    ),
    Table(
        "tallies",
        "The balance of each stage: received = done + nothing + set_aside, for each noun it counts.",
        (
            Column("stage", STR, "stage"),
            Column("noun", STR, "what is counted: items, rows, lines, blocks, ..."),
            Column("received", INT, "what it was given"),
            Column("done", INT, "what gave a result"),
            Column("nothing", INT, "what held nothing to find"),
            Column("set_aside", INT, "what could not be processed; each has its row in set_aside"),
        ),
        key="stage || '/' || noun",
        sources="(SELECT list(exhibit ORDER BY exhibit) FROM exhibits)",
    ),
    Table(
        "accounts",
        "Accounts on the seized service.",
        (
            Column("account", STR, "account id"),
            Column("native", STR, "the service's own key for it"),
            Column("username", STR, "user name, verbatim"),
            Column("email", STR, "email, verbatim"),
            Column("registered_at", TIME, "sign-up, UTC"),
            Column("zone", STR, "zone of the sign-up in the source and the rule that made it UTC"),
            Column("registered_ip", STR, "address at sign-up"),
            ROW_ORIGIN,
            *ITEM_LOCUS,
        ),
        key="account",
        locus=True,
    ),
    Table(
        "former_values",
        "What a row that the database has given up says of an account, where the standing row says otherwise.",
        (
            Column("id", STR, "id of this observation"),
            Column("account", STR, "account"),
            Column("column", STR, "column of accounts"),
            Column("value", STR, "what stood there, times in UTC"),
            ROW_ORIGIN,
            *ITEM_LOCUS,
        ),
        key="id",
        sources="[account]",
        locus=True,
    ),
    Table(
        "deposit_addresses",
        "The payment address that the service gave to each account.",
        (
            Column("id", STR, "id of this observation"),
            Column("account", STR, "account"),
            Column("address", STR, "Bitcoin address whose checksum holds"),
            Column("created_at", TIME, "UTC"),
            Column("zone", STR, "zone in the source and the rule that made it UTC"),
            ROW_ORIGIN,
            *ITEM_LOCUS,
        ),
        key="id",
        sources="[account]",
        locus=True,
    ),
    Table(
        "credits",
        "What the service's own ledger says that an account paid in. What was paid out or spent there is none.",
        (
            Column("credit", STR, "credit id"),
            Column("account", STR, "account; NULL when unknown"),
            Column("time", TIME, "UTC"),
            Column("zone", STR, "zone in the source and the rule that made it UTC"),
            Column("sats", INT, "satoshis"),
            Column("amount", STR, "the amount, verbatim"),
            Column("txid", STR, "transaction that the ledger names, if it names one"),
            Column("address", STR, "address that the ledger names, if it names one"),
            Column("note", STR, "kind, state or remark, verbatim"),
            ROW_ORIGIN,
            *ITEM_LOCUS,
        ),
        key="credit",
        sources="CASE WHEN account IS NULL THEN [] ELSE [account] END",
        locus=True,
    ),
    Table(
        "record_files",
        "Items that records are read from, each content once, and what it is read as.",
        (
            Column("item", STR, "the item"),
            Column("form", STR, "database, access log, JSON access log, system log, error log or application log"),
        ),
        key="'records/' || item",
        sources="[item]",
    ),
    Table(
        "log_events",
        "What lines of logs say that somebody did. A line that several logs hold stands here once for each.",
        (
            Column("event", STR, "event id"),
            Column("what", STR, "login, logout, download, upload, or requests (a run of them)"),
            Column("account", STR, "account; NULL when the log names none that is known"),
            Column("name", STR, "the name that the log gives, verbatim"),
            Column("name_is", STR, "username, native or email of accounts, or system: a user of the server itself"),
            Column("time", TIME, "UTC; of a run of requests the first"),
            Column("until", TIME, "of a run of requests the last, UTC"),
            Column("zone", STR, "zone in the source and the rule that made it UTC"),
            Column("ip", STR, "address"),
            Column("port", INT, "the visitor's port"),
            Column("agent", STR, "user agent, verbatim; of SSH the protocol, key and method"),
            Column("reference", STR, "what was transferred: path or URL, verbatim"),
            Column("session", STR, "what the log calls the session: host and process, or the application's word"),
            Column("how", STR, "of a logout how the session ended"),
            Column("requests", INT, "of a run how many; lines of others may stand between them in its span"),
            Column("alike", STR, "the same for all lines that say the same; NULL for runs"),
            Column("nth", INT, "which of its file's lines alike this is, from 1: of several files, one counts"),
            *ITEM_LOCUS,
        ),
        key="event",
        sources="CASE WHEN account IS NULL THEN [] ELSE [account] END",
        locus=True,
    ),
    Table(
        "logins",
        "Sign-ins and requests by an account.",
        (
            Column("login", STR, "login id"),
            Column("account", STR, "account; NULL when the log names none that is known"),
            Column("system_user", STR, "user of the server itself who signed in to it; never one of the accounts"),
            Column("time", TIME, "UTC"),
            Column("zone", STR, "zone in the source and the rule that made it UTC"),
            Column("ended_at", TIME, "when the sign-in ended, UTC, where the database has it beside"),
            Column("ip", STR, "address"),
            Column("port", INT, "the visitor's port, if the log names it"),
            Column("agent", STR, "user agent, verbatim"),
            Column("kind", STR, "log or database"),
            ROW_ORIGIN,
            *ITEM_LOCUS,
        ),
        key="login",
        sources="CASE WHEN account IS NULL THEN [] ELSE [account] END",
        locus=True,
    ),
    *(
        Table(
            name,
            meaning,
            (
                Column(name[:-1], STR, f"{name[:-1]} id"),
                Column("account", STR, "account; NULL when unknown"),
                Column("time", TIME, "UTC"),
                Column("zone", STR, "zone in the source and the rule that made it UTC"),
                Column("reference", STR, "what was transferred: stored path or URL, verbatim"),
                Column("sha256", STR, "hash that the record names, if any"),
                Column("md5", STR, "hash that the record names, if any"),
                Column("ip", STR, "address, if the record names one"),
                ROW_ORIGIN,
                *ITEM_LOCUS,
            ),
            key=name[:-1],
            sources="CASE WHEN account IS NULL THEN [] ELSE [account] END",
            locus=True,
        )
        for name, meaning in (
            ("uploads", "Files that an account put on the service."),
            ("downloads", "Files that an account took from it."),
        )
    ),
    Table(
        "sessions",
        "Times at which somebody was at work on the service, or on the server itself.",
        (
            Column("session", STR, "session id"),
            Column(
                "basis",
                STR,
                "logged (a sign-in, and its end if there is one) or requests (by one name, address and "
                "agent, no gap longer than extract.session_gap_minutes)",
            ),
            Column("account", STR, "account; NULL when unknown, and for the server's own users"),
            Column("system_user", STR, "user of the server itself; never one of the accounts"),
            Column("started_at", TIME, "UTC"),
            Column("ended_at", TIME, "UTC; NULL when nothing says so. Of requests the last one's time"),
            Column("ended_by", STR, "how it ended, in the log's words or ours; NULL when nothing says so"),
            Column("zone", STR, "zone in the source and the rule that made the times UTC"),
            Column("ip", STR, "address"),
            Column("port", INT, "the visitor's port, if the log names it"),
            Column("agent", STR, "user agent, verbatim; of SSH the protocol, key and method"),
            SOURCES,
        ),
        key="session",
        sources="sources",
    ),
    Table(
        "selectors",
        "Addresses, emails, IPs and the like, wherever they stand in the evidence.",
        (
            Column("selector", STR, "selector id"),
            Column(
                "kind",
                STR,
                "bitcoin, email, url, ip, onion, ethereum, monero, pgp, phone, descriptor, xpub, xprv or wif",
            ),
            Column("value", STR, "value, verbatim; of a private key what it stands for"),
            Column("canonical", STR, "the value in the one form in which equal ones are equal"),
            Column("port", INT, "port that follows an IP address"),
            Column("time", TIME, "first time on the line or in the row of an IP address, UTC"),
            Column("zone", STR, "zone of that time in the source and the rule that made it UTC"),
            *ITEM_LOCUS,
        ),
        key="selector",
        locus=True,
    ),
    Table(
        "wallets",
        "Wallet files, and extended keys, descriptors and private keys that stand in texts. Secrets are not kept.",
        (
            Column("wallet", STR, "wallet id"),
            Column("program", STR, "which program's file it is, or what stands in the text"),
            Column("network", STR, "mainnet, testnet, signet or regtest"),
            Column("encrypted", BOOL, "its private keys are encrypted"),
            Column("private_keys", BOOL, "private keys or a seed are present"),
            Column("addresses", INT, "rows of wallet_addresses"),
            Column("gap", INT, "addresses derived beyond the last one that the wallet handed out or lists"),
            *ITEM_LOCUS,
        ),
        key="wallet",
        locus=True,
    ),
    Table(
        "wallet_addresses",
        "Addresses that a wallet owns, watches, or has in its address book.",
        (
            Column("id", STR, "id of this observation"),
            Column("wallet", STR, "wallet"),
            Column("address", STR, "Bitcoin address"),
            Column("kind", STR, "script type as in outputs; with what it wraps, as p2sh-p2wpkh; empty for contacts"),
            Column(
                "role", STR, "own, change, watched (without keys), or contact (somebody else's, in its address book)"
            ),
            Column("basis", STR, "stored in the file, or derived from an extended key"),
            Column("path", STR, "of its key, or the descriptor of this address alone, as far as the file says"),
            Column("label", STR, "label in the wallet, verbatim"),
            Column("handed_out", BOOL, "the wallet knows that it was shown to somebody; NULL: it does not say"),
            ROW_ORIGIN,
            *ITEM_LOCUS,
        ),
        key="id",
        sources="[wallet]",
        locus=True,
    ),
    Table(
        "media",
        "Pictures and videos that could be decoded.",
        (
            Column("item", STR, "item"),
            Column("kind", STR, "picture or video"),
            Column("width", INT, "pixels, as it is seen (EXIF orientation, display matrix)"),
            Column("height", INT, "pixels, as it is seen"),
            Column("seconds", REAL, "length of a video"),
            Column("pdq", STR, "PDQ, 64 hex digits; NULL for videos"),
            Column("pdq_quality", INT, "PDQ quality, 0 to 100"),
            Column("camera", STR, "make, model and serial as the file says"),
            Column("taken_at", STR, "time as the file says, verbatim; cameras rarely name a zone"),
        ),
        key="'media/' || item",
        sources="[item]",
    ),
    Table(
        "media_keyframes",
        "Hashed keyframes of videos, some of each, for a first verdict.",
        VIDEO_FRAME,
        key="'keyframe/' || item || '@' || second",
        sources="[item]",
    ),
    Table(
        "media_frames",
        "Hashed frames of videos, one a second, as vPDQ hashes them.",
        VIDEO_FRAME,
        key="'frame/' || item || '@' || second",
        sources="[item]",
    ),
    Table(
        "media_views",
        "Further hashes of pictures, for the second look: turned, without a border, as if cut, and so on.",
        (
            Column("item", STR, "item; the first of those with the same bytes"),
            Column("view", STR, "mirrored, turned, border, screenshot, crop or wider: see docs/guides/media.md"),
            Column("pdq", BYTES, "PDQ hashes of this view, one after the other, 32 bytes each"),
        ),
        key="'view/' || item || '/' || view",
        sources="[item]",
    ),
    Table(
        "media_between",
        "Frames between those of whole seconds, where the picture moves: hashed by brightness only, to find listed "
        "videos whose seconds begin elsewhere. They go on no list.",
        VIDEO_FRAME,
        key="'between/' || item || '@' || second",
        sources="[item]",
    ),
    Table(
        "list_entries",
        "Entries of the hash lists that were given to the case; category codes are kept verbatim, never translated.",
        (
            Column("entry", STR, "entry id"),
            Column("list", STR, "name of the list"),
            Column("native", STR, "the list's own id for it"),
            Column("category", STR, "category code, verbatim"),
            Column("dialect", STR, "dialect that the code belongs to, as the list says"),
            Column("sha256", STR, "if given"),
            Column("sha1", STR, "if given"),
            Column("md5", STR, "if given"),
            Column("pdq", STRS, "PDQ hashes: one for a picture, one a second for a video"),
            *EXHIBIT_LOCUS,
        ),
        key="entry",
        locus=True,
    ),
    Table(
        "media_traces",
        "What media tell of the device and the programs that they come from, verbatim.",
        (
            Column("id", STR, "id of this observation"),
            Column(
                "kind",
                STR,
                "camera (make and model), serial, lens serial, quantisation, container, encoder or position",
            ),
            Column("value", STR, "as the file says; of tables and layouts a short form of our own"),
            *ITEM_LOCUS,
        ),
        key="id",
        sources="[t.item]",
        locus=True,
    ),
    Table(
        "harmless",
        "Media that a database of known software has (NSRL); off the worklist unless they are known or near.",
        (
            Column("id", STR, "id of this observation"),
            Column("item", STR, "item"),
            Column("list", STR, "name of the database"),
            Column("method", STR, "sha256, sha1 or md5: by which it was found; no other digest disagrees"),
            Column("name", STR, "the file's name, as the database has it"),
            *EXHIBIT_LOCUS,
        ),
        key="id",
        sources="[t.item]",
        locus=True,
    ),
    Table(
        "media_matches",
        "Which media agree with which list entries, by which method, at what distance. A match is a lead.",
        MATCH,
        key="match_id",
        sources="sources",
    ),
    Table(
        "first_matches",
        "What exact hashes and keyframes say of videos before all of each is read; media_matches judges them anew.",
        MATCH,
        key="match_id",
        sources="sources",
    ),
    Table(
        "media_groups",
        "Media that belong together, each with the reason.",
        (
            Column("id", STR, "membership id"),
            Column("media_group", STR, "group id"),
            Column("kind", STR, "bytes, near or frames (versions of one thing), device, made alike or series"),
            Column("item", STR, "item"),
            Column("reason", STR, "why it belongs to the group"),
            Column("distance", INT, "bits from the item that leads the group; NULL where nothing leads"),
            Column("leads", BOOL, "the others are held against it"),
            SOURCES,
        ),
        key="id",
        sources="sources",
    ),
    Table(
        "uploaded_media",
        "Which content an upload put on the service, as far as its record says.",
        (
            Column("id", STR, "id of this finding"),
            Column("upload", STR, "upload"),
            Column("account", STR, "account; NULL when unknown"),
            Column("time", TIME, "of the upload, UTC"),
            Column("item", STR, "item, the first with these bytes"),
            Column("how", STR, "what the record names: its hash, its hash (MD5) or its path"),
            Column("shared", BOOL, "several contents end in the path that it names"),
            SOURCES,
        ),
        key="id",
        sources="sources",
    ),
    Table(
        "worklist",
        "Every distinct content that matters. What a human should look at is the rows that open, by rank.",
        (
            Column("rank", INT, "1 is first; the same for all of a group; NULL when it was judged already"),
            Column("item", STR, "item, the first with these bytes"),
            Column("state", STR, "known, near or new"),
            Column("reason", STR, "why it stands here"),
            Column("work_group", STR, "what one decision covers: the versions of one thing"),
            Column("opens", BOOL, "this is the one to open for its group"),
            Column("items", INT, "items with these bytes"),
            Column("judgement", STR, "the judgement that covers it; NULL: none does"),
            Column("verdict", STR, "what it says: positive or negative"),
            SOURCES,
        ),
        key="'work/' || item",
        sources="sources",
    ),
    Table(
        "blocks",
        "Blocks of the chain.",
        (
            Column("hash", STR, "block hash"),
            Column("height", INT, "height; NULL when the ancestors are missing"),
            Column("time", TIME, "header time, UTC"),
            Column("transactions", INT, "number of transactions"),
            Column("state", STR, "main, stale or unconnected"),
            Column("prev", STR, "hash of the block before"),
            *EXHIBIT_LOCUS,
        ),
        key="hash",
        locus=True,
    ),
    Table(
        "transactions",
        "Transactions of blocks that are not stale, in the order of the chain: a row's place, from 0, is its number.",
        (
            Column("txid", STR, "transaction id"),
            Column("block", STR, "block hash"),
            Column("position", INT, "place in the block, from 0"),
            Column("coinbase", BOOL, "creates coins"),
            *EXHIBIT_LOCUS,
        ),
        key="txid",
        sources="[block]",
        locus=True,
    ),
    Table(
        "inputs",
        "What each transaction spends; coinbases have none.",
        (
            Column("txid", STR, "transaction"),
            Column("vin", INT, "place, from 0"),
            Column("prev_txid", STR, "transaction of the spent output"),
            Column("prev_vout", INT, "place of the spent output"),
            Column("transaction", INT, "number of the transaction: its row in `transactions`"),
            Column("spends", INT, "number of the spent output; NULL when it is not in the chain files"),
        ),
        key="txid || '<' || vin",
        sources="[txid]",
    ),
    Table(
        "outputs",
        "What each transaction pays, in the order of the chain: a row's place, from 0, is the output's number.",
        (
            Column("txid", STR, "transaction"),
            Column("vout", INT, "place, from 0"),
            Column("sats", INT, "satoshis"),
            Column("address", STR, "address; NULL where the script has none"),
            Column("kind", STR, "script kind: p2pkh, p2sh, p2wpkh, p2wsh, p2tr, p2pk, multisig, op_return, other"),
            Column("spent_by", STR, "transaction that spends it; NULL while unspent"),
            Column("transaction", INT, "number of its transaction"),
            Column("holder", INT, "number of its address or, without one, of its script, as they first appear"),
            Column("spender", INT, "number of the transaction that spends it; NULL while unspent"),
        ),
        key="txid || ':' || vout",
        sources="[txid]",
    ),
    Table(
        "payments",
        "Outputs that pay a deposit address of the service.",
        (
            Column("payment", STR, "payment id"),
            Column("txid", STR, "transaction"),
            Column("vout", INT, "place"),
            Column("address", STR, "deposit address"),
            Column("account", STR, "account it belongs to"),
            Column("sats", INT, "satoshis"),
            Column("height", INT, "block height"),
            Column("time", TIME, "block time, UTC"),
            SOURCES,
        ),
        key="payment",
        sources="sources",
    ),
    Table(
        "clusters",
        "Addresses that one wallet controls, as far as co-spending shows.",
        (Column("address", STR, "address"), Column("cluster", STR, "cluster id: derived from its least address")),
        key="'member/' || address",
        sources="(SELECT list(o.txid || ':' || o.vout ORDER BY o.txid, o.vout) FROM outputs o "
        "WHERE o.address = t.address)",
    ),
    Table(
        "cluster_reasons",
        "The transactions that joined a cluster: one a successful union, so they form a proof forest.",
        (
            Column("id", STR, "reason id"),
            Column("cluster", STR, "cluster"),
            Column("txid", STR, "transaction"),
            Column("heuristic", STR, "co-spend"),
            Column("address_a", STR, "address on one side of the union"),
            Column("address_b", STR, "address on the other"),
        ),
        key="id",
        sources="[txid]",
    ),
    Table(
        "tags",
        "Attributions of addresses by others. All are kept; conflicts are shown, not resolved.",
        (
            Column("tag", STR, "tag id"),
            Column("address", STR, "address"),
            Column("label", STR, "label, verbatim"),
            Column("actor", STR, "actor id in the pack"),
            Column("category", STR, "exchange, market, mixer, ..."),
            Column("confidence", STR, "confidence id in the pack"),
            Column("level", INT, "its level, 0 to 100"),
            Column("source", STR, "where the tagger says it is from"),
            Column("legal_name", STR, "legal name of the service, if the pack says"),
            Column("jurisdiction", STR, "ISO 3166 country of the service, if the pack says"),
            *EXHIBIT_LOCUS,
        ),
        key="tag",
        locus=True,
    ),
    Table(
        "hops",
        "Steps of a trace, back from a payment to a service or forward from it.",
        (
            Column("hop", STR, "hop id"),
            Column("payment", STR, "payment traced"),
            Column("direction", STR, "back or forward"),
            Column("step", INT, "1 is next to the payment"),
            Column("txid", STR, "transaction crossed"),
            Column("from_cluster", STR, "cluster or address that paid"),
            Column("to_cluster", STR, "cluster or address that was paid"),
            Column("sats", INT, "satoshis followed"),
            Column("reason", STR, "why it was followed, or why the trace stops here"),
            SOURCES,
        ),
        key="hop",
        sources="sources",
    ),
    Table(
        "services",
        "Services that a trace reached. A lead for legal process, never a verdict.",
        (
            Column("id", STR, "id of this finding"),
            Column("payment", STR, "payment"),
            Column("direction", STR, "back or forward"),
            Column("service", STR, "the tag's label"),
            Column("address", STR, "tagged or clustered address that was met"),
            Column("txid", STR, "transaction that leaves or enters the service"),
            Column("vout", INT, "output of it that left or entered the service"),
            Column("sats", INT, "satoshis of that output"),
            Column("hops", INT, "transactions between payment and service; 1 is direct"),
            Column("confidence", STR, "strong (direct), weak (through a wallet), none (through a mix)"),
            Column("against", STR, "what speaks against it"),
            SOURCES,
        ),
        key="id",
        sources="sources",
    ),
    Table(
        "requests",
        "What is asked of each service: one row a transaction, one reference a service.",
        (
            Column("request", STR, "request line id"),
            Column("reference", STR, "reference of the whole request"),
            Column("service", STR, "service"),
            Column("legal_name", STR, "legal name, if a tag says"),
            Column("jurisdiction", STR, "ISO 3166 country, if a tag says"),
            Column("payment", STR, "payment it came from"),
            Column("txid", STR, "transaction that left the service"),
            Column("address", STR, "address that the service paid or received on"),
            Column("sats", INT, "satoshis"),
            Column("time", TIME, "block time, UTC"),
            SOURCES,
        ),
        key="request",
        sources="sources",
    ),
    Table(
        "returns",
        "Customer records that services sent back, verbatim.",
        (
            Column("return_id", STR, "return id"),
            Column("reference", STR, "reference of the request"),
            Column("service", STR, "service"),
            Column("txid", STR, "withdrawal that the record is about"),
            Column("address", STR, "address that the service says it paid, if it says"),
            Column("customer", STR, "the service's own customer number"),
            Column("full_name", STR, "name, verbatim"),
            Column("born", STR, "date of birth, verbatim"),
            Column("email", STR, "email"),
            Column("phone", STR, "phone"),
            Column("country", STR, "ISO 3166 country"),
            Column("ip", STR, "address at the withdrawal"),
            *EXHIBIT_LOCUS,
        ),
        key="return_id",
        locus=True,
    ),
    Table(
        "persons",
        "Identity records: customers named in returns and subjects of earlier cases. A record, not an attribution.",
        (
            Column("person", STR, "person id"),
            Column("origin", STR, "return or prior"),
            Column("full_name", STR, "name, verbatim"),
            Column("born", STR, "date of birth, verbatim"),
            Column("email", STR, "email"),
            Column("phone", STR, "phone"),
            Column("country", STR, "ISO 3166 country"),
            Column("reference", STR, "customer number, or earlier case"),
            Column("note", STR, "earlier case's note on access to children or risk, verbatim"),
            *EXHIBIT_LOCUS,
            SOURCES,
        ),
        key="person",
        sources="sources",
        locus=True,
    ),
    Table(
        "links",
        "Suggested connections between accounts, payments, media and persons. Suggestions only.",
        (
            Column("link", STR, "link id"),
            Column("kind", STR, "account-payment, account-media, account-person or person-prior"),
            Column("from_id", STR, "id on one side"),
            Column("to_id", STR, "id on the other"),
            Column("reason", STR, "what speaks for it"),
            Column("against", STR, "what speaks against it"),
            SOURCES,
        ),
        key="link",
        sources="sources",
    ),
    Table(
        "judgements",
        "What people decided, from the ledger; the latest on a link counts. Times stand in the ledger only.",
        (
            Column("judgement", STR, "judgement id"),
            Column("link", STR, "link judged, or the medium: media/ and its item"),
            Column("verdict", STR, "positive, negative or unsure"),
            Column("examiner", STR, "who judged"),
            Column("why", STR, "their reason"),
            Column("category", STR, "of a medium: the category code that they chose, if they chose one"),
            Column("dialect", STR, "the dialect in which that code counts"),
            Column("stands", BOOL, "no later judgement on the same"),
        ),
        key="judgement",
        sources="[link]",
    ),
    Table(
        "reconciled",
        "The service's ledger against the chain: every credit and every payment once, and what each gap is.",
        (
            Column("id", STR, "id of this comparison"),
            Column("account", STR, "account"),
            Column("credit", STR, "credit; NULL when the ledger has none for this payment"),
            Column("payment", STR, "payment; NULL when the chain has none for this credit"),
            Column(
                "state",
                STR,
                "agrees, late, wrong amount, booked twice, paid twice, not booked, unpaid, off-chain "
                "or outside the chain files",
            ),
            Column("difference", INT, "satoshis booked more than paid"),
            Column("delay", INT, "seconds from the block to the entry"),
            Column("reason", STR, "what says so"),
            SOURCES,
        ),
        key="id",
        sources="sources",
    ),
    Table(
        "referrals",
        "Which account, and which person if one was judged, goes to which country, how urgently.",
        (
            Column("referral", STR, "referral id"),
            Column("country", STR, "ISO 3166 country, or ZZ when unresolved"),
            Column("account", STR, "account"),
            Column("person", STR, "person by a positive judgement; NULL otherwise"),
            Column("priority", INT, "1 is most urgent"),
            Column("reason", STR, "why this priority and this country"),
            Column("package", STR, "package it goes into"),
            SOURCES,
        ),
        key="referral",
        sources="sources",
    ),
    Table(
        "figures",
        "Every value that a package prints, with the rows it rests on. Writers print figures and nothing else.",
        (
            Column("figure", STR, "figure id, printed beside the value"),
            Column("country", STR, "package"),
            Column("section", STR, "part of the package"),
            Column("subject", STR, "row that the value is about"),
            Column("label", STR, "what the value is"),
            Column("value", STR, "the value as printed"),
            Column("position", INT, "order in the package"),
            SOURCES,
        ),
        key="figure",
        sources="sources",
    ),
)

TABLES: Mapping[str, Table] = {t.name: t for t in _ALL}
