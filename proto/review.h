// SPDX-License-Identifier: Apache-2.0
// reviews.yaml of a bench: what people answered when they compared two phrasings of a scenario
// without knowing which they were: the same facts? the same demand? And what follows from it. An
// answer belongs to the texts it was given for: where they change, it no longer counts. Who asks
// and where answers are kept is the caller's work. No I/O; one thread.
#ifndef RT_PROTO_REVIEW_H
#define RT_PROTO_REVIEW_H

#include "proto/bench.h"

#define RT_REVIEW_ANSWERS_MOST 65536
#define RT_REVIEW_KEY_BYTES    17 // 16 hexadecimal digits and NUL

struct rt_answer {
    const char *rater;
    const char *item; // key of the pair of texts
    bool facts;       // they state the same facts
    bool demand;      // they demand the same
    const char *note; // "" none
};

struct rt_reviews {
    const char *bench;
    struct rt_answer *answers;
    size_t answer_count;
};

// Two phrasings of one scenario that are to mean the same: the first against another.
struct rt_review_item {
    uint32_t scenario, phrasing; // the other one; the first is phrasing 0
    char key[RT_REVIEW_KEY_BYTES];
};

// How two answers compare, and what is left to ask.
struct rt_review_result {
    size_t items;
    size_t rated;    // by two raters or more
    size_t agreed;   // of those, both questions answered alike by the first two
    size_t decided;  // disagreements that a third rater has decided
    size_t same;     // rated (and decided) as the same facts and demand
    size_t not_same; // ... as different
    double kappa;    // Cohen's, of "the same in both" by the first two raters; NAN where undefined
};

enum rt_status rt_reviews_read(struct rt_bytes text, struct rt_arena *arena,
                               struct rt_reviews *ret_reviews, struct rt_error *err) RT_WARN_UNUSED;
void rt_reviews_write(const struct rt_reviews *reviews, struct rt_buf *out);

// Every pair of a loaded bench, in document order; in arena. Null pairs are left out.
enum rt_status rt_review_items(const struct rt_bench *bench, struct rt_arena *arena,
                               struct rt_review_item **ret_items, size_t *ret_count) RT_WARN_UNUSED;

// The pairs that this rater has yet to answer, each as its place in items, in an order of the
// rater's own: of a first or second rater all; of a third those on which the first two differ. out
// has room for count.
size_t rt_review_left(const struct rt_reviews *reviews, const struct rt_review_item *items,
                      size_t count, const char *rater, size_t *out);

// The verdict on one pair: 1 the same, 0 not, -1 not decided.
int rt_review_verdict(const struct rt_reviews *reviews, const char *key);

void rt_review_result(const struct rt_reviews *reviews, const struct rt_review_item *items,
                      size_t count, struct rt_review_result *ret_result);

#endif
