// SPDX-License-Identifier: Apache-2.0
// How commands speak to a worker that is running: small files in STATE/inbox, one a decision, which
// the loop reads, carries out and removes. A decision about a campaign that is not known yet stays.
// Never touches the outbox. Any process of the lab's user.
#ifndef RT_WORKER_INBOX_H
#define RT_WORKER_INBOX_H

#include <stddef.h>

#include "common/base/error.h"

struct rt_inbox_request {
    const char *campaign; // its id, or "sha256:..."
    // accept | decline | leave | used (campaign is then the subject) | purge | resend (about the
    // lab as a whole: campaign is its id)
    const char *action;
    const char *reason;   // 1 to 200 bytes, one line
};

// Leave a request; durable when it returns.
enum rt_status rt_inbox_put(const char *state, const struct rt_inbox_request *request,
                            struct rt_error *err) RT_WARN_UNUSED;

// Visit all requests in order of arrival. One for which visit returns RT_OK is removed, as is one
// that cannot be read (which is reported); the others stay. ret_done counts those carried out.
typedef enum rt_status rt_inbox_visit_fn(void *ctx, const struct rt_inbox_request *request);
enum rt_status rt_inbox_each(const char *state, rt_inbox_visit_fn *visit, void *ctx,
                             size_t *ret_done, struct rt_error *err) RT_WARN_UNUSED;

#endif
