// SPDX-License-Identifier: Apache-2.0
#include "auditor/fetch.h"

#include <curl/curl.h>
#include <stdio.h>

#include "common/base/file.h"

#define CONNECT_S 10L
#define SLOW_S    30L // less than a byte a second for so long ends a transfer

static size_t take(char *data, size_t size, size_t count, void *ctx)
{
    struct rt_buf *out = ctx;
    rt_buf_add(out, data, size * count);
    return rt_buf_ok(out) ? 0 : size * count;
}

static enum rt_status add_token(struct rt_fetch *fetch, const char *path, struct rt_error *err)
{
    struct rt_buf text, line;
    rt_buf_init(&text, 4096);
    rt_buf_init(&line, 8192);
    enum rt_status status = rt_file_check_private(path, err);
    if (!status)
        status = rt_file_read(path, &text, err);
    if (!status) {
        size_t size = strcspn(rt_buf_str(&text), "\r\n");
        rt_buf_printf(&line, "Authorization: Bearer %.*s", (int)size, rt_buf_str(&text));
        fetch->headers = curl_slist_append(NULL, rt_buf_str(&line));
        if (!fetch->headers)
            status = rt_error_set(err, RT_NO_MEMORY, "%s", path);
    }
    rt_buf_release(&text);
    rt_buf_release(&line);
    return status;
}

enum rt_status rt_fetch_init(struct rt_fetch *fetch, const char *base, const char *token,
                             struct rt_error *err)
{
    *fetch = (struct rt_fetch){.easy = NULL};
    size_t size = strlen(base);
    while (size && base[size - 1] == '/')
        size--;
    if (size >= sizeof fetch->base || (strncmp(base, "http://", 7) && strncmp(base, "https://", 8)))
        return rt_error_set(err, RT_USAGE, "'%s' is no http or https address", base);
    memcpy(fetch->base, base, size);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    CURL *easy = fetch->easy = curl_easy_init();
    bool set = easy && !curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") &&
               !curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L) &&
               !curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) &&
               !curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, CONNECT_S) &&
               !curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L) &&
               !curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, SLOW_S) &&
               !curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take) &&
               !curl_easy_setopt(easy, CURLOPT_USERAGENT, "ringtrial-audit/" RT_VERSION);
    if (!set)
        return rt_error_set(err, RT_NO_MEMORY, "starting libcurl");
    enum rt_status status = token ? add_token(fetch, token, err) : RT_OK;
    if (!status)
        curl_easy_setopt(easy, CURLOPT_HTTPHEADER, fetch->headers);
    return status;
}

void rt_fetch_release(struct rt_fetch *fetch)
{
    if (fetch->easy)
        curl_easy_cleanup(fetch->easy);
    curl_slist_free_all(fetch->headers);
    fetch->easy = fetch->headers = NULL;
}

enum rt_status rt_fetch_get(struct rt_fetch *fetch, const char *path, struct rt_buf *out,
                            struct rt_error *err)
{
    char url[RT_FETCH_URL_BYTES + 256];
    long code = 0;
    size_t before = out->size;
    if ((size_t)snprintf(url, sizeof url, "%s/%s", fetch->base, path) >= sizeof url)
        return rt_error_set(err, RT_TOO_LARGE, "%s: address too long", path);
    curl_easy_setopt(fetch->easy, CURLOPT_URL, url);
    curl_easy_setopt(fetch->easy, CURLOPT_WRITEDATA, out);
    CURLcode done = curl_easy_perform(fetch->easy);
    curl_easy_getinfo(fetch->easy, CURLINFO_RESPONSE_CODE, &code);
    if (rt_buf_ok(out))
        return rt_error_set(err, RT_TOO_LARGE, "%s: more than %zu bytes", url, out->limit);
    if (done)
        return rt_error_set(err, RT_NETWORK, "%s: %s", url, curl_easy_strerror(done));
    if (code == 200)
        return RT_OK;
    rt_buf_truncate(out, before);
    enum rt_status status = code == 404                  ? RT_NOT_FOUND
                            : code == 401 || code == 403 ? RT_NOT_PERMITTED
                                                         : RT_NETWORK;
    return rt_error_set(err, status, "%s: HTTP %ld", url, code);
}
