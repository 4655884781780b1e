// SPDX-License-Identifier: Apache-2.0
// A recount: which result of each trial counts, by the one rule of proto/counting.h, and how many
// trials agree in everything a report looks at. Memory follows the trials that were reported on
// (four bytes each, more while an error stands) and the cells. One thread.
#ifndef RT_AUDITOR_TALLY_H
#define RT_AUDITOR_TALLY_H

#include "proto/study.h"

#define RT_TALLY_CHUNK 8192 // positions

struct rt_tally_tentative {
    struct rt_count count;
    struct rt_facts_cell cell; // what it adds: count 1
};

struct rt_tally_lab {
    uint64_t total;    // planned trials
    uint32_t **chunks; // position → 0: nothing; RT_TALLY_FINAL; else place of a tentative, plus one
    uint64_t final;
    uint64_t tentative; // last word is an error or a timeout
    struct rt_study_counters counters;
};
#define RT_TALLY_FINAL UINT32_MAX

struct rt_tally {
    struct rt_tally_lab *labs;
    size_t lab_count;
    struct rt_tally_tentative *tentatives;
    size_t tentative_count, tentative_room;
    uint32_t *free; // places of tentatives that are used again
    size_t free_count, free_room;
    struct rt_facts_cell *cells; // open addressing until rt_tally_finish
    size_t cell_count, cell_capacity;
};

// totals: planned trials of each lab.
enum rt_status rt_tally_init(struct rt_tally *tally, const uint64_t *totals,
                             size_t lab_count) RT_WARN_UNUSED;
void rt_tally_release(struct rt_tally *tally);

// One trial of a result, in log order. cell says where it belongs and what it adds (count 1).
// RT_OUT_OF_RANGE for a position that is not the lab's. ret_spare (may be NULL): it does not count.
enum rt_status rt_tally_add(struct rt_tally *tally, uint64_t position,
                            const struct rt_arrival *arrival,
                            const struct rt_facts_cell *cell, bool *ret_spare) RT_WARN_UNUSED;
// What another rater's label adds.
enum rt_status rt_tally_add_cell(struct rt_tally *tally,
                                 const struct rt_facts_cell *cell) RT_WARN_UNUSED;

enum rt_standing rt_tally_standing(const struct rt_tally *tally, uint32_t lab, uint64_t position);

// The cells with trials, moved to the front of tally->cells; nothing can be added afterwards.
void rt_tally_finish(struct rt_tally *tally);

#endif
