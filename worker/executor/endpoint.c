// SPDX-License-Identifier: Apache-2.0
#include "worker/executor/endpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/file.h"

#define KEY_MOST           8192
#define KEY_LEAST_SCRUBBED 4 // a shorter word stands in too many texts by chance
#define CONNECT_TIMEOUT_MS 10000L
// Hundreds of requests are in flight at once, and their bodies are small.
#define RECEIVE_BYTES 4096L
#define SEND_BYTES    16384L

static bool has(const char *text)
{
    return text && *text;
}

static enum rt_status add_header(struct rt_endpoint *endpoint, const char *line)
{
    struct curl_slist *longer = curl_slist_append(endpoint->headers, line);
    if (!longer)
        return RT_NO_MEMORY;
    endpoint->headers = longer;
    return RT_OK;
}

// A key is one word of printable characters, so that it cannot bring header lines of its own.
static enum rt_status set_key(struct rt_endpoint *endpoint, const char *key, const char *place,
                              struct rt_error *err)
{
    size_t size = strcspn(key, " \t\r\n");
    char *line = NULL;
    for (size_t i = 0; i < size; i++)
        if (key[i] < 0x21 || key[i] > 0x7e)
            return rt_error_set(err, RT_MALFORMED, "%s: not a key: only printable ASCII", place);
    if (!size)
        return rt_error_set(err, RT_MALFORMED, "%s: holds no key", place);
    endpoint->key = strndup(key, size);
    if (!endpoint->key || asprintf(&line, "Authorization: Bearer %s", endpoint->key) < 0)
        return rt_error_set(err, RT_NO_MEMORY, "out of memory");
    enum rt_status status = add_header(endpoint, line);
    explicit_bzero(line, strlen(line));
    free(line);
    return status ? rt_error_set(err, status, "out of memory") : RT_OK;
}

static enum rt_status set_key_of_file(struct rt_endpoint *endpoint, const char *path,
                                      struct rt_error *err)
{
    struct rt_buf key;
    enum rt_status status = rt_file_check_private(path, err);
    if (status)
        return status;
    rt_buf_init(&key, KEY_MOST);
    status = rt_file_read(path, &key, err);
    if (!status)
        status = set_key(endpoint, rt_buf_str(&key), path, err);
    if (key.data)
        explicit_bzero(key.data, key.size);
    rt_buf_release(&key);
    return status;
}

static enum rt_status set_key_of_subject(struct rt_endpoint *endpoint,
                                         const struct rt_lab_subject *subject,
                                         const struct rt_endpoint_files *files,
                                         struct rt_error *err)
{
    if (has(files->key_file))
        return set_key_of_file(endpoint, files->key_file, err);
    if (!has(subject->key_env))
        return RT_OK;
    const char *key = getenv(subject->key_env);
    if (!key)
        return rt_error_set(err, RT_NOT_FOUND, "environment variable %s is not set",
                            subject->key_env);
    return set_key(endpoint, key, subject->key_env, err);
}

static enum rt_status set_headers(struct rt_endpoint *endpoint,
                                  const struct rt_lab_subject *subject)
{
    // No Expect: bodies go out at once. curl sends no User-Agent by itself, and neither do we: the
    // server is told nothing about who asks.
    static const char *const lines[] = {"Content-Type: application/json",
                                        "Accept: application/json", "Expect:"};
    enum rt_status status = RT_OK;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0] && !status; i++)
        status = add_header(endpoint, lines[i]);
    for (size_t i = 0; i < subject->header_count && !status; i++) {
        char *line = NULL;
        if (asprintf(&line, "%s: %s", subject->headers[i].name, subject->headers[i].value) < 0)
            return RT_NO_MEMORY;
        status = add_header(endpoint, line);
        free(line);
    }
    return status;
}

enum rt_status rt_endpoint_make(const struct rt_lab_subject *subject,
                                const struct rt_endpoint_files *files, const char *url,
                                const char *key, struct rt_endpoint *ret_endpoint,
                                struct rt_error *err)
{
    struct rt_endpoint made = {0};
    size_t size = strlen(url);
    const char *host = strstr(url, "://");
    if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)
        return rt_error_set(err, RT_MALFORMED,
                            "subject %s: endpoint must start with http:// or https://, such as "
                            "http://127.0.0.1:8000/v1",
                            subject->id);
    host += 3;
    if (memchr(host, '@', strcspn(host, "/")))
        return rt_error_set(err, RT_MALFORMED,
                            "subject %s: endpoint holds a user or password, and addresses are "
                            "logged; put the key into `key_file`",
                            subject->id);
    while (size && url[size - 1] == '/')
        size--;
    enum rt_status status = RT_OK;
    made.name = strdup(url);
    if (asprintf(&made.url, "%.*s/chat/completions", (int)size, url) < 0)
        made.url = NULL;
    if (!made.name || !made.url || set_headers(&made, subject))
        status = rt_error_set(err, RT_NO_MEMORY, "out of memory");
    if (!status)
        status = key ? set_key(&made, key, "the job's key", err)
                     : set_key_of_subject(&made, subject, files, err);
    if (status) {
        rt_endpoint_release(&made);
        return rt_error_wrap(err, "subject %s", subject->id), status;
    }
    *ret_endpoint = made;
    return RT_OK;
}

void rt_endpoint_release(struct rt_endpoint *endpoint)
{
    for (struct curl_slist *line = endpoint->headers; line; line = line->next)
        explicit_bzero(line->data, strlen(line->data));
    curl_slist_free_all(endpoint->headers);
    if (endpoint->key)
        explicit_bzero(endpoint->key, strlen(endpoint->key));
    free(endpoint->key);
    free(endpoint->name);
    free(endpoint->url);
    *endpoint = (struct rt_endpoint){0};
}

bool rt_endpoint_prepare(CURL *easy, const struct rt_lab_subject *subject,
                         const struct rt_endpoint_files *files)
{
    CURLcode code = CURLE_OK;
#define SET(option, value) code = code ? code : curl_easy_setopt(easy, option, value)
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    // No environment variable redirects what a lab sends.
    SET(CURLOPT_PROXY, has(subject->proxy) ? subject->proxy : "");
    SET(CURLOPT_NOPROXY, "");
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_POST, 1L);
    SET(CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
    SET(CURLOPT_BUFFERSIZE, RECEIVE_BYTES);
    SET(CURLOPT_UPLOAD_BUFFERSIZE, SEND_BYTES);
    SET(CURLOPT_TCP_KEEPALIVE, 1L);
    if (has(files->ca_file))
        SET(CURLOPT_CAINFO, files->ca_file);
#undef SET
    return code == CURLE_OK;
}

void rt_endpoint_aim(CURL *easy, const struct rt_endpoint *endpoint)
{
    curl_easy_setopt(easy, CURLOPT_URL, endpoint->url);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, endpoint->headers);
}

void rt_endpoint_scrub(const struct rt_endpoint *endpoint, struct rt_buf *text)
{
    size_t size = endpoint->key ? strlen(endpoint->key) : 0;
    uint8_t *from = text->data, *end = text->data + text->size;
    if (size < KEY_LEAST_SCRUBBED || !text->size)
        return;
    while ((from = memmem(from, (size_t)(end - from), endpoint->key, size))) {
        memset(from, '*', size);
        from += size;
    }
}
