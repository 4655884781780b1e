// SPDX-License-Identifier: Apache-2.0
#include "worker/slurm/sbatch.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#define OWN_WORDS 12 // those that are not worker.yaml's

static void add(struct rt_sbatch *words, const char *format, ...) RT_PRINTF(2, 3);
static void add(struct rt_sbatch *words, const char *format, ...)
{
    va_list args;
    RT_ASSERT(words->count < RT_SBATCH_WORDS_MOST);
    char *text = words->texts[words->count];
    va_start(args, format);
    vsnprintf(text, sizeof words->texts[0], format, args);
    va_end(args);
    words->argv[words->count++] = text;
    words->argv[words->count] = NULL;
}

void rt_sbatch_words(const struct rt_slurm_folder *folder, const struct rt_lab_subject *subject,
                     uint32_t tasks, struct rt_sbatch *ret_words)
{
    const struct rt_lab_slurm *slurm = subject->slurm;
    ret_words->count = 0;
    add(ret_words, "sbatch");
    add(ret_words, "--parsable");
    for (size_t i = 0; i < slurm->sbatch_count && i < RT_SBATCH_WORDS_MOST - OWN_WORDS; i++)
        add(ret_words, "--%s%s%s", slurm->sbatch[i].name, *slurm->sbatch[i].value ? "=" : "",
            slurm->sbatch[i].value);
    add(ret_words, "--job-name=%s", folder->name);
    add(ret_words, "--chdir=%s", folder->path);
    add(ret_words, "--output=%s/log%s", folder->path, tasks ? "-%a" : "");
    add(ret_words, "--comment=ringtrial %.64s", subject->id);
    add(ret_words, "--open-mode=append");
    if (tasks)
        add(ret_words, "--array=0-%" PRIu32, tasks - 1);
    add(ret_words, "%s/script", folder->path);
}
