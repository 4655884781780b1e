#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Serve one model with vLLM on loopback the way a measurement needs it; README.md says why.
set -eu
model=${1:?usage: serve.sh MODEL_FOLDER [KEY_FILE]}
key=${2:-$HOME/.config/ringtrial/keys/vllm.key}

if [ ! -s "$key" ]; then
    umask 077
    mkdir -p "$(dirname "$key")"
    head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n' > "$key"
fi
# The key goes by the environment: a command line can be read by every user of the machine.
VLLM_API_KEY=$(cat "$key")
# Same text for the same request whatever else is in the batch, on hardware that can; slower.
VLLM_BATCH_INVARIANT=${VLLM_BATCH_INVARIANT:-1}
export VLLM_API_KEY VLLM_BATCH_INVARIANT
# --generation-config vllm: without it the model's own generation_config.json sets what is not sent.
exec vllm serve "$model" --served-model-name llama-8b --host "${HOST:-127.0.0.1}" --port "${PORT:-8000}" \
    --max-model-len "${CONTEXT:-16384}" --generation-config vllm --no-enable-prefix-caching \
    --enable-auto-tool-choice --tool-call-parser "${TOOL_PARSER:-llama3_json}"
