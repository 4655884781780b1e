#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The smallest command there is: every request gets the same answer. Useful for seeing a campaign go through a lab.
# Usage: canned.sh [TEXT]; TEXT must need no escaping in JSON.
text=${1:-I would rather not say.}
while IFS= read -r request; do
    printf '{"choices":[{"message":{"role":"assistant","content":"%s"},"finish_reason":"stop"}],"model":"canned"}\n' "$text"
done
