// SPDX-License-Identifier: Apache-2.0
// What the files that read worker.yaml share. Nothing else includes this.
#ifndef RT_PROTO_DOC_LABCONFIG_DOC_H
#define RT_PROTO_DOC_LABCONFIG_DOC_H

#include "proto/doc/table.h"
#include "proto/labconfig.h"

struct rt_lab_slurm {
    unsigned mode; // pilot, array
    const char **serve;
    size_t serve_count;
    const char *ready_url;
    int64_t ready_within_ms;
    struct rt_pair *sbatch;
    size_t sbatch_count;
    uint32_t jobs_at_most;
    int64_t idle_exit_ms, poll_ms;
};

extern const struct rt_doc_table rt_labconfig_table;

#endif
