// SPDX-License-Identifier: Apache-2.0
// Checks a bundle offline, from its bytes alone: the log leaf by leaf, every signature under the
// roster in force at that leaf, every object under its digest, the order of the proof, a recount of
// all results, and the report computed again (EVIDENCE.md). Trusts nothing the bundle says about
// itself; whom to trust is the reader's own policy. Only reads. Called from one thread; has
// a few of its own for reading and for signatures.
#ifndef RT_AUDITOR_VERIFY_H
#define RT_AUDITOR_VERIFY_H

#include <jansson.h>

#include "auditor/checks.h"
#include "common/base/error.h"
#include "common/report/model.h"

struct rt_audit;

// All may be NULL.
struct rt_audit_settings {
    const char *policy;   // a tlog-policy file
    const char *log_key;  // a vkey, or a file that holds one
    const char *roster;   // digest of the first roster, as an invitation has it
    const char *campaign; // id or start of the digest
    const char *receipts; // a folder of a lab's receipts
};

// Run every check over the bundle in folder. RT_OK when they were run, whatever they found;
// otherwise nothing could be said: RT_IO, RT_NOT_FOUND, RT_NO_MEMORY, RT_USAGE, RT_MALFORMED (the
// reader's own policy). Free it in any case.
enum rt_status rt_audit_run(const char *folder, const struct rt_audit_settings *settings,
                            struct rt_audit **ret_audit, struct rt_error *err) RT_WARN_UNUSED;
void rt_audit_free(struct rt_audit *audit); // takes NULL

const struct rt_checks *rt_audit_checks(const struct rt_audit *audit);
// The recomputed report, or NULL where the bundle does not let one be computed. Borrowed.
struct rt_report *rt_audit_recomputed(struct rt_audit *audit);

// For people: the table, the labs and what is missing, the verdict in a line.
void rt_audit_print(const struct rt_audit *audit, struct rt_buf *out);
// The same as one object; the caller decrefs it. NULL when out of memory.
json_t *rt_audit_json(struct rt_audit *audit);
// The one line: "authentic and complete", or what is wrong first and where.
void rt_audit_verdict(const struct rt_audit *audit, char *ret_text, size_t capacity);

#endif
