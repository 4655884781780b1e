// SPDX-License-Identifier: Apache-2.0
// A subject's weights as worker.yaml names them, held against the files that are there: at every
// start of what serves it, cheaply (only what changed is read again). Keeps a copy of the manifest
// in the lab's state, so that a difference can be named. One thread.
#ifndef RT_WORKER_SUBJECT_WEIGHTS_H
#define RT_WORKER_SUBJECT_WEIGHTS_H

#include "proto/labconfig.h"
#include "worker/home.h"
#include "worker/subject/manifest.h"

struct rt_weights_check;

// RT_NOT_FOUND (nothing to check: no `weights.dir` or no manifest), else as rt_manifest_begin.
enum rt_status rt_weights_begin(const struct rt_home *home, const struct rt_lab_subject *subject,
                                struct rt_weights_check **ret_check,
                                struct rt_error *err) RT_WARN_UNUSED;
// RT_AGAIN while there is more to read; RT_CONFLICT when the files are not those of worker.yaml,
// with the first difference and the remedy.
enum rt_status rt_weights_step(struct rt_weights_check *check, int64_t budget_ms,
                               struct rt_error *err) RT_WARN_UNUSED;
void rt_weights_progress(const struct rt_weights_check *check,
                         struct rt_manifest_progress *ret_progress);
void rt_weights_free(struct rt_weights_check *check); // takes NULL

// STATE/weights/NAME, the folder made; ret_path has PATH_MAX bytes.
enum rt_status rt_weights_place(const char *state, const char *name, char *ret_path,
                                struct rt_error *err) RT_WARN_UNUSED;
// Keep a manifest's text under its digest.
enum rt_status rt_weights_keep(const char *state, const struct rt_manifest *manifest,
                               struct rt_digest *ret_digest, struct rt_error *err) RT_WARN_UNUSED;

// The chat template among a model's files: chat_template.jinja or chat_template.json, else the
// `chat_template` of tokenizer_config.json. False when there is none (a GGUF carries its own).
bool rt_weights_template(const char *folder, struct rt_digest *ret_digest);

#endif
