// SPDX-License-Identifier: Apache-2.0
#include "proto/rating_book.h"

#include <stdlib.h>

static size_t start_of(const struct rt_rating_book *book, uint64_t group, uint64_t number)
{
    uint64_t hash = (group ^ number * 0x9e3779b97f4a7c15u) * 0xff51afd7ed558ccdu;
    return (size_t)(hash ^ hash >> 29) & (book->size - 1);
}

static void insert(struct rt_rating_book *book, const struct rt_rating_entry *entry)
{
    size_t at = start_of(book, entry->group, entry->number);
    while (book->entries[at].group != UINT64_MAX)
        at = (at + 1) & (book->size - 1);
    book->entries[at] = *entry;
}

static enum rt_status grow(struct rt_rating_book *book)
{
    struct rt_rating_book wider = *book;
    wider.size = book->size ? 2 * book->size : 256;
    wider.entries = malloc(wider.size * sizeof *wider.entries);
    if (!wider.entries)
        return RT_NO_MEMORY;
    for (size_t i = 0; i < wider.size; i++)
        wider.entries[i].group = UINT64_MAX;
    for (size_t i = 0; i < book->size; i++)
        if (book->entries[i].group != UINT64_MAX)
            insert(&wider, &book->entries[i]);
    free(book->entries);
    *book = wider;
    return RT_OK;
}

static enum rt_status add(struct rt_rating_book *book, const struct rt_rating_entry *entry)
{
    enum rt_status status = 2 * (book->used + 1) > book->size ? grow(book) : RT_OK;
    if (status)
        return status;
    insert(book, entry);
    book->used++;
    return RT_OK;
}

void rt_rating_book_release(struct rt_rating_book *book)
{
    free(book->entries);
    *book = (struct rt_rating_book){.entries = NULL};
}

enum rt_status rt_rating_book_spare(struct rt_rating_book *book, uint64_t group, uint64_t number,
                                    uint64_t leaf)
{
    if (rt_rating_book_is_spare(book, group, number, leaf))
        return RT_OK;
    struct rt_rating_entry entry = {.group = group, .number = number, .leaf = leaf, .spare = true};
    enum rt_status status = add(book, &entry);
    book->spares += !status;
    return status;
}

bool rt_rating_book_is_spare(const struct rt_rating_book *book, uint64_t group, uint64_t number,
                             uint64_t leaf)
{
    if (!book->size)
        return false;
    for (size_t at = start_of(book, group, number); book->entries[at].group != UINT64_MAX;
         at = (at + 1) & (book->size - 1)) {
        const struct rt_rating_entry *entry = &book->entries[at];
        if (entry->spare && entry->group == group && entry->number == number &&
            entry->leaf == leaf)
            return true;
    }
    return false;
}

enum rt_status rt_rating_book_add(struct rt_rating_book *book, uint64_t group, uint64_t number,
                                  const struct rt_rating_label *label)
{
    struct rt_rating_entry entry = {.group = group, .number = number, .label = *label};
    enum rt_status status = add(book, &entry);
    book->labels += !status;
    return status;
}

size_t rt_rating_book_labels(const struct rt_rating_book *book, uint64_t group, uint64_t number,
                             struct rt_rating_label *ret_labels)
{
    size_t count = 0;
    if (!book->size)
        return 0;
    for (size_t at = start_of(book, group, number);
         book->entries[at].group != UINT64_MAX && count < RT_RATERS_MOST;
         at = (at + 1) & (book->size - 1)) {
        const struct rt_rating_entry *entry = &book->entries[at];
        if (!entry->spare && entry->group == group && entry->number == number)
            ret_labels[count++] = entry->label;
    }
    return count;
}
