// SPDX-License-Identifier: Apache-2.0
// What a recount remembers for ratings: which labels a trial has already, and which leaves say
// something of a trial that does not count. For fsck and the auditor, who read the log from its
// beginning; the coordinator keeps the same in its store. Memory follows the rated and the doubly
// reported trials. Owns its memory; one thread.
#ifndef RT_PROTO_RATING_BOOK_H
#define RT_PROTO_RATING_BOOK_H

#include "proto/rating.h"

struct rt_rating_entry {
    uint64_t group; // campaign and lab, as the caller numbers them; UINT64_MAX: empty
    uint64_t number;
    uint64_t leaf; // of a spare
    struct rt_rating_label label;
    bool spare;
};

// All zero is an empty book.
struct rt_rating_book {
    struct rt_rating_entry *entries; // open addressing by group and number
    size_t size, used;
    uint64_t labels, spares;
};
void rt_rating_book_release(struct rt_rating_book *book);

// This leaf's result does not count for the trial.
enum rt_status rt_rating_book_spare(struct rt_rating_book *book, uint64_t group, uint64_t number,
                                    uint64_t leaf) RT_WARN_UNUSED;
bool rt_rating_book_is_spare(const struct rt_rating_book *book, uint64_t group, uint64_t number,
                             uint64_t leaf);
enum rt_status rt_rating_book_add(struct rt_rating_book *book, uint64_t group, uint64_t number,
                                  const struct rt_rating_label *label) RT_WARN_UNUSED;
// The labels of a trial, at most RT_RATERS_MOST; returns how many.
size_t rt_rating_book_labels(const struct rt_rating_book *book, uint64_t group, uint64_t number,
                             struct rt_rating_label *ret_labels);

#endif
