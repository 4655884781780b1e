// SPDX-License-Identifier: Apache-2.0
// Asks the jobs' servers whether they are ready: GET, 200 is yes, anything else is no. Many at
// once, none waited for. The key goes into a header and nowhere else. One thread.
#ifndef RT_WORKER_SLURM_HEALTH_H
#define RT_WORKER_SLURM_HEALTH_H

#include <stdint.h>

#include "common/base/error.h"
#include "worker/slurm/core.h"

struct rt_slurm_health;

enum rt_status rt_slurm_health_new(struct rt_slurm_health **ret_health,
                                   struct rt_error *err) RT_WARN_UNUSED;
void rt_slurm_health_free(struct rt_slurm_health *health); // takes NULL
// Ask for a job's place (below RT_SLURM_JOBS_MOST). Nothing happens while an answer is owed.
void rt_slurm_health_ask(struct rt_slurm_health *health, uint32_t place, const char *url,
                         const char *key);
void rt_slurm_health_drop(struct rt_slurm_health *health, uint32_t place);
bool rt_slurm_health_asked(const struct rt_slurm_health *health, uint32_t place);
// The next answer; false when none is there.
bool rt_slurm_health_next(struct rt_slurm_health *health, uint32_t *ret_place, bool *ret_yes);

#endif
