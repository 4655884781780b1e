// SPDX-License-Identifier: Apache-2.0
// GET from a coordinator or a mirror over HTTP(S): bounded answers, no redirects, no other schemes.
// One thread.
#ifndef RT_AUDITOR_FETCH_H
#define RT_AUDITOR_FETCH_H

#include "common/base/bytes.h"
#include "common/base/error.h"

#define RT_FETCH_URL_BYTES 2048

struct rt_fetch {
    void *easy; // CURL
    void *headers;
    char base[RT_FETCH_URL_BYTES]; // without the slash at its end
};

// base: "http://127.0.0.1:8080". token: a file that holds a bearer token, or NULL. Release it in
// any case. RT_USAGE for what is no http or https address.
enum rt_status rt_fetch_init(struct rt_fetch *fetch, const char *base, const char *token,
                             struct rt_error *err) RT_WARN_UNUSED;
void rt_fetch_release(struct rt_fetch *fetch);
// Append what is at base/path. RT_NOT_FOUND (404), RT_NOT_PERMITTED (401, 403), RT_TOO_LARGE above
// out's limit, RT_NETWORK for everything else, with err saying what.
enum rt_status rt_fetch_get(struct rt_fetch *fetch, const char *path, struct rt_buf *out,
                            struct rt_error *err) RT_WARN_UNUSED;

#endif
