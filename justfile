# The commands CI runs, and the longer ones it does not.

# What CI runs.
check:
    bash .ci/run

# Format, lint and test, faster than `check` when nothing is built anew.
test:
    cargo fmt --all --check
    cargo clippy --release --workspace --all-targets -- -D warnings
    cargo test --release --workspace

# Accept new golden pictures and snapshots; look at them before you commit them.
golden:
    UPDATE_GOLDEN=1 cargo test --release --workspace

# Whole runs against Lucid's on GoogLeNet: about 12 minutes, wants ENTOPTIC_MODELS.
parity:
    cargo test --release -p entoptic --test parity -- --ignored --nocapture

# Pictures of twenty units drawn at random against photos and noise: about 5 minutes.
units:
    cargo test --release -p entoptic --test units -- --ignored --nocapture
