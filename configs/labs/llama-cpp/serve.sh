#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Serve one model with llama.cpp on loopback the way a measurement needs it; README.md says why.
set -eu
model=${1:?usage: serve.sh MODEL.gguf [KEY_FILE]}
key=${2:-$HOME/.config/ringtrial/keys/llama.key}
slots=${SLOTS:-8}
context=${CONTEXT:-16384} # of one slot

if [ ! -s "$key" ]; then
    umask 077
    mkdir -p "$(dirname "$key")"
    head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n' > "$key"
fi
# --jinja: the model's own chat template, without which there are no tools.
# --no-context-shift: an error at the end of the context, and not a text whose beginning is forgotten.
exec llama-server --model "$model" --alias llama-8b --host 127.0.0.1 --port "${PORT:-8080}" \
    --ctx-size $((slots * context)) --parallel "$slots" --jinja --no-context-shift \
    --api-key-file "$key" --no-webui
