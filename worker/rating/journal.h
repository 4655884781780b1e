// SPDX-License-Identifier: Apache-2.0
// What a rater has said so far, as lines of JSON in a file that only grows, so that a rater can
// stop at any time and go on later, and nothing is asked twice. A line is durable when
// rt_journal_add returns; a torn last line is left out. One process a file (it is locked).
#ifndef RT_WORKER_RATING_JOURNAL_H
#define RT_WORKER_RATING_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"
#include "proto/counting.h"

struct rt_journal_line {
    uint64_t trial;
    char by[65]; // the person; "" for a judge
    enum rt_trial_status status;
    uint32_t label;
    uint32_t confidence_micro;
    bool sent; // handed in with an earlier batch
};

struct rt_journal {
    int fd;
    struct rt_journal_line *lines;
    size_t count, room;
    size_t *slots; // by trial: 1 + the place of a line, 0 free; twice as many as room
};

// label_count is the campaign's: a line with another label is none of its raters'. RT_BUSY where
// another process has the file, RT_CORRUPT names the line.
enum rt_status rt_journal_open(const char *path, uint32_t label_count,
                               struct rt_journal *ret_journal, struct rt_error *err) RT_WARN_UNUSED;
void rt_journal_close(struct rt_journal *journal);
enum rt_status rt_journal_add(struct rt_journal *journal, const struct rt_journal_line *line,
                              struct rt_error *err) RT_WARN_UNUSED;
// Every line so far has been handed in.
enum rt_status rt_journal_sent(struct rt_journal *journal, struct rt_error *err) RT_WARN_UNUSED;
// The first line of a trial by that person, or NULL. Constant time.
const struct rt_journal_line *rt_journal_find(const struct rt_journal *journal, uint64_t trial,
                                              const char *by);

// Parse one line into *ret_line; a mark of sending sets ret_sent and nothing else. RT_MALFORMED.
enum rt_status rt_journal_parse(const char *text, size_t size, struct rt_journal_line *ret_line,
                                bool *ret_sent) RT_WARN_UNUSED;

#endif
