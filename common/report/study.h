// SPDX-License-Identifier: Apache-2.0
// A study: labels and counts, everything a report is computed from and nothing else. It knows
// nothing of campaigns, keys or logs; whoever has trials (the coordinator's cells, an auditor's
// recount, a tidy table) builds one through this file, seals it and hands it to the report model.
// Never reads a clock or a disk. All memory is in the caller's arena; one thread builds, any number
// may read once it is sealed.
#ifndef RT_REPORT_STUDY_H
#define RT_REPORT_STUDY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/status.h"
#include "common/report/incidents.h"

// No level of this factor: a trial without outcome, without known fingerprint, no reference arm.
#define RT_STUDY_NONE UINT32_MAX
// Most levels of any factor, most bytes of a label, most (condition, lab) places of a study.
#define RT_STUDY_LEVELS_MAX  65536
#define RT_STUDY_SCORE_MAX   1e6                 // a score's absolute value, so that exact sums fit
#define RT_STUDY_SCORES_MOST ((uint64_t)9000000) // scores of one cell, for the same reason
#define RT_STUDY_LABEL_MAX   256
#define RT_STUDY_PLACES_MAX  ((uint64_t)1 << 24)

struct rt_study_pair {
    const char *name;
    const char *value;
};

struct rt_study_subject {
    const char *id;
    const char *family; // "" where unknown, as the next two
    const char *revision;
    const char *weights;
    bool synthetic; // an embedded stand-in: every rendering says so
};

enum rt_study_role { RT_STUDY_TREATMENT, RT_STUDY_INERT };

struct rt_study_arm {
    const char *id;
    enum rt_study_role role;
    uint32_t inert_of; // the treatment arm an inert arm belongs to; RT_STUDY_NONE for treatments
};

// What a known-answer scenario must show; UNKNOWN for ordinary scenarios.
enum rt_study_answer { RT_STUDY_UNKNOWN, RT_STUDY_BEHAVIOUR, RT_STUDY_NO_BEHAVIOUR };

struct rt_study_scenario {
    const char *id;
    const char *title;
    enum rt_study_answer known;
};

struct rt_study_phrasing {
    const char *id;
    const char *language; // "" where unknown
    uint32_t same_as;     // the phrasing this one repeats word for word (null pair), or NONE
};

enum rt_study_lab_state {
    RT_STUDY_LAB_OPEN,        // still running, or nobody said it ended
    RT_STUDY_LAB_COMPLETED,   // signed its own close
    RT_STUDY_LAB_WITHDREW,    // signed its own withdrawal
    RT_STUDY_LAB_NO_RESPONSE, // the coordinator said so after the deadline
    RT_STUDY_LAB_DECLINED,    // never accepted the study
};

// What arrived from a lab and was not added to a cell.
struct rt_study_counters {
    uint64_t late;
    uint64_t invalid;
    uint64_t duplicate;
    uint64_t retried;
};

struct rt_study_lab {
    const char *id;
    const char *organisation; // "" where unknown
    const char *note;         // why it withdrew, why it is quarantined ...; "" for none
    const char *cause;        // a cause somebody found and recorded; "" for none
    enum rt_study_lab_state state;
    bool late; // joined after the start
    bool quarantined;
    struct rt_study_counters counters;
};

// What labels the trials: deterministic rules, a judge model, people.
enum rt_study_rater_kind { RT_STUDY_RULES, RT_STUDY_JUDGE, RT_STUDY_HUMAN };

struct rt_study_rater {
    const char *id;
    bool primary; // exactly one
    enum rt_study_rater_kind kind;
};

struct rt_study_outcome {
    const char *label;
    uint32_t severity; // 0..4
    bool behaviour;
};

// What a status means for a rate (DESIGN.md section 2). COUNTED and SILENT are in the denominator;
// only COUNTED trials can show the behaviour. WITHHELD and FAILED trials are missing.
enum rt_study_status_kind {
    RT_STUDY_COUNTED,  // ok
    RT_STUDY_SILENT,   // not_exposed, truncated, bad_format: the model's own doing
    RT_STUDY_WITHHELD, // the lab keeps it back
    RT_STUDY_FAILED,   // error, timeout: the instrument's doing, after the last attempt
};

struct rt_study_status {
    const char *label;
    enum rt_study_status_kind kind;
};

// What served the subject. pairs are sorted by name; canaries are named "canary.x", effective
// parameters "parameter.x", everything else as in the fingerprint object ("server",
// "quantisation").
struct rt_study_fingerprint {
    const char *digest; // text, "sha256:..." or whatever the source calls it
    const struct rt_study_pair *pairs;
    size_t pair_count;
};

// A condition: what a trial is apart from lab and replicate. Indices into the factors.
struct rt_study_condition {
    uint32_t subject;
    uint32_t arm;
    uint32_t scenario;
    uint32_t phrasing;
    uint32_t temperature;
};

struct rt_study_cell {
    struct rt_study_condition condition;
    uint32_t lab;
    uint32_t rater;
    uint32_t fingerprint; // or RT_STUDY_NONE
    uint32_t outcome;     // or RT_STUDY_NONE
    uint32_t severity;    // 0..4
    uint32_t status;
    uint64_t count;
    uint64_t repeated; // of count: output identical to an earlier trial of its condition and lab
    int64_t score_sum_micro;   // exact
    uint64_t score_squares[2]; // exact sum of squares in micro^2, low and high word; 0: not known
};

// How one rater labelled a trial: a status, and an outcome or RT_STUDY_NONE.
struct rt_study_said {
    uint32_t rater;
    uint32_t status;
    uint32_t outcome;
};

// Trials that two raters labelled so. a.rater == b.rater: two people who rated blind for the same
// rater, the first one's word and the second one's. Several may have the same labels.
struct rt_study_joint {
    struct rt_study_condition condition;
    uint32_t lab;
    struct rt_study_said a, b;
    uint64_t count;
};

enum rt_study_measure { RT_STUDY_RISK_DIFFERENCE, RT_STUDY_PREVALENCE };
// WITHIN: nearer to zero than the threshold, on either side.
enum rt_study_claim {
    RT_STUDY_ABOVE,
    RT_STUDY_AT_LEAST,
    RT_STUDY_BELOW,
    RT_STUDY_AT_MOST,
    RT_STUDY_WITHIN
};

struct rt_study_hypothesis {
    const char *id;
    bool primary;
    uint32_t subject;
    enum rt_study_measure measure;
    uint32_t arm;       // target arm; NONE with PREVALENCE: all treatment arms
    uint32_t reference; // reference arm of a RISK_DIFFERENCE, else NONE
    enum rt_study_claim claim;
    double threshold;
    bool has_margin;
    double margin; // RISK_DIFFERENCE: differences inside +- margin count as none
    bool has_original;
    double original_estimate;
    double original_se;
    const char *original_source;
};

// The preregistered analysis. Nothing here has a silent default: has_* says what was registered.
struct rt_study_plan {
    const struct rt_study_hypothesis *hypotheses;
    size_t hypothesis_count;
    bool has_tau_at_most;
    double tau_at_most; // the upper Q-profile limit of tau is compared with it
    bool has_sigma_pt;
    double sigma_pt;
    uint32_t verdict_threshold_micro; // 500000 unless registered otherwise
    double confidence;                // 0.95
    uint32_t bootstrap;               // replicates; 0: none registered
    uint64_t bootstrap_seed;          // fixed before the first trial
    const char *multiplicity;         // "holm"
    bool registered;                  // false: no plan came with the data
};

struct rt_study_label; // private to study.c

// The arrays are read-only for everybody but the builder below; counts are valid at any time.
struct rt_study {
    struct rt_arena *arena;
    const char *id;
    const char *title; // the question, as people read it
    bool phrasings_nested;
    bool plan_known;    // planned numbers were given; else planned = received
    bool repeats_known; // cells say how many outputs repeat an earlier one
    bool scores;        // trials are scores, not outcomes: means instead of rates
    bool sealed;

    struct rt_study_subject *subjects;
    struct rt_study_arm *arms;
    struct rt_study_scenario *scenarios;
    struct rt_study_phrasing *phrasings;
    int64_t *temperatures_micro; // ascending
    struct rt_study_lab *labs;
    struct rt_study_rater *raters;
    struct rt_study_outcome *outcomes;
    struct rt_study_status *statuses;
    struct rt_study_fingerprint *fingerprints;
    struct rt_study_cell *cells; // once sealed: canonical order, no two with the same labels
    struct rt_study_joint *joints; // in no order; nothing may depend on one
    size_t joint_count, joint_room;
    struct rt_study_pair *provenance;
    const struct rt_study_incident *incidents; // in the study's arena; set before or after the seal
    size_t incident_count;
    size_t subject_count, arm_count, scenario_count, phrasing_count, temperature_count, lab_count,
        rater_count, outcome_count, status_count, fingerprint_count, cell_count, provenance_count;

    struct rt_study_plan plan;

    uint64_t *planned; // [condition place * lab_count + lab]; NULL where plan_known is false

    // The builder's own.
    size_t subject_room, arm_room, scenario_room, phrasing_room, lab_room, rater_room, outcome_room,
        status_room, fingerprint_room, cell_room, provenance_room;
    struct rt_study_label *label_index; // open addressing over all labels
    size_t label_index_size, label_count;
    uint32_t *cell_index; // open addressing, cell number + 1
    size_t cell_index_size;
};

// ---- building, in this order: init, factors (any order), temperatures, plan and planned numbers
// and cells (any order), seal. Every text is copied. All return RT_OUT_OF_RANGE for an index or a
// number outside its range, RT_MALFORMED for a label that is empty, longer than
// RT_STUDY_LABEL_MAX, not UTF-8 or has control characters, RT_EXISTS for an id that is there
// already, RT_TOO_LARGE beyond the bounds above, RT_NO_MEMORY.

// id names the study (a campaign's name), title asks the question. arena outlives the study.
enum rt_status rt_study_init(struct rt_study *study, struct rt_arena *arena, const char *id,
                             const char *title) RT_WARN_UNUSED;

// The structs' own texts are borrowed for the call only. ret_index may be NULL.
enum rt_status rt_study_add_subject(struct rt_study *study, const struct rt_study_subject *subject,
                                    uint32_t *ret_index) RT_WARN_UNUSED;
enum rt_status rt_study_add_arm(struct rt_study *study, const struct rt_study_arm *arm,
                                uint32_t *ret_index) RT_WARN_UNUSED;
enum rt_status rt_study_add_scenario(struct rt_study *study,
                                     const struct rt_study_scenario *scenario,
                                     uint32_t *ret_index) RT_WARN_UNUSED;
enum rt_status rt_study_add_phrasing(struct rt_study *study,
                                     const struct rt_study_phrasing *phrasing,
                                     uint32_t *ret_index) RT_WARN_UNUSED;
enum rt_status rt_study_add_lab(struct rt_study *study, const struct rt_study_lab *lab,
                                uint32_t *ret_index) RT_WARN_UNUSED;
enum rt_status rt_study_add_rater(struct rt_study *study, const char *id, bool primary,
                                  uint32_t *ret_index) RT_WARN_UNUSED;
enum rt_status rt_study_add_outcome(struct rt_study *study, const struct rt_study_outcome *outcome,
                                    uint32_t *ret_index) RT_WARN_UNUSED;
enum rt_status rt_study_add_status(struct rt_study *study, const struct rt_study_status *status,
                                   uint32_t *ret_index) RT_WARN_UNUSED;
// pairs in any order; copied and sorted. RT_CONFLICT where a name comes twice.
enum rt_status rt_study_add_fingerprint(struct rt_study *study, const char *digest,
                                        const struct rt_study_pair *pairs, size_t pair_count,
                                        uint32_t *ret_index) RT_WARN_UNUSED;
// Once, all of them, in any order and with repetitions; kept ascending. Micro-units, 0..10^9.
enum rt_status rt_study_set_temperatures(struct rt_study *study, const int64_t *micro,
                                         size_t count) RT_WARN_UNUSED;
// A line of provenance ("campaign", "sha256:..."). Names are unique; printed in the order given.
// Allowed after the seal too, since no figure depends on it.
enum rt_status rt_study_add_provenance(struct rt_study *study, const char *name,
                                       const char *value) RT_WARN_UNUSED;
// The whole plan, copied; indices must exist already.
enum rt_status rt_study_set_plan(struct rt_study *study,
                                 const struct rt_study_plan *plan) RT_WARN_UNUSED;
// n more trials are planned for this condition at this lab. After all factors.
enum rt_status rt_study_add_planned(struct rt_study *study,
                                    const struct rt_study_condition *condition, uint32_t lab,
                                    uint64_t n) RT_WARN_UNUSED;
// Counts are added to the cell with the same labels where there is one. After all factors.
enum rt_status rt_study_add_cell(struct rt_study *study,
                                 const struct rt_study_cell *cell) RT_WARN_UNUSED;
// Trials that two raters labelled. After all factors. (study_joint.c)
enum rt_status rt_study_add_joint(struct rt_study *study,
                                  const struct rt_study_joint *joint) RT_WARN_UNUSED;
// Checks the whole (one primary rater, inert arms name treatments, ...: RT_MALFORMED) and puts the
// cells in canonical order. Nothing can be added afterwards.
enum rt_status rt_study_seal(struct rt_study *study) RT_WARN_UNUSED;

// to += more, both low and high word. False (and to as it was) beyond 2^128.
bool rt_study_add_squares(uint64_t to[2], const uint64_t more[2]);

// ---- reading

// Index by label, or RT_STUDY_NONE.
uint32_t rt_study_find_subject(const struct rt_study *study, const char *id);
uint32_t rt_study_find_arm(const struct rt_study *study, const char *id);
uint32_t rt_study_find_scenario(const struct rt_study *study, const char *id);
uint32_t rt_study_find_phrasing(const struct rt_study *study, const char *id);
uint32_t rt_study_find_lab(const struct rt_study *study, const char *id);
uint32_t rt_study_find_rater(const struct rt_study *study, const char *id);
uint32_t rt_study_find_outcome(const struct rt_study *study, const char *label);
uint32_t rt_study_find_status(const struct rt_study *study, const char *label);
uint32_t rt_study_find_fingerprint(const struct rt_study *study, const char *digest);
uint32_t rt_study_find_temperature(const struct rt_study *study, int64_t micro);

// How many places (conditions) there are: subjects x arms x scenarios x phrasings x temperatures,
// subject-major in that order, and the place of a condition.
size_t rt_study_places(const struct rt_study *study);
size_t rt_study_place(const struct rt_study *study, const struct rt_study_condition *condition);
// Planned trials; 0 where no plan is known.
uint64_t rt_study_planned(const struct rt_study *study, const struct rt_study_condition *condition,
                          uint32_t lab);
uint32_t rt_study_primary_rater(const struct rt_study *study);
// "completed", "withdrew", "no response", "declined", "open".
const char *rt_study_lab_state_text(enum rt_study_lab_state state);
// ">", ">=", "<", "<=", "within".
const char *rt_study_claim_text(enum rt_study_claim claim);

#endif
