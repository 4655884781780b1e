// SPDX-License-Identifier: Apache-2.0
// Arguments of tool calls: the JSON Schema a tool is offered with, what a call's arguments break of
// it, and their texts as patterns and templates see them. Never runs anything. Pure; any thread.
#ifndef RT_ENGINE_ARGUMENT_H
#define RT_ENGINE_ARGUMENT_H

#include "common/base/arena.h"
#include "common/base/bytes.h"
#include "proto/scenario.h"

struct json_t;

#define RT_ARGUMENT_PAIRS_MOST 256  // texts of one call that templates may name
#define RT_ARGUMENT_TEXT_MOST  1024 // bytes of each; the rest is cut off

// The JSON Schema of an object with these arguments (type, properties, required, enum, minimum,
// maximum, lengths, pattern, items); nothing else is allowed in it. The caller decrefs it; NULL
// when out of memory.
struct json_t *rt_argument_schema(const struct rt_arg *args, size_t count);

// NULL when object (a JSON object) is as declared, else the error that a tool would answer with,
// in arena ("error: argument lines[0].amount is missing"); "" when out of memory. Members that are
// not declared are ignored, as most tools would.
const char *rt_argument_error(const struct rt_arg *args, size_t count, const struct json_t *object,
                              struct rt_arena *arena);

// What a path (proto/scenario.h, rt_arg_find) leads to, or NULL.
const struct json_t *rt_argument_at(const struct json_t *object, const char *path);

// The text a pattern sees: strings as they are, numbers in shortest form, true or false, objects
// and arrays as canonical JSON. False for null. Appends to out.
bool rt_argument_text(const struct json_t *value, struct rt_buf *out);

// The texts of all members by path, each cut to RT_ARGUMENT_TEXT_MOST bytes. RT_NO_MEMORY.
enum rt_status rt_argument_pairs(const struct json_t *object, struct rt_arena *arena,
                                 const struct rt_pair **ret_pairs,
                                 size_t *ret_count) RT_WARN_UNUSED;

// A script's text as JSON of the declared type: lists and objects are written as JSON. Text that
// does not fit its type stays a string, so that a script can also show what a wrong argument does.
// The caller decrefs it; NULL when out of memory.
struct json_t *rt_argument_typed(const struct rt_tool *tool, const char *name, const char *text);

#endif
