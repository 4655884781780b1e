// SPDX-License-Identifier: Apache-2.0
// reviews.yaml in a bench's folder, loaded and stored for `bench review` and `bench card`. Blocks
// on the disk; one thread.
#ifndef RT_COORDINATOR_COMMANDS_BENCH_REVIEWS_H
#define RT_COORDINATOR_COMMANDS_BENCH_REVIEWS_H

#include "proto/review.h"

// The reviews beside a loaded bench, in arena; empty ones where there is no file. RT_CONFLICT for
// another bench's.
enum rt_status rt_bench_reviews_load(const char *folder, const struct rt_bench *bench,
                                     struct rt_arena *arena, struct rt_reviews *ret_reviews,
                                     struct rt_error *err) RT_WARN_UNUSED;
// Replace the file as a whole, so that an interruption leaves the old one or the new one.
enum rt_status rt_bench_reviews_store(const char *folder, const struct rt_reviews *reviews,
                                      struct rt_error *err) RT_WARN_UNUSED;

#endif
