#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Hands each request on to a chat-completions server behind a Unix-domain socket, so that the sandbox needs no network:
# the socket's folder is one of `read_only`. Usage: curl.sh SOCKET [MODEL]; needs curl and jq.
socket=$1 model=$2
printf '{"ringtrial_command":1,"server":"curl.sh","version":"1"}\n'
while IFS= read -r request; do
    reply=$(printf '%s' "$request" | jq -c --arg model "$model" 'if $model != "" then .model = $model else . end' |
            curl --silent --show-error --max-time 300 --unix-socket "$socket" --data-binary @- \
                 --header 'Content-Type: application/json' http://localhost/v1/chat/completions | jq -c .)
    if [ -n "$reply" ]; then
        printf '%s\n' "$reply" # an error object of the server's is one of ours as it is
    else
        printf '{"error":{"message":"the model server cannot be reached","kind":"network"}}\n'
    fi
done
