// SPDX-License-Identifier: Apache-2.0
// promptfoo's asserts as one pattern over the answer. Private to the promptfoo reader. Pure.
#ifndef RT_INTEROP_PROMPTFOO_H
#define RT_INTEROP_PROMPTFOO_H

#include "interop/import.h"
#include "proto/doc/tree.h"

struct rt_promptfoo_rule {
    const char *pattern; // PCRE2 that an answer matches which passes all mapped asserts; "" none
    const char *example; // an answer that passes; "" unknown
    const char *rubric;  // of model-graded asserts; "" none
    size_t mapped;
};

// Add the asserts of a list (NULL: none) to the rule. Those that no pattern decides are noted.
enum rt_status rt_promptfoo_asserts(struct rt_import *import, const char *name,
                                    const struct rt_node *list, struct rt_promptfoo_rule *rule,
                                    struct rt_error *err) RT_WARN_UNUSED;

#endif
