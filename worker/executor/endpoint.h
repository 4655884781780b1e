// SPDX-License-Identifier: Apache-2.0
// One endpoint as curl wants it: where to post, which header lines every request carries, whose
// certificates to trust. The key lives here and nowhere else: it is sent, never printed, and struck
// out of whatever the server says. For the chat backend alone; one thread.
#ifndef RT_WORKER_EXECUTOR_ENDPOINT_H
#define RT_WORKER_EXECUTOR_ENDPOINT_H

#include <curl/curl.h>

#include "common/base/bytes.h"
#include "common/base/error.h"
#include "proto/labconfig.h"

struct rt_endpoint {
    char *name; // as it was added: "http://host:port/v1"; NULL: none
    char *url;  // where chat completions are asked for
    char *key;  // NULL: none
    struct curl_slist *headers;
};

// Where secrets and certificates are: expanded paths, NULL for none.
struct rt_endpoint_files {
    const char *key_file, *ca_file;
};

// url: http:// or https://, without user and password in it (RT_MALFORMED). key: the bearer token,
// or NULL for the subject's own (key file, then key_env). Errors name the subject and the place the
// key was looked for, never the key.
enum rt_status rt_endpoint_make(const struct rt_lab_subject *subject,
                                const struct rt_endpoint_files *files, const char *url,
                                const char *key, struct rt_endpoint *ret_endpoint,
                                struct rt_error *err) RT_WARN_UNUSED;
void rt_endpoint_release(struct rt_endpoint *endpoint); // wipes the key

// Set what all requests of a subject share on a handle: HTTP/1.1, POST, no redirects, small
// buffers, proxy, certificates. False when curl refuses one.
bool rt_endpoint_prepare(CURL *easy, const struct rt_lab_subject *subject,
                         const struct rt_endpoint_files *files);
// Aim a prepared handle at an endpoint; the endpoint outlives the transfer.
void rt_endpoint_aim(CURL *easy, const struct rt_endpoint *endpoint);

// Overwrite every place in text where the endpoint's key stands.
void rt_endpoint_scrub(const struct rt_endpoint *endpoint, struct rt_buf *text);

#endif
