// SPDX-License-Identifier: Apache-2.0
// What differs between executors: how one request reaches the subject and its reply comes back. The
// executor core owns plays and slots; a backend knows neither scenarios nor trials, only requests
// by slot number. One thread, except `wake`.
#ifndef RT_WORKER_EXECUTOR_BACKEND_H
#define RT_WORKER_EXECUTOR_BACKEND_H

#include <poll.h>

#include "common/base/error.h"
#include "engine/chat.h"
#include "proto/labconfig.h"
#include "proto/object.h"

// How one request ended. reply and text live until the callback returns.
struct rt_backend_answer {
    uint32_t slot;
    const struct rt_chat_reply *reply; // NULL when there is none
    bool timeout;                      // no reply in time
    bool unserved;                     // there was no endpoint to ask; text says why
    enum rt_error_kind error;          // why not, unless timeout
    const char *text;                  // the same for people, ""
    uint32_t requests;                 // sent for it, retries included
};
typedef void rt_backend_answer_fn(void *ctx, const struct rt_backend_answer *answer);

// What a backend learned about what serves it; texts are borrowed from the backend, "" unknown.
struct rt_backend_facts {
    const char *server, *model, *system_fingerprint;
    const char *sandbox, *program; // of commands, and the program's digest; NULL for the others
};

struct rt_backend; // each kind's own

struct rt_backend_kind {
    const char *word; // the fingerprint's `executor`
    // Send a request for a free slot. It is copied. timeout_ms bounds one attempt, left_ms all of
    // them. What goes wrong comes back as an answer; RT_NO_MEMORY alone is returned.
    enum rt_status (*ask)(struct rt_backend *backend, uint32_t slot,
                          const struct rt_chat_request *request, int64_t timeout_ms,
                          int64_t left_ms);
    // Deliver what is ready, waiting for at most timeout_ms for something to be.
    void (*poll)(struct rt_backend *backend, int timeout_ms, rt_backend_answer_fn *deliver,
                 void *ctx);
    void (*drop)(struct rt_backend *backend, uint32_t slot); // no answer will come
    void (*wake)(struct rt_backend *backend);                // from any thread
    void (*facts)(const struct rt_backend *backend, struct rt_backend_facts *ret_facts);
    void (*free)(struct rt_backend *backend);
    // The trial (or canary) of this slot is over, answered or not; NULL where nothing is kept from
    // one request to the next.
    void (*end)(struct rt_backend *backend, uint32_t slot);
    // Of backends that have endpoints; NULL for the others.
    enum rt_status (*endpoint_add)(struct rt_backend *backend, const char *url, const char *key,
                                   struct rt_error *err);
    bool (*endpoint_drop)(struct rt_backend *backend, const char *url);
    size_t (*endpoint_count)(const struct rt_backend *backend);
    // How many requests may be out at once as things are; NULL: as many as there are slots.
    size_t (*limit)(const struct rt_backend *backend);
    // The descriptors whose events `poll` would wait for, and *wait_ms lowered to when it has
    // something to do without any: so that one wait can be for several backends.
    size_t (*watch)(struct rt_backend *backend, struct pollfd *fds, size_t capacity, int *wait_ms);
};

extern const struct rt_backend_kind rt_backend_builtin;
extern const struct rt_backend_kind rt_backend_chat;

enum rt_status rt_backend_builtin_new(const struct rt_lab_subject *subject,
                                      const struct rt_scenario *const *scenarios, size_t count,
                                      uint32_t slots, struct rt_backend **ret_backend,
                                      struct rt_error *err) RT_WARN_UNUSED;
// files: expanded paths, copied.
struct rt_endpoint_files;
enum rt_status rt_backend_chat_new(const struct rt_lab_subject *subject,
                                   const struct rt_endpoint_files *files, uint32_t slots,
                                   struct rt_backend **ret_backend,
                                   struct rt_error *err) RT_WARN_UNUSED;

#endif
