// SPDX-License-Identifier: Apache-2.0
// GPUs asked for by sbatch options, as sbatch(1) writes them: --gpus=[type:]n for the whole job,
// --gpus-per-node=[type:]n and --gres=gpu[:type][:n][,...] for each node.
#include <stdlib.h>
#include <string.h>

#include "proto/doc/doc.h"
#include "proto/labconfig.h"

#define GPUS_MOST 4096u

// The number at the end of "n", "type:n" or "type" (then 1); several types are separated by commas.
// With gres every item but "gpu" and "gpu:..." is something else.
static uint32_t count_list(const char *list, bool gres)
{
    uint32_t total = 0;
    while (*list) {
        size_t size = strcspn(list, ",");
        bool ours = !gres || (size >= 3 && memcmp(list, "gpu", 3) == 0 &&
                              (size == 3 || list[3] == ':' || list[3] == '('));
        if (ours && size) {
            size_t end = size;
            for (size_t i = 0; i < size; i++) // "gpu:a100:2(S:0-1)": places, not a number
                if (list[i] == '(') {
                    end = i;
                    break;
                }
            size_t start = end;
            while (start && list[start - 1] >= '0' && list[start - 1] <= '9')
                start--;
            bool number = start < end && (!start || list[start - 1] == ':');
            unsigned long value = number ? strtoul(list + start, NULL, 10) : 1;
            total += value > GPUS_MOST ? GPUS_MOST : (uint32_t)value;
            total = total > GPUS_MOST ? GPUS_MOST : total;
        }
        list += size + (list[size] == ',');
    }
    return total;
}

uint32_t rt_lab_gpus(const struct rt_lab_subject *subject)
{
    if (subject->gpus || !subject->slurm)
        return subject->gpus;
    const struct rt_lab_slurm *slurm = subject->slurm;
    const char *whole = rt_pair_value(slurm->sbatch, slurm->sbatch_count, "gpus");
    if (whole)
        return count_list(whole, false);
    const char *each = rt_pair_value(slurm->sbatch, slurm->sbatch_count, "gpus-per-node");
    const char *gres = rt_pair_value(slurm->sbatch, slurm->sbatch_count, "gres");
    const char *nodes = rt_pair_value(slurm->sbatch, slurm->sbatch_count, "nodes");
    uint32_t count = each ? count_list(each, false) : gres ? count_list(gres, true) : 0;
    unsigned long times = nodes ? strtoul(nodes, NULL, 10) : 1;
    uint64_t all = (uint64_t)count * (times && times <= GPUS_MOST ? times : 1);
    return all > GPUS_MOST ? GPUS_MOST : (uint32_t)all;
}
