#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Serve one model with Ollama on loopback the way a measurement needs it; README.md says why.
set -eu
base=${1:?usage: serve.sh MODEL}
OLLAMA_HOST=127.0.0.1:${PORT:-11434}
OLLAMA_CONTEXT_LENGTH=${CONTEXT:-16384} # the default cuts prompts without a word
OLLAMA_NUM_PARALLEL=${SLOTS:-4}
OLLAMA_KEEP_ALIVE=-1 # or a pause of five minutes reloads the model
export OLLAMA_HOST OLLAMA_CONTEXT_LENGTH OLLAMA_NUM_PARALLEL OLLAMA_KEEP_ALIVE

ollama serve &
server=$!
trap 'kill "$server"' INT TERM
until ollama list >/dev/null 2>&1; do sleep 1; done
file=$(mktemp)
# What a request cannot say over this protocol is set in a model of its own.
printf 'FROM %s\nPARAMETER num_ctx %s\nPARAMETER top_k 0\nPARAMETER min_p 0.0\nPARAMETER repeat_penalty 1.0\n' \
    "$base" "$OLLAMA_CONTEXT_LENGTH" > "$file"
ollama create llama-8b-ringtrial -f "$file"
rm "$file"
wait "$server"
