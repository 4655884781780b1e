// SPDX-License-Identifier: Apache-2.0
// Reading RFC 4180 CSV, strictly and with bounds: quoted fields with newlines and doubled quotes, a
// UTF-8 byte-order mark, CRLF or LF. Anything else (a quote inside a bare field, text after a
// closing quote, a lone CR, NUL bytes, bytes that are no UTF-8, rows of another width) is an error
// that names the line. Knows nothing of what the columns mean. One thread at a time.
#ifndef RT_BASE_CSV_H
#define RT_BASE_CSV_H

#include "common/base/bytes.h"
#include "common/base/error.h"

#define RT_CSV_COLUMNS_MAX   128
#define RT_CSV_ROW_BYTES_MAX ((size_t)1 << 20)

struct rt_csv_field {
    const char *text; // NUL-terminated; valid until the next row
    size_t size;
};

struct rt_csv {
    const char *name;     // for messages
    struct rt_bytes rest; // not read yet
    uint64_t line;        // of the next byte, from 1
    uint64_t row_line;    // where the present row starts
    size_t columns;       // of the first row; 0 before it
    struct rt_csv_field fields[RT_CSV_COLUMNS_MAX];
    size_t offsets[RT_CSV_COLUMNS_MAX];
    struct rt_buf row; // the present row's fields, NUL after each
};

// name ("trials.csv") and text are borrowed until release.
void rt_csv_init(struct rt_csv *csv, const char *name, struct rt_bytes text);
void rt_csv_release(struct rt_csv *csv);
// The next row into csv->fields (csv->columns of them). *ret_row is false at the end of the text.
// Empty lines are skipped. The first row decides how many columns all have. Errors read "name:line:
// what".
enum rt_status rt_csv_next(struct rt_csv *csv, bool *ret_row, struct rt_error *err) RT_WARN_UNUSED;

#endif
