// SPDX-License-Identifier: Apache-2.0
// A name and a value as text: variables of arms and phrasings, world entries, tool arguments and
// other small maps of the documents, in document order. Plain data in the document's arena.
#ifndef RT_PROTO_DOC_PAIR_H
#define RT_PROTO_DOC_PAIR_H

#include <stddef.h>
#include <string.h>

struct rt_pair {
    const char *name;
    const char *value; // scalars keep the text they were written with: "true", "0.7", ""
};

// The index of name among count pairs, or -1.
static inline int rt_pair_index(const struct rt_pair *pairs, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(pairs[i].name, name) == 0)
            return (int)i;
    return -1;
}
// The value of name, or NULL.
static inline const char *rt_pair_value(const struct rt_pair *pairs, size_t count, const char *name)
{
    int i = rt_pair_index(pairs, count, name);
    return i < 0 ? NULL : pairs[i].value;
}

#endif
