// SPDX-License-Identifier: Apache-2.0
// Rows added up while the table is read, under the numbers their levels got in order of appearance:
// one pass, and memory for what differs instead of for every row.
#include <string.h>

#include "auditor/csv_reader.h"

static size_t hash_of(const struct rt_csv_cell *cell)
{
    uint64_t hash = cell->severity * 2 + cell->shows;
    for (size_t c = 0; c < RT_CSV_FACTORS; c++)
        hash = (hash ^ cell->level[c]) * 0x9e3779b97f4a7c15u;
    return (size_t)(hash ^ hash >> 32);
}

static bool same(const struct rt_csv_cell *a, const struct rt_csv_cell *b)
{
    return memcmp(a->level, b->level, sizeof a->level) == 0 && a->severity == b->severity &&
           a->shows == b->shows;
}

static uint32_t *slot_of(const struct rt_csv_cells *cells, const struct rt_csv_cell *cell)
{
    size_t mask = cells->slot_count - 1;
    for (size_t at = hash_of(cell) & mask;; at = (at + 1) & mask) {
        uint32_t *slot = &cells->slots[at];
        if (!*slot || same(&cells->rows[*slot - 1], cell))
            return slot;
    }
}

static enum rt_status grow(struct rt_csv_cells *cells)
{
    if (cells->count < cells->room)
        return RT_OK;
    size_t room = cells->room ? cells->room * 2 : 1024;
    struct rt_csv_cell *rows = rt_arena_array(cells->arena, room, sizeof *rows);
    uint32_t *slots = rt_arena_array(cells->arena, room * 2, sizeof *slots);
    if (!rows || !slots || room > UINT32_MAX / 2)
        return RT_NO_MEMORY;
    if (cells->count)
        memcpy(rows, cells->rows, cells->count * sizeof *rows);
    cells->rows = rows;
    cells->room = room;
    cells->slots = slots;
    cells->slot_count = room * 2;
    for (size_t i = 0; i < cells->count; i++)
        *slot_of(cells, &rows[i]) = (uint32_t)i + 1;
    return RT_OK;
}

static enum rt_status add(struct rt_csv_cells *cells, const struct rt_csv_cell *cell)
{
    enum rt_status status = grow(cells);
    if (status || !cell->n)
        return status;
    uint32_t *slot = slot_of(cells, cell);
    if (!*slot) {
        cells->rows[cells->count] = *cell;
        *slot = (uint32_t)++cells->count;
        return RT_OK;
    }
    struct rt_csv_cell *mine = &cells->rows[*slot - 1];
    if (__builtin_add_overflow(mine->n, cell->n, &mine->n) ||
        __builtin_add_overflow(mine->score_micro, cell->score_micro, &mine->score_micro) ||
        !rt_study_add_squares(mine->squares, cell->squares))
        return RT_OUT_OF_RANGE;
    mine->repeated += cell->repeated; // at most n
    return RT_OK;
}

// n trials of one value: their sum and sum of squares. A table of 0 and 1 needs neither, however
// many trials a row has.
static void score(struct rt_csv_reader *r, const struct rt_csv_row *row, struct rt_csv_cell *cell)
{
    unsigned __int128 squares = (unsigned __int128)((__int128)row->value_micro * row->value_micro);
    r->oversized |= row->n > RT_STUDY_SCORES_MOST;
    if (row->n > RT_STUDY_SCORES_MOST)
        return;
    squares *= row->n;
    cell->score_micro = row->value_micro * (int64_t)row->n;
    cell->squares[0] = (uint64_t)squares;
    cell->squares[1] = (uint64_t)(squares >> 64);
}

enum rt_status rt_csv_cells_add(struct rt_csv_reader *r, const struct rt_csv_row *row)
{
    bool split = r->measure == RT_CSV_K && row->counted && row->k && row->k < row->n;
    struct rt_csv_cell cell = {.severity = (uint32_t)row->severity,
                               .shows = row->counted && row->k > 0,
                               .n = split ? row->k : row->n,
                               .repeated = row->repeated,
                               .score_micro = row->score_micro};
    memcpy(cell.level, row->level, sizeof cell.level);
    if (r->measure == RT_CSV_VALUE && !r->reading->value_from && row->counted && row->n)
        score(r, row, &cell);
    if (cell.repeated > cell.n)
        cell.repeated = cell.n;
    enum rt_status status = add(&r->cells, &cell);
    if (status || !split)
        return status;
    struct rt_csv_cell rest = cell;
    rest.shows = 0;
    rest.n = row->n - cell.n;
    rest.repeated = row->repeated - cell.repeated;
    rest.score_micro = 0;
    rest.severity = 0;
    return add(&r->cells, &rest);
}
