// SPDX-License-Identifier: Apache-2.0
#include "worker/subject/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"

#define ANSWER_MOST ((size_t)4 << 20)

struct taking {
    struct rt_buf body;
    struct rt_wire_answer *answer;
};

static size_t take_body(char *data, size_t size, size_t count, void *ctx)
{
    struct taking *taking = ctx;
    rt_buf_add(&taking->body, data, size * count);
    return rt_buf_ok(&taking->body) == RT_OK ? size * count : 0;
}

static size_t take_header(char *data, size_t size, size_t count, void *ctx)
{
    struct taking *taking = ctx;
    size_t length = size * count;
    if (length > 8 && strncasecmp(data, "server:", 7) == 0) {
        const char *at = data + 7, *end = data + length;
        while (at < end && *at == ' ')
            at++;
        size_t kept = 0;
        for (; at < end && kept + 1 < sizeof taking->answer->server; at++)
            if (*at > ' ' && *at < 0x7f)
                taking->answer->server[kept++] = *at;
        taking->answer->server[kept] = 0;
    }
    return length;
}

static enum rt_status perform(CURL *easy, const struct rt_lab_subject *subject, const char *url,
                              struct rt_error *err)
{
    CURLcode code = curl_easy_perform(easy);
    if (code == CURLE_OK)
        return RT_OK;
    enum rt_status status = code == CURLE_OPERATION_TIMEDOUT ? RT_TIMEOUT
                            : code == CURLE_WRITE_ERROR      ? RT_TOO_LARGE
                                                             : RT_NETWORK;
    return rt_error_set(err, status, "subject %s: %s: %s", subject->id, url,
                        curl_easy_strerror(code));
}

static bool aim(CURL *easy, const struct rt_lab_subject *subject,
                const struct rt_endpoint_files *files, const struct rt_endpoint *endpoint,
                const char *url, const char *body, int64_t timeout_ms, struct taking *taking)
{
    bool ready = rt_endpoint_prepare(easy, subject, files);
    rt_endpoint_aim(easy, endpoint);
    if (!body) {
        curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
        curl_easy_setopt(easy, CURLOPT_URL, url);
    } else {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body);
    }
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, taking);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, taking);
    return ready;
}

enum rt_status rt_wire_ask(const struct rt_lab_subject *subject,
                           const struct rt_endpoint_files *files, const char *endpoint,
                           const char *path, const json_t *body, int64_t timeout_ms,
                           struct rt_wire_answer *ret_answer, struct rt_error *err)
{
    struct rt_endpoint made = {0};
    struct taking taking = {.answer = ret_answer};
    char url[1200];
    size_t size = strlen(endpoint);
    *ret_answer = (struct rt_wire_answer){0};
    while (size && endpoint[size - 1] == '/')
        size--;
    snprintf(url, sizeof url, "%.*s%s", (int)size, endpoint, path);
    enum rt_status status = rt_endpoint_make(subject, files, endpoint, NULL, &made, err);
    if (status)
        return status;
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    CURL *easy = curl_easy_init();
    rt_buf_init(&taking.body, ANSWER_MOST);
    if (!easy || (body && !text) ||
        !aim(easy, subject, files, &made, url, text, timeout_ms, &taking))
        status = rt_error_set(err, RT_NO_MEMORY, "subject %s: out of memory", subject->id);
    if (!status)
        status = perform(easy, subject, url, err);
    if (!status) {
        curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &ret_answer->code);
        if (rt_json_parse(rt_buf_bytes(&taking.body), &ret_answer->json, NULL))
            ret_answer->json = NULL;
    }
    curl_easy_cleanup(easy);
    rt_buf_release(&taking.body);
    rt_endpoint_release(&made);
    free(text);
    return status;
}
