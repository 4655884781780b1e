// SPDX-License-Identifier: Apache-2.0
// What scenario_resolve.c and scenario_parts.c share: finding what a text names, and the parts of a
// scenario that nest (conditions, arguments) or stand beside the script (roles, files). No I/O; one
// thread. Nothing else includes this.
#ifndef RT_PROTO_DOC_SCENARIO_PARTS_H
#define RT_PROTO_DOC_SCENARIO_PARTS_H

#include "proto/doc/scenario_doc.h"

struct rt_resolve {
    struct rt_doc_reader *reader;
    struct rt_scenario *scenario;
};

// "tool `x` is not in the scenario; did you mean ...".
enum rt_status rt_resolve_unknown(const struct rt_resolve *resolve, uint32_t line, const char *what,
                                  const char *word, const char *const *list);
enum rt_status rt_resolve_tool(const struct rt_resolve *resolve, uint32_t line, const char *name,
                               uint32_t *ret_index);
enum rt_status rt_resolve_event(const struct rt_resolve *resolve, uint32_t line, const char *id,
                                uint32_t *ret_index);
enum rt_status rt_resolve_role(const struct rt_resolve *resolve, uint32_t line, const char *id,
                               uint32_t *ret_index);
// Every name of pairs must be in the world.
enum rt_status rt_resolve_world(const struct rt_resolve *resolve, uint32_t line,
                                const struct rt_pair *pairs, size_t count);
// Every name of pairs must be an argument of the tool, or a path into one; with `complete`, none
// that is required may lack.
enum rt_status rt_resolve_args(const struct rt_resolve *resolve, uint32_t line,
                               const struct rt_tool *tool, const struct rt_pair *pairs,
                               size_t count, bool complete);

// scenario_parts.c
enum rt_status rt_resolve_condition(const struct rt_resolve *resolve, uint32_t line,
                                    struct rt_condition *condition, unsigned depth);
enum rt_status rt_resolve_tool_parts(const struct rt_resolve *resolve, struct rt_tool *tool);
// Roles, and the turns they take.
enum rt_status rt_resolve_roles(const struct rt_resolve *resolve);
// Files, and what is redacted.
enum rt_status rt_resolve_files(const struct rt_resolve *resolve);

#endif
