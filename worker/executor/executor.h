// SPDX-License-Identifier: Apache-2.0
// Executors run trials: they play scenarios against what serves a subject and hand back scored
// transcripts, many trials in flight on one thread. Kinds: `builtin` (the synthetic subject in this
// process), `chat` (an OpenAI-compatible endpoint) and `command` (a program of the lab's own, in a
// sandbox). What an endpoint or a command is sent is the protocol's standard fields alone: no trial
// number, campaign or lab. Nothing here decides policy, signs or
// stores. An executor belongs to one thread; only rt_exec_wake may be called from others.
#ifndef RT_WORKER_EXECUTOR_EXECUTOR_H
#define RT_WORKER_EXECUTOR_EXECUTOR_H

#include <poll.h>

#include "common/base/bytes.h"
#include "common/base/error.h"
#include "engine/play.h"
#include "engine/score.h"
#include "proto/labconfig.h"
#include "proto/object.h"

#define RT_EXEC_IN_FLIGHT_MOST 1024

// Trials that something else plays whole, in place of an executor's own plays (Slurm's array jobs):
// the executor hands them on and hands their results back.
struct rt_exec_trial;
struct rt_exec_done;
struct rt_exec_whole; // each kind's own
struct rt_exec_whole_kind {
    const char *word;
    // As rt_exec_submit; the rest as the functions of their names. poll never waits.
    enum rt_status (*submit)(struct rt_exec_whole *whole, const struct rt_exec_trial *trial,
                             struct rt_error *err);
    size_t (*room)(const struct rt_exec_whole *whole);
    size_t (*in_flight)(const struct rt_exec_whole *whole);
    void (*poll)(struct rt_exec_whole *whole, struct rt_exec_done *ret_done, size_t capacity,
                 size_t *ret_count);
    bool (*cancel)(struct rt_exec_whole *whole, uint64_t tag);
    void (*free)(struct rt_exec_whole *whole);
};

// What an executor needs to know; all of it must outlive the executor.
struct rt_exec_known;
struct rt_exec_options {
    const struct rt_lab_subject *subject;
    const char *key_file;          // path of the bearer token's file; NULL: the subject's own
    const char *sandbox;           // word for the fingerprint ("none", "bwrap", …)
    const struct rt_label *labels; // the campaign's taxonomy
    size_t label_count;
    const struct rt_scenario *const *scenarios; // builtin: whose scripts the subject knows
    size_t scenario_count;
    enum rt_sandbox command_sandbox; // command: where it runs (rt_labconfig_sandbox)
    const char *folder;              // absolute, of worker.yaml: where its paths begin
    const char *const *secret;       // command: absolute paths it may not see
    size_t secret_count;
    const struct rt_labconfig *config; // whose subjects play roles, by their ids; NULL: none do
    bool (*stopping)(void); // asked while a probe waits: true ends it; may be NULL
    // What an earlier `probe` found out, and the campaign's own word; may be NULL.
    const struct rt_exec_known *known;
    const struct rt_digest *campaign_weights; // NULL: the campaign names none
    bool unscored; // transcripts alone are wanted: labels are not looked at
    // Who plays trials whole; NULL: the executor itself. rt_exec_open takes it over.
    struct rt_exec_whole *whole;
    const struct rt_exec_whole_kind *whole_kind;
};

// What is known of a subject besides its canaries. It goes into the fingerprint only while the
// identity digest is still the one it was found out of.
struct rt_exec_known {
    struct rt_digest identity;
    char determinism[64];
    uint64_t context;     // 0 unknown
    bool behavioural;     // the reference test was passed
    bool has_reference;
    struct rt_digest reference;
    uint64_t reference_p_micro;
};

struct rt_exec;

// Make an executor; nothing is sent yet. RT_UNSUPPORTED for a kind this version does not play;
// errors name the subject and the remedy.
enum rt_status rt_exec_open(const struct rt_exec_options *options, struct rt_exec **ret_exec,
                            struct rt_error *err) RT_WARN_UNUSED;
void rt_exec_free(struct rt_exec *exec); // drops what is in flight; takes NULL

// Ask the canaries through the same path as trials and take the serving fingerprint. Blocks for at
// most timeout_ms. Nothing may be in flight (RT_BUSY). RT_NETWORK or RT_TIMEOUT when the endpoint
// cannot be reached; canaries it fails are not errors, their answers are the fingerprint.
// RT_CANCELLED when options->stopping said so.
enum rt_status rt_exec_probe(struct rt_exec *exec, int64_t timeout_ms,
                             struct rt_error *err) RT_WARN_UNUSED;
// The same without blocking. begin asks the first canary (RT_BUSY as above; RT_NETWORK when there
// is no endpoint to ask); a probe that goes on is begun anew. step waits for at most wait_ms (0:
// only what is ready) and returns RT_AGAIN while the probe goes on; RT_OK and every error end it,
// and options->stopping is not asked. While one goes on there is no room for trials.
enum rt_status rt_exec_probe_begin(struct rt_exec *exec, int64_t timeout_ms,
                                   struct rt_error *err) RT_WARN_UNUSED;
enum rt_status rt_exec_probe_step(struct rt_exec *exec, int wait_ms,
                                  struct rt_error *err) RT_WARN_UNUSED;
bool rt_exec_probing(const struct rt_exec *exec);
void rt_exec_probe_abandon(struct rt_exec *exec); // nothing happens when none goes on
// Trials are played whole elsewhere: there is nothing here to probe, and each finished trial brings
// its own fingerprint. Probes are RT_UNSUPPORTED then.
bool rt_exec_plays_whole(const struct rt_exec *exec);
// The fingerprint object's bytes and their digest; borrowed. RT_ASSERTs that a probe succeeded.
struct rt_bytes rt_exec_fingerprint(const struct rt_exec *exec, struct rt_digest *ret_digest);
// Since then the server's replies name another program or model: it is time to probe again.
bool rt_exec_changed(const struct rt_exec *exec);

// Executors that speak HTTP may have several endpoints, which come and go while trials are in
// flight. The subject's own are there from the start; one of executor `slurm`, mode pilot, starts
// with none. url is as in worker.yaml ("http://host:port/v1") and must be new (RT_EXISTS); key is
// the bearer token or NULL for the subject's own; both are copied. RT_UNSUPPORTED for an executor
// without endpoints, RT_MALFORMED, RT_TOO_LARGE above RT_EXEC_ENDPOINTS_MOST.
#define RT_EXEC_ENDPOINTS_MOST 64
enum rt_status rt_exec_endpoint_add(struct rt_exec *exec, const char *url, const char *key,
                                    struct rt_error *err) RT_WARN_UNUSED;
// Requests in flight there are asked again at another endpoint; where none is left their trials
// come back unrun (rt_exec_done). False when there is no such endpoint.
bool rt_exec_endpoint_drop(struct rt_exec *exec, const char *url);
size_t rt_exec_endpoint_count(const struct rt_exec *exec); // 1 for executors without endpoints

// A trial to run. tag is the caller's own and is never sent anywhere.
struct rt_exec_trial {
    uint64_t tag;
    // What the caller calls it from one run to the next; for trials that are played elsewhere.
    struct rt_digest key;
    const struct rt_scenario *scenario; // outlives the trial
    uint32_t arm, phrasing;
    int64_t temperature_micro;
    uint32_t seed;
};

// How many more trials may be submitted now: subject->concurrency less those in flight, and no more
// than the endpoints take at present. 0 while there is no endpoint and while a probe goes on.
size_t rt_exec_room(const struct rt_exec *exec);
size_t rt_exec_in_flight(const struct rt_exec *exec);
// RT_AGAIN when there is no room, RT_EXISTS for a tag in flight.
enum rt_status rt_exec_submit(struct rt_exec *exec, const struct rt_exec_trial *trial,
                              struct rt_error *err) RT_WARN_UNUSED;

// A finished trial. The caller owns transcript and releases it (rt_exec_done_release).
struct rt_exec_done {
    uint64_t tag;
    // No endpoint was there to ask to the end: the trial did not happen, and may be submitted again
    // or handed back. tokens, requests and detail are set; score says error, for those who do not
    // look here.
    bool unrun;
    struct rt_score score;    // status, outcome, severity as a result object wants them
    struct rt_digest output;  // what the subject put out: equal outputs are `same_as`
    struct rt_buf transcript; // canonical plaintext, without salt
    struct rt_buf fingerprint; // of what played it; empty: the executor's own
    uint64_t tokens_in, tokens_out; // the subject's
    uint64_t role_tokens;           // read and written by models in other roles
    int64_t started_ms, finished_ms; // wall clock
    uint64_t latency_ms;
    uint32_t requests; // sent, retries included: what policy counts
    char detail[200];  // errors: what happened, for the lab's own log
};
void rt_exec_done_release(struct rt_exec_done *done);

// Work for at most timeout_ms (0: only what is ready) and return finished trials, at most capacity.
// Returns as soon as one has finished. RT_NO_MEMORY only.
enum rt_status rt_exec_poll(struct rt_exec *exec, int timeout_ms, struct rt_exec_done *ret_done,
                            size_t capacity, size_t *ret_count,
                            struct rt_error *err) RT_WARN_UNUSED;
// What a poll of this executor would wait for, so that one wait can be for several of them: poll
// each with timeout 0, then wait for the descriptors of all, and poll each again. Fills fds (at
// most capacity) and lowers *wait_ms to when it has something to do by itself. Returns how many.
size_t rt_exec_watch(struct rt_exec *exec, struct pollfd *fds, size_t capacity, int *wait_ms);
// Make a poll that is waiting return; from any thread.
void rt_exec_wake(struct rt_exec *exec);

// Drop one trial, or all: it will not be returned. False when tag is not in flight. Trials that are
// played whole elsewhere are dropped one by one.
bool rt_exec_cancel(struct rt_exec *exec, uint64_t tag);
void rt_exec_cancel_all(struct rt_exec *exec);

#endif
