# The contributor's menu: `uv run just` lists it.

default:
    @just --list

# set up, and run the fictional operation
demo dir="./demo-case":
    uv run casewright demo {{dir}}

# what CI runs
test:
    uv run pytest

# the cases that take minutes: kill-and-resume two hundred times, rebuilding the demo's seizure, two agencies by the command line, the demo verb by verb
slow:
    uv run pytest -m slow

# disks that run full in every stage, power cuts at every moment, calls that fail: docs/reliability.md
faults:
    uv run pytest tests/faults -m "slow or not slow" -n 2

# what an installation consists of, with digests and licences (CycloneDX): dist/sbom.cdx.json
sbom *file:
    uv run python tools/sbom.py {{file}}

# the wheel built twice, in two folders and at two times: the same digest
wheel-twice:
    uv run python tools/wheel_twice.py dist

# a folder from which Casewright installs without a network
bundle folder="dist/bundle":
    uv run python tools/bundle.py {{folder}}

# every parser on spoiled files, led by the lines that they reach (Atheris); an hour in all (--minutes, --seed, names)
fuzz *options:
    PYTHONPATH=. uv run --with atheris python -m tests.fuzz {{options}}

# clusters of Ray and shared storage: one quick case, two machines in network namespaces (as root), the demo on every engine
ray *options:
    uv run --extra ray --extra s3 pytest tests/engine/test_on_ray.py tests/engine/test_mirror.py -n 0 -m "slow or not slow" {{options}}

# two workers of a cluster against one, beside two processes against one
bench-ray *options:
    uv run --extra ray python bench/on_ray.py {{options}}

# style and types
check:
    uv run ruff check .
    uv run ruff format --check .
    uv run mypy

# build the committed seizure of the demo anew (needs MariaDB, e2fsprogs and ewf-tools from Debian)
demo-build:
    uv run python tools/build_demo.py

# write docs/tables.md from the contract
docs:
    uv run python tools/tables_doc.py

# every speed that is claimed, against its peer, as one table (--only NAME ...; --full: at the issues' sizes; --write)
bench-all *options:
    uv run python bench/all.py {{options}}

# the evidence room against its peers, side by side
bench *options:
    uv run python bench/evidence.py {{options}}

# selectors against grep and ripgrep: what is found, what is made up, how fast
bench-selectors *options:
    uv run python bench/selector_search.py {{options}}

# how much of real shops' and forums' schemas a proposed mapping gets right
mapping-score:
    uv run python -m tests.extract.schemas

# hashing pictures against other hashers (fetched for the measurement only), and that no verdict changes
bench-media *options:
    uv run --with threatexchange --with perception --with pdqhash python bench/media.py {{options}}

# exact search for near hashes, side by side
bench-search *options:
    uv run --with faiss-cpu --with usearch python bench/search.py {{options}}

# groups and the worklist: how right on photographs whose truth is known, how fast on a full case
bench-groups *options:
    uv run python bench/groups.py {{options}}

# dumps and a site's accounts, side by side and at full size
bench-dump *options:
    uv run --with sqlglot python bench/dump.py {{options}}

# readers of logs, side by side (GoAccess from Debian, where it is installed)
bench-logs *options:
    uv run python bench/logs.py {{options}}

# pictures that were cut, framed, shown on a screen or turned: what is found and what is made up, beside perception
bench-second *options:
    PYTHONPATH=. uv run --with perception --with pdqhash --with scikit-learn python bench/second.py {{options}}

# known clips in longer videos and parts of known ones: what is found, and what wrongly
bench-videos *options:
    uv run python bench/videos.py {{options}}

# transactions with their ids out of block files, side by side (--blocks FOLDER: raw blocks of mainnet)
bench-chain *options:
    uv run --with blockchain-parser python bench/chain.py {{options}}

# CoinJoins of every published shape, ordinary transactions and real blocks: what the rules name, beside the single rule
bench-coinjoins *options:
    PYTHONPATH=. uv run python bench/coinjoins.py {{options}}

# the review room at full size: every page, a judgement, the start; --browser: first paint and a graph of 2,000 nodes
bench-review *options:
    uv run python bench/review.py {{options}}

# traces: 10,000 payments in one pass against one query each
bench-trace *options:
    uv run python bench/trace.py {{options}}

# invented economies of known truth through the chain room: how much of clusters and attributions is true, and is found
bench-economy *options:
    PYTHONPATH=. uv run python bench/economy.py {{options}}

# clusters by co-spending, side by side; the proof, and a chain of many transactions
bench-clusters *options:
    uv run --with graphsense-clustering python bench/clusters.py {{options}}

# targeted mode: its search and its rounds, beside hashing each transaction once
bench-chain-targeted *options:
    uv run python bench/chain_targeted.py {{options}}

# a generated chain of many millions of transactions: read, joined and matched, with time, memory and disk
bench-chain-scale *options:
    uv run python bench/chain_scale.py {{options}}

# packages of 153,000 accounts over 130 countries, made twice: time, memory, sizes, equal bytes
bench-packages *options:
    uv run python bench/packages.py {{options}}

# who may be one person, on invented crowds of known truth: what is suggested rightly and wrongly (--scale: 5,000 x 500,000)
bench-resolution *options:
    uv run python bench/resolution.py {{options}}

# comparing with another agency: time and size of 1.3 million selectors against 5,000, what is missed and made up
bench-deconflict *options:
    uv run python bench/deconflict.py {{options}}

# the stages of the chain room as the engine runs them on a generated chain: time, memory and disk of each
bench-chain-stages *options:
    uv run python bench/chain_stages.py {{options}}

# the full-size operation from intake to sealed packages (sizes: wtv/64 wtv/16 ...; --write: into docs/performance.md)
bench-wtv *options:
    uv run python bench/wtv.py {{options}}

# write the golden texts of packages anew; look at what changed before committing it
golden:
    uv run python -m tests.refer.golden
