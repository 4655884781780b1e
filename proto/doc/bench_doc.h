// SPDX-License-Identifier: Apache-2.0
// What the files that read benches share: the tables of bench.yaml and salts.yaml. The taxonomy's
// table is also the campaign's. Nothing else includes this.
#ifndef RT_PROTO_DOC_BENCH_DOC_H
#define RT_PROTO_DOC_BENCH_DOC_H

#include "proto/bench.h"
#include "proto/doc/table.h"

struct rt_salts {
    struct rt_pair *items; // scenario id, salt in hex
    size_t count;
};

extern const struct rt_doc_table rt_label_table;
extern const struct rt_doc_table rt_bench_table;
extern const struct rt_doc_table rt_salts_table;

// Rules of a taxonomy that follow reading and decoding alike.
enum rt_status rt_labels_check(struct rt_doc_reader *reader, const struct rt_label *labels,
                               size_t count) RT_WARN_UNUSED;

#endif
