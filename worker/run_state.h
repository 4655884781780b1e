// SPDX-License-Identifier: Apache-2.0
// What the files of the loop share: the state of one running worker, and the calls they make to one
// another. Memory here mirrors the outbox: it is loaded from it at the start, and every change goes
// into the outbox's batch in the same turn. For worker/run*.c alone. One thread.
#ifndef RT_WORKER_RUN_STATE_H
#define RT_WORKER_RUN_STATE_H

#include "proto/message.h"
#include "proto/trial.h"
#include "worker/care/child.h"
#include "worker/care/hook.h"
#include "worker/evidence.h"
#include "worker/executor/executor.h"
#include "worker/link.h"
#include "worker/outbox.h"
#include "worker/run.h"
#include "worker/subject/known.h"
#include "worker/subject/weights.h"
#include "worker/slurm/array.h"
#include "worker/slurm/slurm.h"

#define RUN_CAMPAIGNS_MOST 64
#define RUN_UNITS_MOST     RT_INVENTORY_MOST
#define RUN_OUT_MOST       65536 // statements without a receipt
#define RUN_WINDOW         128   // of them, sent at once on one connection
#define RUN_DISCONNECTS_MOST 3
#define RUN_FINGERPRINTS_MOST 64

// One subject of one campaign, and what serves it here.
struct run_exec {
    struct rt_exec *exec; // NULL: not opened yet
    bool ready;           // probed: its fingerprint is known
    bool failed;          // for ever: a kind this version does not play
    int64_t retry_ms;     // monotonic: probe again then
    int64_t pause_ms;
    uint32_t errors;      // error or timeout results in a row
    struct rt_digest fingerprint;
    // Pilot jobs: the servers it was given, and whether the last of them takes no new trials.
    struct run_attached *attached;
    size_t attached_count;
    bool closing;
    // Is it the same instrument? (run_identity.c)
    struct rt_weights_check *weights; // being read; NULL: not now
    bool weighed;                     // since the last start
    struct rt_exec_known known;       // what `probe` found out
    bool has_identity;
    struct rt_digest identity; // of the last fingerprint
    enum rt_identity level;
    char changed[160]; // "" or how the instrument changed, for people
};

struct run_campaign {
    struct rt_digest digest;
    // The row's fields, owned.
    char name[RT_ID_BYTES + 1];
    enum rt_offer_state state;
    enum rt_stage stage;
    struct rt_buf leaf, proof;
    uint64_t index;
    bool has_draw, has_accept;
    struct rt_digest draw, accept;
    enum rt_decision decision;
    char reason[201];
    char held[401];
    uint64_t results;
    // Made from the objects once all of them are here.
    bool loaded;
    struct rt_digest roster_digest;
    struct rt_arena arena;
    struct rt_campaign *campaign;
    const struct rt_scenario **scenarios;
    uint32_t lab;
    bool gpus; // a subject that this lab runs for it holds GPUs
    bool planned;
    struct rt_lab_plan plan;
    struct rt_lab_order order;
    struct run_exec *execs; // campaign->subject_count of them
    // This connection.
    bool offered;    // since WELCOME
    struct rt_checkpoint seen; // of the last OFFER's proof
    uint64_t credit; // units asked for and not yet dealt
    uint64_t credit_trials;
    enum rt_permit_cause told; // the last answer of the policy that was logged
    int64_t chased_ms; // when results lost with their connections were last sent again; 0 never
    // Counts of what is in memory.
    uint32_t units;     // in hand, results not signed yet
    uint64_t remaining; // trials of them that have not finished
    uint32_t outgoing;  // own results without a receipt, parked ones not counted
    uint64_t done, errors; // trials finished by this process
};

enum run_trial_state { RUN_TODO, RUN_FLYING, RUN_DONE };

struct run_trial {
    uint64_t number;
    enum run_trial_state state;
    struct rt_trial_result result;
    struct rt_digest fingerprint;
    int64_t started_ms, finished_ms;
};

struct run_unit {
    uint32_t id; // of this process: in flight tags carry it
    struct rt_digest digest;
    struct run_campaign *campaign;
    struct rt_buf statement, object;
    int64_t taken_ms, issued_ms, reissue_at_ms, accept_until_ms;
    struct run_trial *trials;
    uint32_t trial_count;
    uint32_t done, flying, next; // next: none left to start before it
    bool stored;                 // its row is committed
    bool fresh;                  // dealt in this turn: not committed yet
};

// A statement without a receipt; its bytes are in the outbox.
struct run_out {
    struct rt_digest digest;
    struct rt_digest unit; // results: the unit answered
    struct rt_digest fingerprint;
    struct run_campaign *campaign;
    enum rt_statement_kind kind;
    int64_t made_ms;
    uint64_t disconnects;
    bool stored, parked;
    bool sent;         // on this connection
    int64_t again_ms;  // monotonic: not before
};

struct run_fetch {
    bool active;
    struct rt_digest digest;
    struct rt_buf bytes;
    uint64_t total;
    int64_t asked_ms;
    bool failed; // the coordinator does not have it
};

struct rt_run {
    const struct rt_run_settings *settings;
    struct rt_home *home;
    int lock;
    struct rt_outbox *outbox;
    struct rt_link *link;
    struct rt_slurm *slurm; // NULL: no subject is served by jobs
    int64_t demand_ms;      // monotonic: trials that wait for jobs are counted again then
    struct rt_log_reader log;
    struct rt_seen seen;
    // The connection.
    bool greeted; // HELLO sent
    int64_t greeted_ms;
    bool welcomed;
    int64_t welcomed_ms;     // monotonic
    int64_t server_ahead_ms; // coordinator's clock less ours, as of WELCOME
    uint64_t epoch;
    struct rt_digest receipted_fingerprints[RUN_FINGERPRINTS_MOST];
    size_t receipted_fingerprint_count;
    // What is in memory.
    struct run_campaign *campaigns[RUN_CAMPAIGNS_MOST];
    size_t campaign_count;
    struct run_unit **units;
    size_t unit_count;
    struct run_out *outs;
    size_t out_count, out_capacity;
    uint32_t next_unit_id;
    uint32_t flying;
    struct run_fetch fetch;
    // Handed back in this turn, sent after the commit.
    struct rt_digest *returns;
    size_t return_count;
    // The clock of this turn, and what is done by it.
    int64_t now_ms, mono_ms;
    int64_t inbox_ms, pulse_ms, status_ms, hold_ms, trial_check_ms;
    bool held; // policy.hold_when
    bool hold_known; // it has answered
    struct rt_child hold;
    // Lab care (run_care.c, run_usage.c).
    struct rt_hook *hook;
    struct run_told *told;
    size_t told_count;
    int64_t care_ms, gpu_ms, gpu_flush_ms, gpu_gap_ms, disk_ms, purge_ms, rotate_ms;
    bool disk_low;
    bool gpus_ended; // jobs were told to end because a cap on GPU hours is reached
    struct run_grading *grading; // NULL: this lab does not grade (run_grade.c)
    int64_t ratings_ms;   // when STATE/ratings is looked at again
    bool ratings_waiting; // it held some
    bool trials_finished; // in this turn: TRIAL_STORED stands after its commit
    bool results_signed;  // likewise for RESULT_STORED
    bool units_taken;     // likewise for UNIT_STORED
    bool progress;        // something happened in this turn: do not wait
    bool stalled;         // the last commit found no room
    int64_t stalled_ms;
    int64_t alone_ms;     // not welcome and nothing to do since then; 0: not so
    double rate;          // trials a second, smoothed
    uint64_t rate_trials;
    int64_t rate_ms;
    char last_link_error[256];
    char peer_error[256];
    enum rt_status fatal;
    struct rt_error *err;
    struct rt_buf scratch, frame;
    struct rt_arena frame_arena;
};

// run.c
void run_fail(struct rt_run *run, enum rt_status status, const char *format, ...) RT_PRINTF(3, 4);
bool run_stopping(void);
void run_settled(struct rt_run *run); // a commit has made true what was gathered

// run_clock.c: what policy asks
// gpus: does what is asked about hold GPUs? Then caps on GPU hours apply.
void run_now(const struct rt_run *run, bool gpus, struct rt_permit_now *ret_now);
int64_t run_local_day(int64_t wall_ms);
struct rt_permit run_permit_unit(const struct rt_run *run, bool gpus, uint64_t *ret_trials);
struct rt_permit run_permit_trial(const struct rt_run *run, bool gpus);
void run_check_hold(struct rt_run *run);
int64_t run_server_ms(const struct rt_run *run);

// run_link.c: the conversation
void run_receive(struct rt_run *run, int timeout_ms);
void run_talk(struct rt_run *run); // everything there is to send, after a commit
bool run_send(struct rt_run *run, struct rt_bytes frame);
void run_hang_up(struct rt_run *run, const char *why); // and dial again after a pause

// run_offer.c: campaigns made known, verified and accepted
struct run_campaign *run_find_campaign(struct rt_run *run, const struct rt_digest *digest);
void run_campaign_free(struct run_campaign *campaign);
enum rt_status run_load_campaigns(struct rt_run *run, struct rt_error *err) RT_WARN_UNUSED;
void run_save_campaign(struct rt_run *run, struct run_campaign *campaign);
void run_on_offer(struct rt_run *run, const struct rt_message_offer *offer);
void run_on_notice(struct rt_run *run, const struct rt_message_notice *notice);
void run_consider(struct rt_run *run); // take every campaign as far as it can go
void run_decide(struct rt_run *run, struct run_campaign *campaign, const char *action,
                const char *reason);

// run_fetch.c: documents by digest
void run_on_part(struct rt_run *run, const struct rt_message_part *part);
void run_fetch_failed(struct rt_run *run, const struct rt_digest *digest);
void run_fetch_reset(struct rt_run *run);
void run_fetch_send(struct rt_run *run);
// RT_OK when here (in arena), RT_AGAIN when it was asked for, RT_NOT_FOUND when nobody has it.
enum rt_status run_need(struct rt_run *run, const struct rt_digest *digest, bool statement,
                        struct rt_arena *arena, struct rt_bytes *ret_bytes) RT_WARN_UNUSED;
enum rt_status run_need_roster(struct rt_run *run, const struct rt_digest *digest,
                               struct rt_arena *arena, struct rt_roster **ret_roster,
                               struct rt_error *err) RT_WARN_UNUSED;

// run_unit.c: units taken, resumed, handed back
enum rt_status run_load_units(struct rt_run *run, struct rt_error *err) RT_WARN_UNUSED;
void run_on_unit(struct rt_run *run, const struct rt_message_unit *message);
void run_unit_free(struct run_unit *unit);
void run_drop_unit(struct rt_run *run, size_t index);
void run_return_units(struct rt_run *run); // those that cannot or may not be run
struct run_unit *run_unit_by_id(struct rt_run *run, uint32_t id);

// run_trial.c: trials started and finished
void run_start_trials(struct rt_run *run);
void run_poll_trials(struct rt_run *run, int timeout_ms);
void run_cancel_unit(struct rt_run *run, struct run_unit *unit);

// run_exec.c: what serves a subject
struct run_exec *run_exec_ready(struct rt_run *run, struct run_campaign *campaign,
                                uint32_t subject);
void run_exec_count(struct rt_run *run, struct run_exec *exec, enum rt_trial_status status);
void run_execs_free(struct run_campaign *campaign);
// What serves the subject now: stored, and held against what it was.
void run_exec_fingerprint(struct rt_run *run, struct run_exec *slot, const char *subject,
                          struct rt_bytes object);

// run_slurm.c: servers that run in jobs
enum rt_status run_slurm_begin(struct rt_run *run, struct rt_error *err) RT_WARN_UNUSED;
void run_slurm_end(struct rt_run *run);
void run_slurm_turn(struct rt_run *run);
void run_slurm_detach(struct run_exec *slot);
// No server yet, but a job is sent for as soon as there are trials for it.
bool run_slurm_awaits(const struct rt_run *run, const struct run_campaign *campaign,
                      uint32_t subject);
// Why a unit is not to wait for a job any longer, or NULL.
const char *run_slurm_why_return(const struct rt_run *run, const struct run_unit *unit);

// run_identity.c: whether it is still the same instrument
// The digest the campaign names for its subject, or NULL.
const struct rt_digest *run_campaign_weights(const struct run_campaign *campaign, const char *id);
// RT_AGAIN while the weights are being read; RT_CONFLICT when they are others.
enum rt_status run_weigh(struct rt_run *run, const struct rt_lab_subject *subject,
                         struct run_exec *slot, struct rt_error *err) RT_WARN_UNUSED;
// After a probe, or with a trial that was played elsewhere.
void run_identity_compare(struct run_exec *slot, const char *subject, struct rt_bytes object);
void run_identity_watch(struct rt_run *run, struct run_exec *slot, const char *subject);

// run_result.c: results signed, statements out, receipts in
enum rt_status run_load_outs(struct rt_run *run, struct rt_error *err) RT_WARN_UNUSED;
void run_sign_results(struct rt_run *run);
void run_end_campaigns(struct rt_run *run); // close and withdraw, once nothing is in flight
void run_submit(struct rt_run *run, struct run_campaign *campaign,
                const struct rt_statement *statement);
// A rating with its object; fingerprint may be zeros.
void run_submit_rating(struct rt_run *run, struct run_campaign *campaign,
                       const struct rt_statement *statement, struct rt_bytes object,
                       const struct rt_digest *fingerprint);
void run_on_receipt(struct rt_run *run, const struct rt_message_receipt *receipt);
void run_on_error(struct rt_run *run, const struct rt_message_error *error);
void run_send_outs(struct rt_run *run);
void run_outs_lost(struct rt_run *run); // the connection is gone
void run_unpark(struct rt_run *run);    // what is parked is sent once more

// run_fingerprint.c: one fingerprint for trials that several things served
// digests (2 to RUN_FINGERPRINTS_MOST) are sorted in place.
enum rt_status run_merge_fingerprints(struct rt_run *run, struct rt_digest *digests, size_t count,
                                      struct rt_digest *ret_digest) RT_WARN_UNUSED;

// Append the unit's result object to out (run_fingerprint.c).
enum rt_status run_encode_result(struct rt_run *run, const struct run_unit *unit,
                                 struct rt_digest *ret_fingerprint,
                                 struct rt_buf *out) RT_WARN_UNUSED;

// run_usage.c: GPU hours
void run_usage_begin(struct rt_run *run);
void run_usage_turn(struct rt_run *run);
// Does a subject that this lab runs for the campaign hold GPUs?
bool run_campaign_gpus(const struct rt_run *run, const struct run_campaign *campaign);
bool run_any_gpus(const struct rt_run *run); // any subject of worker.yaml

// run_care.c: what the lab's people are told, and what is thrown away
enum rt_status run_care_begin(struct rt_run *run, struct rt_error *err) RT_WARN_UNUSED;
void run_care_turn(struct rt_run *run);
void run_care_look(struct rt_run *run); // what is so now is told
void run_care_end(struct rt_run *run);

// run_rating.c: what raters left to be signed and sent
void run_take_ratings(struct rt_run *run);

// run_grade.c: judges, beside the loop
enum rt_status run_grade_begin(struct rt_run *run, struct rt_error *err) RT_WARN_UNUSED;
void run_grade_turn(struct rt_run *run);
void run_grade_end(struct rt_run *run);
bool run_grade_waits(const struct rt_run *run); // there is something to grade, or it goes on

// run_status.c: what people and other commands see and say
void run_read_inbox(struct rt_run *run);
void run_write_status(struct rt_run *run);
bool run_idle(const struct rt_run *run);

#endif
