// SPDX-License-Identifier: Apache-2.0
// Texts as YAML: blocks where people read them better so, quoted otherwise, and both read back by
// proto/doc/tree.h to the same bytes. Pure; appends to a buffer.
#ifndef RT_INTEROP_YAML_OUT_H
#define RT_INTEROP_YAML_OUT_H

#include "common/base/bytes.h"

// A double-quoted scalar on one line.
void rt_yaml_quoted(struct rt_buf *out, const char *text);
// "KEY: " (an item of a list where key is "-") and the text, as a literal block where it has
// several lines and can be one, with a final line feed. indent: spaces before the key.
void rt_yaml_text(struct rt_buf *out, int indent, const char *key, const char *text);
// text as it must stand in a template to come out unchanged: a brace before another brace is
// written {{open_brace}}, which the scenario must define. *braces is set where one was needed.
// Control characters that scenarios cannot hold become spaces and are counted.
void rt_yaml_template(struct rt_buf *out, const char *text, bool *braces, size_t *controls);

#endif
