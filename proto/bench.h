// SPDX-License-Identifier: Apache-2.0
// A bench: a folder with bench.yaml (version, taxonomy with polarity, card, change log), its
// scenarios and the salts that hide them. Reading resolves labels of every scenario against the
// taxonomy. Never runs a scenario: its tests are the engine's. One thread while loading.
#ifndef RT_PROTO_BENCH_H
#define RT_PROTO_BENCH_H

#include "proto/scenario.h"

#define RT_LABELS_MOST    64
#define RT_SCENARIOS_MOST 4096

struct rt_label {
    const char *id;
    bool behaviour;    // polarity: does this label count as the behaviour
    uint32_t severity; // 0-4, of the label unless a rule says otherwise
    const char *says;
    uint32_t line;
};

struct rt_change {
    const char *version;
    int64_t date_ms;
    const char *what;
    bool has_digest;
    struct rt_digest digest; // rt_bench.content of that version; not part of the object
    uint32_t line;
};

// One heading of the card (intended_use, limits, ...) with its paragraphs.
struct rt_card_entry {
    const char *name;
    const char **texts;
    size_t text_count;
};

// One scenario of the bench, by its salted object.
struct rt_bench_entry {
    const char *id;
    struct rt_digest digest;
    const char *file;            // "scenarios/x.yaml", for messages; "" after decoding
    uint8_t salt[RT_SALT_BYTES]; // zeros after decoding
};

struct rt_bench {
    const char *id, *version, *title, *licence, *canary;
    const char *provenance; // "original", "shadow-of: X", "imported-from: X", or ""
    bool crossed;           // phrasing ids are one factor across scenarios
    struct rt_label *labels;
    size_t label_count;
    struct rt_card_entry *card; // in document order
    size_t card_count;
    struct rt_change *changes;
    size_t change_count;
    struct rt_bench_entry *entries; // in file name order
    struct rt_scenario **scenarios; // the same order; NULL after decoding
    size_t scenario_count;
    struct rt_digest digest;  // of the bench object
    struct rt_digest content; // of all that a version stands for: without salts and change log
};

// Load folder/bench.yaml, folder/scenarios/*.yaml and folder/salts.yaml. Scenarios without a salt
// get one from the system's randomness and salts.yaml is rewritten (mode 0600), unless read_only,
// where a missing salt is RT_NOT_FOUND with the remedy. Everything lives in arena.
enum rt_status rt_bench_load(const char *folder, bool read_only, struct rt_arena *arena,
                             struct rt_bench **ret_bench, struct rt_notes *notes,
                             struct rt_error *err) RT_WARN_UNUSED;

// The bench object (canonical msgpack: card, taxonomy, changes, and scenarios by salted digest).
enum rt_status rt_bench_encode(const struct rt_bench *bench, struct rt_buf *out) RT_WARN_UNUSED;
// The inverse, strict: entries without files and salts, scenarios NULL.
enum rt_status rt_bench_decode(struct rt_bytes object, struct rt_arena *arena,
                               struct rt_bench **ret_bench) RT_WARN_UNUSED;

// What a careful reader would ask of a bench, appended to out one finding a line ("file:line: what,
// and the remedy"): rt_scenario_lint over all scenarios, languages, null pairs, labels that no test
// expects, contexts too short for attached files, licence, provenance, the canary in every file,
// and a change log whose last entry is this version with this content. Returns how many. The folder
// is the one the bench was loaded from.
size_t rt_bench_lint(const struct rt_bench *bench, const char *folder, struct rt_buf *out);

// What changed from one version to the other, as a Markdown list appended to out: taxonomy, card,
// and each scenario by its parts, phrasings with both texts. Where either bench was decoded from an
// object, scenarios are compared by digest only. Returns how many changes there are.
size_t rt_bench_compare(const struct rt_bench *before, const struct rt_bench *after,
                        struct rt_buf *out);

// The index of a label, or RT_NONE.
uint32_t rt_bench_label(const struct rt_bench *bench, const char *id);

#endif
