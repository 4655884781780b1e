#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# serve.sh PORT KEY_FILE: what one pilot job runs. It must stay in the foreground; when it ends, the job ends.
# The key is also in $RINGTRIAL_API_KEY. It is not given as an argument: every user of the node can read those.
set -euo pipefail
port=$1
VLLM_API_KEY=$(cat "$2")
export VLLM_API_KEY
exec vllm serve /project/models/llama-8b --served-model-name llama-8b --host 0.0.0.0 --port "$port" \
    --max-model-len 16384 --seed 0 --generation-config vllm
