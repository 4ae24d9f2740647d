#!/usr/bin/env bash
# Gives the loaders of model files bytes that are nearly such files: all of them or those named, MINUTES each (10 if not set).
set -euo pipefail
cd "$(dirname "$0")/.."
if [ $# = 0 ]; then
    set -- onnx graphdef pytorch safetensors manifest
fi

# Seeds: small fixtures, the files that tests make by hand, and what was once an error.
seeds() {
    local target=$1
    shift
    mkdir -p "fuzz/corpus/$target" "crates/model/tests/crashes/$target"
    find "$@" "crates/model/tests/crashes/$target" -maxdepth 1 -type f -size -32k -exec cp -t "fuzz/corpus/$target" {} +
}
seeds onnx fixtures/onnx/*.onnx
seeds graphdef fixtures/tensorflow/*.pb
seeds pytorch fixtures/pytorch/*.pth
seeds safetensors fixtures/pytorch/sharded
seeds manifest fuzz/seeds/manifest
ENTOPTIC_SEEDS="$PWD/fuzz/corpus" cargo test --release -p entoptic-model --lib -- --skip fixtures

for target; do
    # All memory is counted in the targets; this is for what they cannot see.
    cargo fuzz run --sanitizer=none "$target" -- -max_total_time=$((60 * ${MINUTES:-10})) -max_len=32768 -timeout=10 \
        -rss_limit_mb=1024 -print_final_stats=1
done
