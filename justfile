# The commands CI runs, and the longer ones it does not.

# What CI runs.
check:
    bash .ci/run

# Format, lint and test, faster than `check` when nothing is built anew.
test:
    cargo fmt --all --check
    cargo clippy --release --workspace --all-targets -- -D warnings
    cargo test --release --workspace

# Lints and documentation with the feature `cuda`, so that what only it compiles is checked, too. What
# it links with is downloaded while it is built, except for documentation.
lint:
    DOCS_RS=1 cargo clippy --release --workspace --all-targets --features entoptic-cli/cuda --locked -- -D warnings
    DOCS_RS=1 RUSTDOCFLAGS="-D warnings" cargo doc --release --workspace --no-deps --features entoptic-cli/cuda --locked

# Accept new golden pictures and snapshots; look at them before you commit them.
golden:
    UPDATE_GOLDEN=1 cargo test --release --workspace

# Whole runs on GoogLeNet against Lucid's, and bf16 against f32: about 8 minutes, wants ENTOPTIC_MODELS.
parity:
    cargo test --release --workspace --test parity -- --ignored --nocapture --test-threads 1

# Pictures of twenty units drawn at random against photos and noise: about 5 minutes.
units:
    cargo test --release --workspace --test units -- --ignored --nocapture

# Every picture of docs/gallery, and the page that shows them: about an hour. Wants ENTOPTIC_MODELS.
gallery:
    cargo build --release --workspace --bin entoptic
    ENTOPTIC="${CARGO_TARGET_DIR:-target}/release/entoptic" bash docs/gallery/make.sh

# Bytes that are nearly files of models, ten minutes for each kind: `just fuzz onnx` for one, `MINUTES=60 just fuzz` for longer.
# Wants cargo-fuzz (`cargo install cargo-fuzz`), no nightly compiler.
[positional-arguments]
fuzz *TARGETS:
    bash fuzz/run.sh "$@"

# Times beside PyTorch's, as a table: half an hour. Wants ENTOPTIC_MODELS, and a Python with torch: `PYTHON=... just bench`.
[positional-arguments]
bench *ARGS: build-bench
    "${CARGO_TARGET_DIR:-target}/release/entoptic-bench" compare "$@"

# How time and memory grow with images: a few minutes. Wants ENTOPTIC_MODELS, and a Python with matplotlib.
[positional-arguments]
scaling *ARGS: build-bench
    "${CARGO_TARGET_DIR:-target}/release/entoptic-bench" scaling "$@" > target/scaling.jsonl
    "${PYTHON:-python3}" crates/bench/plot.py target/scaling.jsonl docs/images/scaling.svg

# Of the whole workspace, because `-p` alone would build Burn anew with other features.
[private]
build-bench:
    cargo build --release --workspace --bin entoptic-bench
