// SPDX-License-Identifier: Apache-2.0
// From a campaign to a study: what the log of a campaign amounts to, said in the campaign's own
// terms, becomes the labels and counts a report is computed from. The coordinator fills the facts
// from its cells, an auditor from a recount of every result; the same facts give the same study and
// so the same report, to the byte. Knows neither side. Pure but for the arena; one thread.
#ifndef RT_PROTO_STUDY_H
#define RT_PROTO_STUDY_H

#include "common/report/study.h"
#include "proto/campaign.h"
#include "proto/counting.h"
#include "proto/incident.h"
#include "proto/message.h"
#include "proto/object.h"
#include "proto/object_rating.h"
#include "proto/roster.h"

// One lab of the campaign. Every figure follows from the log alone: `late` and `duplicate` trials
// as rt_count_step says, `retried` those that took the place of an earlier error or timeout,
// `invalid` results in the log that do not match their unit (none in a log whose coordinator did
// its work; what it refused never entered the log).
struct rt_facts_lab {
    enum rt_study_lab_state state;
    bool accepted;
    bool late;          // accepted after the start
    const char *reason; // of its withdrawal or of a no-response; "" for none
    struct rt_study_counters counters;
};

// Counted trials that agree in all of these; several cells may have the same labels.
struct rt_facts_cell {
    uint32_t prompt;
    uint32_t configuration;
    uint32_t lab;         // index in the campaign
    uint32_t fingerprint; // index in rt_facts.fingerprints
    uint32_t outcome;     // index in the taxonomy; counts only where status is ok
    uint32_t severity;
    enum rt_trial_status status;
    uint32_t rater;        // 0: the rules; else 1 + place in rt_facts.raters
    uint32_t beside;       // 0, or a joint cell of proto/rating.h
    uint32_t beside_label; // status * 256 + outcome of that rater
    uint64_t count; // 0: ignored
    uint64_t same_as;
    int64_t score_micro;
};

struct rt_facts_fingerprint {
    struct rt_digest digest;
    const struct rt_object_fingerprint *object;
};

struct rt_facts_rater {
    enum rt_rater_kind kind;
    const char *id;
};

struct rt_facts {
    const struct rt_campaign *campaign;
    const struct rt_roster *roster;  // the one the campaign was compiled against
    const struct rt_facts_lab *labs; // one a lab of the campaign, in its order
    const struct rt_facts_cell *cells;
    size_t cell_count;
    const struct rt_facts_rater *raters; // besides the rules, in log order
    size_t rater_count;
    const struct rt_facts_fingerprint *fingerprints; // any order; those without trials are left out
    size_t fingerprint_count;

    const struct rt_incident_book *noted; // incidents and releases; NULL: none

    // The log these facts were read from, and where in it the campaign stands.
    const char *origin;
    uint64_t size;
    struct rt_digest root;
    uint64_t campaign_index;
    int64_t registered_ms;
    enum rt_offer_state state;
    bool started;
    uint64_t start_index; // these three when started
    int64_t started_ms;
    struct rt_digest draw;
};

// Build the study in arena and seal it. RT_CONFLICT when an arm has different roles in different
// scenarios, RT_OUT_OF_RANGE for a cell outside the campaign, RT_CORRUPT when the plan's numbers do
// not add up, RT_TOO_LARGE, RT_NO_MEMORY.
enum rt_status rt_facts_study(const struct rt_facts *facts, struct rt_arena *arena,
                              struct rt_study *ret_study) RT_WARN_UNUSED;

#endif
