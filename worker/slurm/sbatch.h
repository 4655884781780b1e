// SPDX-License-Identifier: Apache-2.0
// The words of one sbatch: worker.yaml's options first, then those that the worker sets itself. No
// I/O. Any thread on distinct values.
#ifndef RT_WORKER_SLURM_SBATCH_H
#define RT_WORKER_SLURM_SBATCH_H

#include "worker/slurm/spool.h"

#define RT_SBATCH_WORDS_MOST 80

struct rt_sbatch {
    const char *argv[RT_SBATCH_WORDS_MOST + 1]; // NULL-terminated
    char texts[RT_SBATCH_WORDS_MOST][PATH_MAX + 64];
    size_t count;
};

// tasks 0: no array. The output goes to `log`, of an array's task t to `log-t`.
void rt_sbatch_words(const struct rt_slurm_folder *folder, const struct rt_lab_subject *subject,
                     uint32_t tasks, struct rt_sbatch *ret_words);

#endif
