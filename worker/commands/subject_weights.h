// SPDX-License-Identifier: Apache-2.0
// The part of `subject add` that reads a model's files, and `subject check`. Prints progress on a
// terminal and nothing else. One thread.
#ifndef RT_WORKER_COMMANDS_SUBJECT_WEIGHTS_H
#define RT_WORKER_COMMANDS_SUBJECT_WEIGHTS_H

#include <limits.h>

#include "common/base/option.h"
#include "common/crypto/hash.h"

// What worker.yaml is to say of a subject's weights.
struct subject_weights {
    bool has_manifest, has_template;
    struct rt_digest manifest, chat_template;
    char dir[PATH_MAX];       // absolute
    const char *files[256];   // names in it, borrowed from the operands
    size_t file_count;        // 0: everything
};

// Hash what `paths` name (one folder, one file, or several files of one folder; none: nothing) and
// keep the manifest in the state of worker.yaml at `config`. RT_USAGE for files of several folders.
enum rt_status rt_subject_weigh(const char *config, const char *id,
                                const struct rt_text_list *paths, const char *chat_template,
                                struct subject_weights *ret_found,
                                struct rt_error *err) RT_WARN_UNUSED;

#endif
