// SPDX-License-Identifier: Apache-2.0
// The whole store against itself: every leaf against its hash, every hash against the tree, every
// object against its name, every statement where its digest says; then the log replayed from its
// first leaf by the rule "What counts" (proto/counting.h), and bitmaps, cells, counters and states
// compared with what came out. Changes nothing. One thread; memory grows with the trials that were
// touched. Signatures are the caller's to check, through a callback.
#ifndef RT_STORE_FSCK_H
#define RT_STORE_FSCK_H

#include "coordinator/store/store.h"
#include "proto/statement.h"

struct rt_fsck {
    // The decoded campaign of a digest, as in rt_store_load.
    rt_store_campaign_fn *find;
    // May this statement stand here, signatures included? index is its leaf; UINT64_MAX for the
    // statement of a unit. NULL: signatures are not looked at.
    enum rt_status (*verify)(void *ctx, uint64_t index, const struct rt_statement *statement);
    // Told each thing that is wrong: one line that names the place. May be NULL.
    void (*finding)(void *ctx, const char *text);
    // Told now and then how far it is, in leaves. May be NULL.
    void (*progress)(void *ctx, uint64_t done, uint64_t total);
    void *ctx; // handed to all of them
};

struct rt_fsck_report {
    uint64_t leaves;
    uint64_t nodes;
    uint64_t objects; // units included
    uint64_t results; // unit-result pairs
    uint64_t trials;  // results of single trials in them
    uint64_t counted; // trials that count
    uint64_t cells;
    uint64_t findings;
};

// RT_OK when nothing is wrong, RT_CORRUPT with findings told otherwise; other statuses when it
// could not be done.
enum rt_status rt_store_fsck(struct rt_store *store, const struct rt_fsck *fsck,
                             struct rt_fsck_report *ret_report,
                             struct rt_error *err) RT_WARN_UNUSED;

#endif
