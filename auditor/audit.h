// SPDX-License-Identifier: Apache-2.0
// The state of one audit, shared by the files that carry it out: what the log has said so far. Only
// statements whose signatures hold change it. Private to the auditor. One thread.
#ifndef RT_AUDITOR_AUDIT_H
#define RT_AUDITOR_AUDIT_H

#include "auditor/ahead.h"
#include "auditor/folder.h"
#include "auditor/tally.h"
#include "auditor/verify.h"
#include "common/crypto/digest_map.h"
#include "common/tlog/policy.h"
#include "common/tlog/tile.h"
#include "proto/incident.h"
#include "proto/rating_book.h"
#include "proto/statement.h"
#include "proto/study.h"
#include "proto/trial.h"

#define AUDIT_PLACE_BYTES 200

enum audit_end { AUDIT_OPEN, AUDIT_CLOSED, AUDIT_WITHDREW, AUDIT_NO_RESPONSE };

// One lab in one campaign, as the log has it.
struct audit_lab {
    struct audit_lab *next;
    char id[RT_ID_BYTES + 1];
    bool accepted;
    struct rt_digest accept; // statement digest
    uint64_t accept_index;
    bool held; // a hold that no operator has lifted
    enum audit_end end;
    uint64_t end_index;
    const char *reason;
    struct rt_tree results; // over its result leaves in log order
};

struct audit_campaign {
    struct rt_digest digest;
    uint64_t index; // of its leaf
    struct rt_digest hash;
    int64_t registered_ms;
    char name[RT_ID_BYTES + 1];
    enum rt_offer_state state;
    uint64_t seq;
    bool started;
    uint64_t start_index;
    int64_t started_ms, closing_ms;
    struct rt_digest *accepts; // hashes of the accept leaves before the start
    size_t accept_count, accept_room;
    struct audit_lab *labs;
};

// A result leaf of the bundle's campaign: what a rating may point at.
struct audit_leaf_results {
    uint64_t index;
    uint32_t lab;
    uint32_t count; // its pairs: places first .. in rt_audit.rated_results
    size_t first;
};

struct rt_audit {
    struct rt_audit_settings settings;
    struct rt_checks checks;
    struct rt_folder folder;
    struct rt_pool *pool;   // NULL where one thread does it all
    struct rt_ahead *ahead; // what the bundle of leaves at hand needs
    struct rt_arena arena;   // documents: live as long as the audit
    struct rt_arena scratch; // one leaf, one object
    struct rt_buf object, second, text;

    // The log.
    bool has_checkpoint;
    struct rt_checkpoint checkpoint;
    struct rt_buf note;
    struct rt_tile_reader *reader;
    struct rt_tree tree;             // the leaves so far
    int64_t last_ms;                 // received, of the last leaf
    struct rt_digest_map statements; // digest → index
    struct rt_roster **rosters;      // the chain; the last is in force
    size_t roster_count, roster_room;

    // The leaf at hand.
    uint64_t index;
    const struct rt_digest *hash;
    char place[AUDIT_PLACE_BYTES];
    struct rt_statement statement;
    struct rt_statement_signer signers[RT_STATEMENT_SIGNATURES_MOST];

    struct audit_campaign **campaigns;
    size_t campaign_count, campaign_room;
    struct rt_digest_map campaign_of; // digest → place

    // The campaign of this bundle.
    struct audit_campaign *target;
    struct rt_campaign *campaign;
    struct rt_digest draw;
    struct rt_lab_plan *plans;   // each lab's, once started
    struct rt_lab_order *orders; // their caches
    struct rt_tally tally;
    bool has_tally;
    struct rt_digest_map units;          // unit digest → place of its statement's file
    struct rt_digest_map fingerprint_of; // digest → place
    struct rt_facts_fingerprint *fingerprints;
    size_t fingerprint_count, fingerprint_room;
    struct rt_statement unit_statement;

    // Ratings.
    struct audit_leaf_results *rated_leaves; // ascending by index
    size_t rated_leaf_count, rated_leaf_room;
    struct rt_digest *rated_results;
    size_t rated_result_count, rated_result_room;
    struct rt_rating_book book; // by lab and trial
    struct rt_facts_rater raters[RT_RATERS_MOST];
    size_t rater_count;

    struct rt_incident_book noted; // incidents and releases of the bundle's campaign

    struct rt_digest_map redacted; // objects that redacted.txt says were left out → used
    size_t redacted_count;

    struct rt_facts_lab *fact_labs;
    uint64_t withheld; // objects that a mirror was not shown
    struct rt_study study;
    struct rt_report report;
    bool has_report;
};

// One leaf: an rt_leaf_fn. Anything but RT_OK is RT_NO_MEMORY.
enum rt_status audit_leaf(void *ctx, uint64_t index, struct rt_bytes leaf,
                          const struct rt_digest *hash);
// All signatures of a statement by keys of the roster at that moment, and its kind's rule. next
// may be NULL: a roster whose keys may sign too. proved, which may be NULL: a key under which its
// first signature is known to be good. False, and the finding under SIGNATURES, when not.
bool audit_signed(struct rt_audit *audit, const struct rt_statement *statement, const char *place,
                  const struct rt_roster *next, int64_t at_ms, uint64_t index,
                  const struct rt_public_key *proved);
const struct rt_roster *audit_roster_now(const struct rt_audit *audit); // or NULL
// The root of the log when it had size leaves, at most as many as have been read.
enum rt_status audit_root_at(struct rt_audit *audit, uint64_t size,
                             struct rt_digest *ret_root) RT_WARN_UNUSED;

// The kinds; each changes the state where its own checks hold.
enum rt_status audit_take_roster(struct rt_audit *audit) RT_WARN_UNUSED;
enum rt_status audit_take_campaign(struct rt_audit *audit) RT_WARN_UNUSED;
enum rt_status audit_take_accept(struct rt_audit *audit) RT_WARN_UNUSED;
enum rt_status audit_take_state(struct rt_audit *audit) RT_WARN_UNUSED;
enum rt_status audit_take_result(struct rt_audit *audit) RT_WARN_UNUSED;
enum rt_status audit_take_rating(struct rt_audit *audit) RT_WARN_UNUSED; // ratings.c
enum rt_status audit_take_noted(struct rt_audit *audit) RT_WARN_UNUSED; // noted.c
enum rt_status audit_take_hold(struct rt_audit *audit) RT_WARN_UNUSED; // hold, lift
enum rt_status
audit_take_end(struct rt_audit *audit) RT_WARN_UNUSED; // close, withdraw, no-response
enum rt_status audit_take_report(struct rt_audit *audit) RT_WARN_UNUSED;

struct audit_campaign *audit_find_campaign(const struct rt_audit *audit,
                                           const struct rt_digest *digest);
struct audit_lab *audit_find_lab(const struct audit_campaign *campaign, struct rt_bytes id);

// A campaign leaf has been taken: if its object is here, it is the bundle's campaign (documents.c).
enum rt_status audit_adopt_campaign(struct rt_audit *audit,
                                    struct audit_campaign *campaign) RT_WARN_UNUSED;
// Its start: the draw, and with it every lab's run order.
enum rt_status audit_draw(struct rt_audit *audit) RT_WARN_UNUSED;
// The pairs of a result leaf of the bundle's campaign (results.c).
enum rt_status audit_count_pairs(struct rt_audit *audit, uint32_t lab,
                                 const struct audit_lab *row) RT_WARN_UNUSED;

// What a rating may point at later (ratings.c): the result leaf at hand, of lab `lab`.
enum rt_status audit_remember_leaf(struct rt_audit *audit, uint32_t lab) RT_WARN_UNUSED;
void audit_ratings_release(struct rt_audit *audit);

// An object the log names: read into audit->object (or into), checked, and marked used. False, with
// the finding under OBJECTS at the object's path, when it is not there or not what it should be.
bool audit_object(struct rt_audit *audit, const struct rt_digest *digest, const char *named_by,
                  struct rt_buf *into);

// redacted.txt, once the campaign is known; and whether this object is one that was left out, as
// far as it may be: a scenario or what was handed in with an incident (redacted.c).
enum rt_status audit_redacted(struct rt_audit *audit) RT_WARN_UNUSED;
bool audit_left_out(struct rt_audit *audit, const struct rt_digest *digest, const char *kind,
                    const char *name);
// After the log: what the list names must have been asked for.
void audit_redacted_end(struct rt_audit *audit);

// After the log: files, keys and manifest (files.c), recount, report and completeness (recount.c),
// receipts (receipts.c).
enum rt_status audit_files(struct rt_audit *audit) RT_WARN_UNUSED; // before the log
// A folder that says it is a mirror, and has nothing that only a bundle has.
void audit_mirror(struct rt_audit *audit);
enum rt_status audit_keys(struct rt_audit *audit) RT_WARN_UNUSED;
enum rt_status audit_manifest(struct rt_audit *audit) RT_WARN_UNUSED;
void audit_unused(struct rt_audit *audit);
enum rt_status audit_recount(struct rt_audit *audit) RT_WARN_UNUSED;
enum rt_status audit_receipts(struct rt_audit *audit, struct rt_error *err) RT_WARN_UNUSED;

// Trials of a lab without a final result: the first `most` of them in its run order, by ascending
// number. Returns how many there are in all.
uint64_t audit_missing(struct rt_audit *audit, uint32_t lab, uint64_t *ret_numbers, size_t most,
                       size_t *ret_count);

#endif
