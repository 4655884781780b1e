// SPDX-License-Identifier: Apache-2.0
// What Slurm's commands and the jobs' own scripts say, read strictly: squeue, sacct and sbatch in
// the formats that RT_SLURM_*_FORMAT ask for (squeue(1), sacct(1), sbatch(1), "JOB STATE CODES"),
// and the one line in which a job says where its server listens. Pure; any thread.
#ifndef RT_WORKER_SLURM_PARSE_H
#define RT_WORKER_SLURM_PARSE_H

#include "common/base/bytes.h"
#include "worker/slurm/core.h"

// id of the job or of its array, array task or N/A, name, state, time left
#define RT_SLURM_QUEUE_FORMAT   "%A|%F|%K|%j|%T|%L"
#define RT_SLURM_ACCOUNT_FORMAT "JobIDRaw,State"
#define RT_SLURM_OUTPUT_MOST    ((size_t)1 << 20) // of one command
#define RT_SLURM_ROWS_MOST      4096
#define RT_SLURM_NODE_BYTES     256

// A job's name is PREFIX-<token in 16 hex digits>; the prefix carries the lab and its worker.
// 0 when name is not of that form.
uint64_t rt_slurm_token_of(const char *prefix, struct rt_bytes name);

// The state of a word such as RUNNING, PREEMPTED or "CANCELLED by 1000".
enum rt_slurm_state rt_slurm_state_of(struct rt_bytes word);
// "1-02:03:04", "02:03:04", "03:04" or "4" in milliseconds; -1 for UNLIMITED, NOT_SET, INVALID, ...
int64_t rt_slurm_left_ms(struct rt_bytes text);

// squeue's answer. Lines of other jobs are passed over; a line of another form makes the whole
// answer RT_MALFORMED, because a job missing from it would be taken for gone. Each array task is a
// row of its own with its job's id; task is -1 for a job that is no array.
struct rt_slurm_queue_row {
    struct rt_slurm_row row;
    uint64_t array_id;
    int64_t task;
};
enum rt_status rt_slurm_queue_read(struct rt_bytes text, const char *prefix,
                                   struct rt_slurm_queue_row *ret_rows, size_t capacity,
                                   size_t *ret_count) RT_WARN_UNUSED;

// sacct's answer for one job: RT_NOT_FOUND when it has no line of it.
enum rt_status rt_slurm_account_read(struct rt_bytes text, uint64_t id,
                                     enum rt_slurm_state *ret_state) RT_WARN_UNUSED;

// sbatch --parsable: "123" or "123;cluster".
enum rt_status rt_slurm_submitted_read(struct rt_bytes text, uint64_t *ret_id) RT_WARN_UNUSED;

// A number of `scontrol show config`: "NAME                = 1001". RT_NOT_FOUND.
enum rt_status rt_slurm_config_read(struct rt_bytes text, const char *name,
                                    uint32_t *ret_value) RT_WARN_UNUSED;

// "ringtrial-job 1 START NODE PORT JOB\n": start counts from 1; a host name or address.
struct rt_slurm_where {
    uint64_t start, job;
    uint16_t port;
    char node[RT_SLURM_NODE_BYTES];
};
enum rt_status rt_slurm_where_read(struct rt_bytes text,
                                   struct rt_slurm_where *ret_where) RT_WARN_UNUSED;

// Append text with {node} and {port} filled in.
void rt_slurm_fill(const char *text, const struct rt_slurm_where *where, struct rt_buf *out);

#endif
