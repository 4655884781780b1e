// SPDX-License-Identifier: Apache-2.0
// What the files that read scenarios share among themselves: the table, the steps of its tests, and
// the checks that follow reading and decoding alike. Nothing else includes this.
#ifndef RT_PROTO_DOC_SCENARIO_DOC_H
#define RT_PROTO_DOC_SCENARIO_DOC_H

#include "proto/doc/table.h"
#include "proto/scenario.h"

extern const struct rt_doc_table rt_scenario_table;

enum rt_status rt_scenario_read_steps(struct rt_doc_reader *reader, const struct rt_node *node,
                                      void *record) RT_WARN_UNUSED;

// Resolve every reference to an index and copy null pairs (scenario_resolve.c).
enum rt_status rt_scenario_resolve(struct rt_doc_reader *reader,
                                   struct rt_scenario *scenario) RT_WARN_UNUSED;
// Expand every template in every arm × phrasing and compile every pattern (scenario_check.c).
enum rt_status rt_scenario_check(struct rt_doc_reader *reader,
                                 const struct rt_scenario *scenario) RT_WARN_UNUSED;

#endif
