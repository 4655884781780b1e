// SPDX-License-Identifier: Apache-2.0
// What a probe found out, kept in the lab's state (STATE/probes/SUBJECT.json) for the worker to put
// into the serving fingerprint. It holds for the identity digest it was found out of and no other.
// One thread.
#ifndef RT_WORKER_SUBJECT_KNOWN_H
#define RT_WORKER_SUBJECT_KNOWN_H

#include "worker/executor/executor.h"

#define RT_KNOWN_MOST 65536

// Strict; RT_MALFORMED, RT_TOO_LARGE.
enum rt_status rt_known_parse(struct rt_bytes text, struct rt_exec_known *ret_known,
                              struct rt_error *err) RT_WARN_UNUSED;
enum rt_status rt_known_write(const struct rt_exec_known *known, struct rt_buf *out) RT_WARN_UNUSED;

// False when there is none, or none that can be read.
bool rt_known_load(const char *state, const char *subject, struct rt_exec_known *ret_known);
enum rt_status rt_known_save(const char *state, const char *subject,
                             const struct rt_exec_known *known,
                             struct rt_error *err) RT_WARN_UNUSED;

#endif
