// SPDX-License-Identifier: Apache-2.0
// The slurm executor's pilot mode: jobs in which a server runs, for as long as there are trials for
// it. This is the shell round core.h: it runs Slurm's commands, one at a time and without waiting
// for them, reads what the jobs say in their folders, asks their servers whether they are ready,
// and says which of them may be used. It knows no trials. What it has to remember lies in the jobs'
// folders, so that a worker that was killed finds its jobs again. One thread.
#ifndef RT_WORKER_SLURM_SLURM_H
#define RT_WORKER_SLURM_SLURM_H

#include "common/base/error.h"
#include "proto/labconfig.h"
#include "worker/slurm/core.h"

struct rt_slurm;

// For every subject of config with `slurm`; RT_NOT_FOUND when there is none. config outlives the
// result; folder: of worker.yaml; state: the worker's own. Reads what an earlier run left behind.
enum rt_status rt_slurm_new(const struct rt_labconfig *config, const char *folder,
                            const char *state, struct rt_slurm **ret_slurm,
                            struct rt_error *err) RT_WARN_UNUSED;
// Jobs go on: the next run finds them.
void rt_slurm_free(struct rt_slurm *slurm); // takes NULL

// The pool of a subject, or -1.
int rt_slurm_pool_of(const struct rt_slurm *slurm, const char *subject);
bool rt_slurm_has_pool(const struct rt_slurm *slurm, uint32_t pool);
// How many trials are in hand for a pool and have not finished.
void rt_slurm_demand(struct rt_slurm *slurm, uint32_t pool, uint64_t trials);
// Do what can be done now. Never waits.
void rt_slurm_turn(struct rt_slurm *slurm);

// A job as those see it who have trials for it. url and key are borrowed until the next turn; start
// counts its starts: another one is another server.
struct rt_slurm_server {
    uint64_t token, start;
    bool serves;   // may be asked
    bool draining; // takes no new trials; what is in flight there may finish
    const char *url, *key; // key "" none
};
// The pool's jobs that serve or drain; returns how many.
size_t rt_slurm_servers(const struct rt_slurm *slurm, uint32_t pool,
                        struct rt_slurm_server ret_servers[RT_SLURM_JOBS_MOST]);
// Nothing is in flight at a draining job any more: it is ended.
void rt_slurm_drained(struct rt_slurm *slurm, uint64_t token);

// The pool's jobs that hold nodes now: started and not known to have ended.
uint32_t rt_slurm_holding(const struct rt_slurm *slurm, uint32_t pool);
// End every job now; the turns that follow tell Slurm. Those with trials are sent for again when
// there is demand.
void rt_slurm_end_jobs(struct rt_slurm *slurm);
// End every job now, waiting for at most timeout_ms for Slurm to be told.
void rt_slurm_stop(struct rt_slurm *slurm, int64_t timeout_ms);
// "2 ready, 1 pending" for status, "" no job; out has capacity bytes.
void rt_slurm_describe(const struct rt_slurm *slurm, char *out, size_t capacity);
// Its array jobs, which run trials whole; NULL when no subject has them.
struct rt_array *rt_slurm_array(struct rt_slurm *slurm);

#endif
