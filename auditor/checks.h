// SPDX-License-Identifier: Apache-2.0
// The table of checks that `verify` answers: one clause a row, how many things were looked at, and
// what was found wrong and where. Only keeps and prints; the deciding is done elsewhere. One
// thread.
#ifndef RT_AUDITOR_CHECKS_H
#define RT_AUDITOR_CHECKS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base/bytes.h"

// kind: NEEDED fails when nothing was looked at; OPTIONAL may stay empty; TRUST is the reader's
// policy and not authenticity; COMPLETE says authentic but incomplete.
//  X(NAME, clause, kind, what it says)
#define RT_CHECK_TABLE(X)                                                                          \
    X(LAYOUT, "layout", NEEDED, "the folder holds what a bundle has, and nothing else")            \
    X(CHECKPOINT, "checkpoint", NEEDED, "the checkpoint is signed by the key of the log")          \
    X(TRUST, "trust", TRUST, "that log is one the reader trusts")                                  \
    X(TREE, "tree", NEEDED, "the stored tiles and the root are those of the leaves")               \
    X(LEAVES, "leaves", NEEDED, "every leaf is a statement to the byte, in time, and new")         \
    X(ROSTERS, "rosters", NEEDED, "each roster follows the one before, by both thresholds")        \
    X(SIGNATURES, "signatures", NEEDED, "every signature is by a key that may say this, then")     \
    X(ORDER, "order", NEEDED, "plan, accepts, start, units, results: each names what it follows")  \
    X(OBJECTS, "objects", NEEDED, "every object has its digest's name, is named, and is there")    \
    X(DOCUMENTS, "documents", NEEDED, "campaign, bench and scenarios are what was registered")     \
    X(UNITS, "units", OPTIONAL, "every unit was dealt by the coordinator to that lab")             \
    X(RESULTS, "results", OPTIONAL, "every result answers its unit, trial by trial")               \
    X(RATINGS, "ratings", OPTIONAL, "every rating is of results that the log has, as it has them") \
    X(INCIDENTS, "incidents", OPTIONAL, "every step of an incident or grant may follow, then")     \
    X(CLOSES, "closes", OPTIONAL, "what each lab signed at its end is what the log has of it")     \
    X(COMPLETE, "complete", COMPLETE, "every lab has closed, left, or been given up in time")      \
    X(WHOLE, "whole", COMPLETE, "nothing that the campaign names was left out of the bundle")      \
    X(RECEIPTS, "receipts", OPTIONAL, "every receipt given is for a leaf of this log")             \
    X(REPORT, "report", NEEDED, "report.json is what the results give, byte for byte")             \
    X(PAGE, "page", NEEDED, "report.html says the same, byte for byte")                            \
    X(KEYS, "keys", NEEDED, "keys/ and README.txt say what the log and the format say")            \
    X(MANIFEST, "manifest", NEEDED, "the manifest is of these files, signed by an operator")

enum rt_check {
#define X(NAME, clause, kind, says) RT_CHECK_##NAME,
    RT_CHECK_TABLE(X)
#undef X
        RT_CHECK_COUNT
};

#define RT_CHECK_FINDINGS_MOST 8 // kept of each clause; the rest are counted
#define RT_CHECK_PLACE_BYTES   256
#define RT_CHECK_TEXT_BYTES    256

struct rt_check_finding {
    char place[RT_CHECK_PLACE_BYTES]; // "log index 17", "objects/ab/cd…"
    char text[RT_CHECK_TEXT_BYTES];
};

struct rt_check_row {
    uint64_t looked_at;
    uint64_t failures;
    struct rt_check_finding findings[RT_CHECK_FINDINGS_MOST];
    char note[RT_CHECK_TEXT_BYTES]; // said beside a clause that holds; "" for none
};

struct rt_checks {
    struct rt_check_row rows[RT_CHECK_COUNT];
    bool mirror; // of a log alone: what only a whole bundle has may be missing
};

void rt_checks_init(struct rt_checks *checks);
// One more thing was looked at under this clause.
void rt_checks_look(struct rt_checks *checks, enum rt_check check);
// It is wrong at place. Control characters, and bytes that are no UTF-8, are replaced in both.
void rt_checks_fail(struct rt_checks *checks, enum rt_check check, const char *place,
                    const char *format, ...) RT_PRINTF(4, 5);
void rt_checks_note(struct rt_checks *checks, enum rt_check check, const char *format, ...)
    RT_PRINTF(3, 4);

bool rt_checks_hold(const struct rt_checks *checks, enum rt_check check);
// RT_CHECK_FAILED unless every clause of authenticity holds; then RT_POLICY, then RT_INCOMPLETE,
// then RT_OK.
enum rt_status rt_checks_verdict(const struct rt_checks *checks);
const char *rt_check_clause(enum rt_check check);

// The table as lines of text, and as an array of JSON objects (NULL when out of memory).
void rt_checks_print(const struct rt_checks *checks, struct rt_buf *out);
json_t *rt_checks_json(const struct rt_checks *checks);

#endif
