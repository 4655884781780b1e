// SPDX-License-Identifier: Apache-2.0
// A few threads for work that is the same for each of many items: reading, hashing, verifying. The
// items of one run must not touch one another's results; in what order they are done is left open,
// so whoever wants an order looks at the results afterwards. One thread owns a pool and calls it.
#ifndef RT_AUDITOR_POOL_H
#define RT_AUDITOR_POOL_H

#include <stddef.h>

struct rt_pool;
typedef void rt_pool_fn(void *ctx, size_t item);

// As many threads as there are processors, the caller's own among them, eight at most. NULL when
// there is nothing to be gained or no thread to be had.
struct rt_pool *rt_pool_new(void);
void rt_pool_free(struct rt_pool *pool); // takes NULL

// Do fn for the items 0 .. count - 1, the caller helping; returns when all are done. What the
// caller wrote before is seen by fn, and what fn wrote is seen by the caller after. Without a pool
// (NULL) the caller does them all, in order.
void rt_pool_run(struct rt_pool *pool, size_t count, rt_pool_fn *fn, void *ctx);

#endif
