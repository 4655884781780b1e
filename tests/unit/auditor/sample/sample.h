// SPDX-License-Identifier: Apache-2.0
// A whole campaign in one process and in virtual time, through the real core and the real store,
// with every key at hand: five labs, one with errors, duplicates and late results, one that
// withdraws, one that joins late, one that never answers. What the auditor's tests verify, and what
// they tamper with in every way a coordinator, an operator or a thief could. Aborts on any failure:
// a test cannot go on without it.
#ifndef RT_TESTS_AUDITOR_SAMPLE_H
#define RT_TESTS_AUDITOR_SAMPLE_H

#include "common/crypto/key.h"
#include "coordinator/store/store.h"
#include "proto/campaign.h"
#include "proto/roster.h"
#include "proto/statement.h"

#define SAMPLE_LABS 5
enum sample_lab { LAB_A, LAB_B, LAB_C, LAB_D, LAB_E }; // in the campaign's order

struct sample_unit {
    struct rt_digest digest;
    struct rt_buf object, statement;
};

struct sample {
    char folder[64]; // a temporary one; the bundle is FOLDER/bundle
    char bundle[80];
    int64_t now_ms;
    struct rt_arena arena;
    struct rt_secret_key *log, *root, *operator_key, *board, *lab[SAMPLE_LABS];
    struct rt_roster *roster;
    struct rt_campaign *campaign;
    struct rt_digest draw, accept[SAMPLE_LABS];
    struct rt_store *store;
    struct rt_core *core;
    struct rt_core_effects effects;
    struct rt_buf fingerprint[SAMPLE_LABS];
    struct sample_unit units[SAMPLE_LABS][64]; // dealt, not yet answered
    size_t unit_count[SAMPLE_LABS];
    uint64_t serial, seq, random;
};

// Run the campaign and write its bundle. closed false: stop before the operator asks the labs to
// close.
void sample_make(struct sample *sample, bool closed);
// The bundle as it was written.
void sample_bundle(struct sample *sample);
void sample_release(struct sample *sample); // removes the folder

// ---- an attacker's tools, on the folder of a bundle (attack.c)

struct sample_log {
    struct rt_bytes *leaves; // heap, each of its own
    size_t count;
};
void sample_log_read(const struct sample *sample, struct sample_log *ret_log);
// The whole log/ written anew: tiles, entries and a checkpoint signed by the log's real key.
void sample_log_write(const struct sample *sample, const struct sample_log *log);
void sample_log_free(struct sample_log *log);
void sample_log_drop(struct sample_log *log, size_t index);
void sample_log_swap(struct sample_log *log, size_t a, size_t b);
// Replace a leaf's text by copy with `from` replaced by `to` (once).
void sample_log_replace(struct sample_log *log, size_t index, const char *from, const char *to);
// Put a statement in at index, stamped like the leaf before it.
void sample_log_insert(struct sample_log *log, size_t index, struct rt_bytes unstamped);
// The index of the first leaf of this kind (and lab, where not NULL) at or after from; count when
// there is none.
size_t sample_log_find(const struct sample_log *log, enum rt_statement_kind kind, const char *lab,
                       size_t from);

// Everything a coordinator and an operator together can mend: objects nobody names are removed, the
// report is computed again from what is there, the manifest is made and signed anew.
void sample_mend(const struct sample *sample);
// The manifest alone, signed by the operator's real key.
void sample_manifest(const struct sample *sample);

// ---- files

char *sample_path(const struct sample *sample, const char *path); // heap
void sample_read(const char *path, struct rt_buf *out);
void sample_write(const char *path, struct rt_bytes bytes);
// Put bytes into objects/ under their digest; ret_digest may be NULL.
void sample_object(const struct sample *sample, struct rt_bytes bytes,
                   struct rt_digest *ret_digest);

// A number below bound, from the sample's own sequence.
uint64_t sample_random(struct sample *sample, uint64_t bound);
_Noreturn void sample_die(const char *what, int line, const char *text);
#define MUST(condition) ((condition) ? (void)0 : sample_die(#condition, __LINE__, ""))

#endif
