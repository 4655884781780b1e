// SPDX-License-Identifier: Apache-2.0
// The coordinator's scheduler as a pure state machine: an event that carries the time goes in, a
// bounded list of things to persist and to send comes out (DESIGN.md sections 5, 7 and 8). It knows
// campaigns, labs, instances, credits, leases and which trials are final; it never reads a clock, a
// socket or a disk, never hashes or signs, and never logs. What it decides must be applied by the
// shell in order and committed before anything is sent; when a commit fails the core is thrown away
// and loaded again from the store under a new epoch. One thread.
#ifndef RT_CORE_CORE_H
#define RT_CORE_CORE_H

#include "common/base/bytes.h"
#include "common/crypto/hash.h"
#include "proto/message.h"
#include "proto/rating.h"
#include "proto/statement.h"

struct rt_campaign; // proto/campaign.h

// ---- bounds (every one is enforced; beyond them an event is refused, never half done)

#define RT_CORE_CAMPAIGNS_MOST        64
#define RT_CORE_NAMES_MOST            1024 // labs known by name
#define RT_CORE_INSTANCES_MOST        4096 // worker instances, all labs
#define RT_CORE_RUNS_MOST             8    // runs in a unit it issues
#define RT_CORE_FINGERPRINTS_MOST     65536
#define RT_CORE_LAB_FINGERPRINTS_MOST 1024                // new ones of one lab in one epoch
#define RT_CORE_POSITIONS_MOST        (UINT64_C(1) << 36) // a lab's trials in one campaign
#define RT_CORE_CHUNK_POSITIONS       8192                // positions a bitmap chunk covers
#define RT_CORE_CHUNK_BYTES           (RT_CORE_CHUNK_POSITIONS / 8)
#define RT_CORE_ALL_LABS              UINT32_MAX

struct rt_core_limits {
    uint32_t leases_most;     // outstanding units, all labs (65,536)
    uint32_t lab_leases_most; // outstanding units of one lab in one campaign (4,096)
    uint32_t tentative_most;  // trials of one lab in one campaign whose last word is an error
                              // (262,144): above it the lab gets nothing new
    int64_t gather_ms;        // after a restart, how long a lab with several instances waits for
                              // all of them to say HELLO (120,000)
    int64_t silent_ms;        // an instance not heard of for so long counts as gone (60,000;
                              // 0: never); when it speaks again it is asked for a HELLO
};
void rt_core_limits_default(struct rt_core_limits *limits);

// ---- what is persisted, as the store keeps it and feeds it back

struct rt_core_campaign_row {
    uint32_t index; // campaigns are numbered in log order
    struct rt_digest digest;
    enum rt_offer_state state; // CLOSED: every lab has closed, withdrawn or not responded
    uint64_t leaf_index;       // of the campaign statement
    uint64_t seq;              // the operator's last sequence number
    bool drawn;                // started at least once: draw is fixed
    struct rt_digest draw;
    int64_t registered_ms;
    int64_t started_ms;        // 0: never
    int64_t close_deadline_ms; // 0: not closing
};

enum rt_core_lab_state {
    RT_LAB_INVITED = 0, // has not accepted
    RT_LAB_ACCEPTED = 1,
    RT_LAB_CLOSED = 2,
    RT_LAB_WITHDRAWN = 3,
    RT_LAB_NO_RESPONSE = 4,
};

struct rt_core_lab_row {
    uint32_t campaign;
    uint32_t lab; // index in the campaign's list of labs
    enum rt_core_lab_state state;
    struct rt_digest accept; // statement digest of the lab's accept; zero before it
    uint64_t accept_index;   // its leaf
    int64_t changed_ms;
    bool held; // what serves a subject there has changed, and no operator has lifted the hold yet
};

// One cell: all counted trials that agree in these. rater 0 is `rules`. beside and beside_label are
// 0 but in joint cells (proto/rating.h).
struct rt_cell_key {
    uint32_t campaign;
    uint32_t prompt;
    uint32_t configuration;
    uint32_t lab;
    uint32_t fingerprint; // index of the serving fingerprint, numbered in log order
    uint16_t rater;
    uint16_t outcome; // index in the taxonomy
    uint8_t severity;
    uint8_t status; // enum rt_trial_status
    uint16_t beside;
    uint16_t beside_label;
};

// Exact sums over a cell's trials; in a delta every member may be negative.
struct rt_cell_sum {
    int64_t count;
    int64_t same_as; // trials whose output equals an earlier one of the cell
    int64_t score_micro;
    int64_t tokens_in;
    int64_t tokens_out;
    int64_t latency_ms;
};

// A trial whose last word is an error: what it adds to which cell until something better arrives.
struct rt_core_tentative {
    uint32_t attempts;
    struct rt_cell_key key;
    struct rt_cell_sum sum;
};

// A rater of a campaign, numbered in log order from 1 on.
struct rt_core_rater {
    uint32_t campaign;
    uint16_t index;
    uint8_t kind; // enum rt_rater_kind
    char id[65];
};

// What a report says about a lab besides its cells; deltas in effects, sums in the store. late,
// duplicate and retried follow from the log alone, so that an auditor finds the same numbers.
struct rt_core_counters {
    int64_t late;      // trials that arrived after accept_until and do not count
    int64_t duplicate; // trials that had a counted result already
    int64_t invalid;   // refused results
    int64_t retried;   // results that took the place of an earlier error or timeout
    int64_t reissued;  // trials put back because their unit was lost, returned or overdue
};

// ---- events

enum rt_core_event_kind {
    RT_CORE_HELLO,
    RT_CORE_WANT,
    RT_CORE_RESULT,
    RT_CORE_RETURN,
    RT_CORE_PULSE,
    RT_CORE_DISCONNECT,
    RT_CORE_TICK,
    RT_CORE_RATING,
    RT_CORE_CAMPAIGN, // verified statements from here on
    RT_CORE_ACCEPT,
    RT_CORE_STATE,
    RT_CORE_LIFT, // `lab` is the one the statement names, `state.seq` as of STATE
    RT_CORE_NOTED, // incident, release, revoke; `state.seq` as of STATE, 0 where the kind has none
    RT_CORE_CLOSE,
    RT_CORE_WITHDRAW,
    RT_CORE_ROSTER,
};

// A unit in a worker's inventory. The core knows the units it issued since it was loaded by digest
// alone (rt_core_knows_unit); for others the shell adds the object from the store when it has it.
struct rt_core_held {
    struct rt_digest digest;
    const struct rt_object_unit *unit; // NULL: not found in the store
};

// One pair of a result statement. Both digests in the statement have been recomputed from the
// bytes.
struct rt_core_pair {
    struct rt_digest unit_digest;
    const struct rt_object_unit *unit;
    const struct rt_object_result *result;
    bool unit_verified; // the unit statement bears the coordinator's valid signature (needed only
                        // where rt_core_knows_unit is false)
    bool fingerprint_given; // the fingerprint object is in the message, decoded, and is the one
                            // named
    // What a fingerprint that is given stands for (rt_fingerprint_parts).
    const struct rt_fingerprint_part *parts;
    size_t part_count;
};

// One trial of a rating, with what the store has of it. The shell has found it in the leaf it names
// (rt_rating_find) and read the rows.
struct rt_core_rated {
    const struct rt_rated_trial *rated;
    struct rt_digest fingerprint;        // of the result it is in
    bool spare;                          // that result does not count for this trial
    const struct rt_rating_label *known; // the result's own label, then those of earlier raters
    size_t known_count;
};

// time_ms is the wall clock; the shell passes the time it will log as `received` and never lets it
// run backwards. lab is the id that the connection's key has in the roster (empty for TICK and for
// operators' statements), instance what its HELLO said, peer the shell's own handle, handed back in
// effects. All pointers need to live for the call only, except `campaign` in RT_CORE_CAMPAIGN.
struct rt_core_event {
    enum rt_core_event_kind kind;
    int64_t time_ms;
    uint64_t peer;
    struct rt_bytes lab;
    struct rt_instance instance;
    // Statements: the log has this very statement already (by digest, including this batch).
    bool logged;
    // Statements: what the signed text says, and whose the valid signature is.
    struct rt_digest digest;   // of the statement
    struct rt_digest campaign; // also WANT
    struct rt_bytes signer;    // the lab it names (result, accept, close, withdraw)
    union {
        struct {
            const struct rt_core_held *held; // at most RT_INVENTORY_MOST
            size_t held_count;
        } hello;
        struct {
            uint32_t units;  // replaces the instance's credit for the campaign
            uint32_t trials; // most trials a unit, 0: the campaign's
        } want;
        struct {
            const struct rt_core_pair *pairs;
            size_t pair_count;
        } result;
        struct {
            enum rt_rater_kind kind;
            struct rt_bytes rater; // its id
            const struct rt_core_rated *trials;
            size_t trial_count;
        } rating;
        struct {
            struct rt_digest unit;
        } give_back; // RETURN
        struct {
            const struct rt_pulse_unit *units;
            size_t unit_count;
        } pulse;
        struct {
            const struct rt_campaign *campaign; // decoded; must outlive the core once accepted
        } campaign_new;
        struct {
            uint64_t seen_size; // the checkpoint it saw: the shell has checked origin and root
        } accept;
        struct {
            enum rt_statement_action action;
            uint64_t seq;
            struct rt_digest draw; // START only: rt_store_draw of the log as it is now
        } state;
        struct {
            uint64_t results; // as stated
            struct rt_digest root;
            uint64_t log_results; // as the store has it (rt_store_lab_results), in this batch
            struct rt_digest log_root;
        } end; // CLOSE and WITHDRAW
        struct {
            uint64_t version;
            struct rt_digest roster;
            bool has_previous;
            struct rt_digest previous;
        } roster;
    };
};

// ---- effects

enum rt_core_effect_kind {
    // for the store (rt_store_apply does all of these)
    RT_DO_CAMPAIGN,      // put campaign
    RT_DO_LAB,           // put lab
    RT_DO_FINAL,         // set bits [first, first + count) of (campaign, lab)
    RT_DO_TENTATIVE,     // put tentative at (campaign, lab, position)
    RT_DO_TENTATIVE_END, // delete it
    RT_DO_CELL,          // add sum to the cell
    RT_DO_COUNTERS,      // add to a lab's counters
    RT_DO_FINGERPRINT,   // number a fingerprint
    RT_DO_RATER,         // number a rater
    RT_DO_RATED,         // put a rater's label of (campaign, lab, trial)
    RT_DO_SPARE,         // remember that this leaf's result does not count for a trial
    RT_DO_NOTED,         // remember that this leaf is an incident's or a release's of the campaign
    RT_DO_INSTANCE,      // remember that (lab name, instance) exists
    RT_DO_INSTANCE_END,  // forget it
    RT_DO_ROSTER,        // the present roster
    // for the shell
    RT_DO_UNIT,        // encode, store (rt_store_put_unit), bind (rt_core_bind), sign, send
    RT_DO_OFFER,       // send OFFER of campaign to peer (0: every connection of `lab`)
    RT_DO_NOTICE,      // send NOTICE to every connection of `lab` (or RT_CORE_ALL_LABS)
    RT_DO_HOLD,        // sign a hold statement for (campaign, lab) and append its leaf
    RT_DO_NO_RESPONSE, // sign a no-response statement for (campaign, lab) and append its leaf
};

struct rt_core_effect {
    enum rt_core_effect_kind kind;
    uint32_t campaign; // index; with lab, whom it concerns
    uint32_t lab;
    union {
        struct rt_core_campaign_row campaign_row;
        struct rt_core_lab_row lab_row;
        struct rt_unit_run final; // positions
        struct {
            uint64_t position;
            struct rt_core_tentative value;
        } tentative;
        struct {
            struct rt_cell_key key;
            struct rt_cell_sum sum;
        } cell;
        struct rt_core_counters counters;
        struct {
            uint32_t index;
            struct rt_digest digest;
        } fingerprint;
        struct rt_core_rater rater;
        struct {
            uint64_t number; // of the trial
            struct rt_rating_label label;
        } rated;
        struct {
            uint64_t number;
        } spare;
        struct {
            struct rt_bytes lab; // borrowed from the core, valid until its next step
            struct rt_instance instance;
            int64_t seen_ms;
        } instance;
        struct {
            uint64_t version;
            struct rt_digest digest;
        } roster;
        struct {
            uint64_t peer;
            uint64_t epoch;
            uint64_t serial;
            int64_t issued_ms;
            int64_t reissue_at_ms;
            int64_t accept_until_ms;
            struct rt_digest accept;
            size_t run_count;
            struct rt_unit_run runs[RT_CORE_RUNS_MOST];
        } unit;
        struct {
            uint64_t peer;
        } offer;
        struct {
            enum rt_notice_kind kind;
        } notice;
        struct {
            uint32_t subject; // index in the campaign
            struct rt_digest before, now;
        } hold;
    };
};

// What a step decided. `verdict` RT_OK: taken. RT_DUPLICATE: the statement is in the log; send its
// first receipt again. Anything else: refused, answer ERROR with that code; nothing changed but the
// lab's count of refused results. The list is owned here and reused from step to step.
struct rt_core_effects {
    enum rt_status verdict;
    bool log; // append the event's statement as a leaf and store the objects that came with it
    bool is_result; // ... and it counts among the result leaves of (campaign, lab)
    uint32_t campaign;
    uint32_t lab;
    int64_t wake_ms; // send a TICK then at the latest; INT64_MAX: no need
    struct rt_core_effect *list;
    size_t count;
    size_t capacity;
};
void rt_core_effects_init(struct rt_core_effects *effects);
void rt_core_effects_release(struct rt_core_effects *effects);
// No step makes more effects than this; what does not fit waits for a TICK (wake_ms is then now).
#define RT_CORE_EFFECTS_MOST 65536

// ---- the machine

struct rt_core;

// limits NULL: the defaults. epoch: raised in the store before. now_ms: from when gather_ms counts.
// NULL when out of memory.
struct rt_core *rt_core_new(const struct rt_core_limits *limits, uint64_t epoch, int64_t now_ms);
void rt_core_free(struct rt_core *core);

// Feed back what the store holds, before the first step (rt_store_load does it): the log's size and
// the roster, campaigns in index order, then the rest in any order. RT_CORRUPT when it cannot be.
// From then on the core counts leaves itself: one for `log`, one for each RT_DO_HOLD and
// RT_DO_NO_RESPONSE.
void rt_core_load_log(struct rt_core *core, uint64_t size);
enum rt_status rt_core_load_roster(struct rt_core *core, uint64_t version,
                                   const struct rt_digest *digest) RT_WARN_UNUSED;
enum rt_status rt_core_load_campaign(struct rt_core *core, const struct rt_core_campaign_row *row,
                                     const struct rt_campaign *campaign) RT_WARN_UNUSED;
enum rt_status rt_core_load_lab(struct rt_core *core,
                                const struct rt_core_lab_row *row) RT_WARN_UNUSED;
enum rt_status rt_core_load_chunk(struct rt_core *core, uint32_t campaign, uint32_t lab,
                                  uint64_t chunk,
                                  const uint8_t bitmap[RT_CORE_CHUNK_BYTES]) RT_WARN_UNUSED;
enum rt_status rt_core_load_tentative(struct rt_core *core, uint32_t campaign, uint32_t lab,
                                      uint64_t position,
                                      const struct rt_core_tentative *value) RT_WARN_UNUSED;
enum rt_status rt_core_load_fingerprint(struct rt_core *core, uint32_t index,
                                        const struct rt_digest *digest) RT_WARN_UNUSED;
enum rt_status rt_core_load_rater(struct rt_core *core,
                                  const struct rt_core_rater *rater) RT_WARN_UNUSED;
// After the fingerprints: what one stands for, and that a lab was served by it before.
enum rt_status rt_core_load_parts(struct rt_core *core, uint32_t index,
                                  const struct rt_fingerprint_part *parts,
                                  size_t count) RT_WARN_UNUSED;
enum rt_status rt_core_load_served(struct rt_core *core, uint32_t campaign, uint32_t lab,
                                   uint32_t fingerprint) RT_WARN_UNUSED;
enum rt_status rt_core_load_instance(struct rt_core *core, struct rt_bytes lab,
                                     const struct rt_instance *instance,
                                     int64_t seen_ms) RT_WARN_UNUSED;

// One event. Fills effects (cleared first). Returns RT_OK when the step ran to its end, whatever
// its verdict; RT_NO_MEMORY when it could not: throw the core away as after a failed commit.
enum rt_status rt_core_step(struct rt_core *core, const struct rt_core_event *event,
                            struct rt_core_effects *effects) RT_WARN_UNUSED;

// The digest of the unit that was just encoded from RT_DO_UNIT `serial`; before the next step.
void rt_core_bind(struct rt_core *core, uint64_t serial, const struct rt_digest *unit_digest);
// True when the unit is outstanding here, so that its signature needs no check. Safe only on the
// core's own thread.
bool rt_core_knows_unit(const struct rt_core *core, const struct rt_digest *unit_digest);
// The number of a rater of a campaign, or 0 where it has none yet.
uint16_t rt_core_rater_number(const struct rt_core *core, uint32_t campaign,
                              enum rt_rater_kind kind, struct rt_bytes id);
bool rt_core_knows_fingerprint(const struct rt_core *core, const struct rt_digest *digest);

// The cell one trial's result belongs to and what it adds; `where` has campaign, lab, prompt,
// configuration, fingerprint and rater. The one place that says so, for the core and for fsck.
void rt_core_trial_cell(const struct rt_trial_result *trial, const struct rt_cell_key *where,
                        struct rt_cell_key *ret_key, struct rt_cell_sum *ret_sum);

// ---- for status, watch and offers; numbers as of the last step

struct rt_core_lab_view {
    struct rt_core_lab_row row;
    const char *name;     // borrowed from the campaign
    uint64_t total;       // planned trials
    uint64_t final;       // counted with a final status
    uint64_t tentative;   // last word is an error
    uint64_t exhausted;   // of them, out of attempts
    uint64_t outstanding; // trials in leases
    uint64_t running;     // of them, reported done by PULSE and not yet in a result
    uint32_t units;       // leases
    uint32_t instances;   // connected
    uint64_t credit;      // units asked for and not served
    // Why nothing is issued right now, or NULL: a constant phrase ("has not accepted", "paused",
    // …).
    const char *held;
};
uint32_t rt_core_campaign_count(const struct rt_core *core);
// RT_NOT_FOUND beyond the last. ret_campaign may be NULL.
enum rt_status rt_core_campaign_view(const struct rt_core *core, uint32_t index,
                                     struct rt_core_campaign_row *ret_row,
                                     const struct rt_campaign **ret_campaign) RT_WARN_UNUSED;
enum rt_status rt_core_lab_view(const struct rt_core *core, uint32_t campaign, uint32_t lab,
                                struct rt_core_lab_view *ret_view) RT_WARN_UNUSED;
// Index of a campaign by digest; RT_NOT_FOUND.
enum rt_status rt_core_find_campaign(const struct rt_core *core, const struct rt_digest *digest,
                                     uint32_t *ret_index) RT_WARN_UNUSED;

#endif
