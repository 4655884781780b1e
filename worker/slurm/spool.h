// SPDX-License-Identifier: Apache-2.0
// A job's folder in the spool, which the worker and the nodes share: the script that Slurm runs,
// the key of its server (0600), and what the script says there, one small file each, written whole
// or not at all. Nothing here talks to Slurm. One thread.
//
//   job      "ringtrial-pilot 1 SUBJECT ID": written by the worker, so that it finds its jobs again
//   script   what sbatch gets; key: 64 hex digits; log: what the job printed
//   where    "ringtrial-job 1 START NODE PORT ID": the server is being started there
//   warned   the number of the start that Slurm's warning signal reached
//   ended    the number of the start whose server is gone, and its exit code
#ifndef RT_WORKER_SLURM_SPOOL_H
#define RT_WORKER_SLURM_SPOOL_H

#include <limits.h>

#include "common/base/error.h"
#include "proto/labconfig.h"
#include "worker/slurm/parse.h"

#define RT_SLURM_KEY_BYTES    65  // 64 hex digits and NUL
#define RT_SLURM_PREFIX_BYTES 100 // "rt-LAB-INSTANCE"

struct rt_slurm_folder {
    char path[PATH_MAX];
    char name[RT_SLURM_PREFIX_BYTES + 20]; // the job's, and the folder's own
};

// The word that this worker's jobs begin with: a few random digits, kept in state, tell them from
// those of another worker of the same lab.
enum rt_status rt_slurm_prefix(const char *lab, const char *state,
                               char ret_prefix[RT_SLURM_PREFIX_BYTES],
                               struct rt_error *err) RT_WARN_UNUSED;
// The folder of a token below spool; nothing is made.
enum rt_status rt_slurm_folder_of(const char *spool, const char *prefix, uint64_t token,
                                  struct rt_slurm_folder *ret_folder) RT_WARN_UNUSED;
// Make it, with script, key and job file (id 0). ret_key is "" unless the subject wants one.
enum rt_status rt_slurm_folder_make(const struct rt_slurm_folder *folder,
                                    const struct rt_lab_subject *subject,
                                    char ret_key[RT_SLURM_KEY_BYTES],
                                    struct rt_error *err) RT_WARN_UNUSED;
enum rt_status rt_slurm_folder_job(const struct rt_slurm_folder *folder, const char *subject,
                                   uint64_t id, struct rt_error *err) RT_WARN_UNUSED;
// What is left of an earlier run: RT_NOT_FOUND when there is no sound job file.
enum rt_status rt_slurm_folder_load(const struct rt_slurm_folder *folder, char *ret_subject,
                                    uint64_t *ret_id,
                                    char ret_key[RT_SLURM_KEY_BYTES]) RT_WARN_UNUSED;
// Remove what the worker and the script wrote there, and the folder when nothing else is in it.
void rt_slurm_folder_remove(const struct rt_slurm_folder *folder);

// What the script says: RT_NOT_FOUND or RT_MALFORMED when it does not.
enum rt_status rt_slurm_folder_where(const struct rt_slurm_folder *folder,
                                     struct rt_slurm_where *ret_where) RT_WARN_UNUSED;
// The start that `warned` or `ended` (file) is about, 0 for none.
uint64_t rt_slurm_folder_mark(const struct rt_slurm_folder *folder, const char *file);

// Append text as one word of shell.
void rt_slurm_quote(const char *text, struct rt_buf *out);
// Append the pilot's script.
void rt_slurm_pilot_script(const struct rt_slurm_folder *folder,
                           const struct rt_lab_subject *subject, struct rt_buf *out);

#endif
