// SPDX-License-Identifier: Apache-2.0
#include "interop/yaml_out.h"

void rt_yaml_quoted(struct rt_buf *out, const char *text)
{
    rt_buf_add_u8(out, '"');
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            rt_buf_printf(out, "\\%c", c);
        else if (c == '\n')
            rt_buf_add_str(out, "\\n");
        else if (c == '\t')
            rt_buf_add_str(out, "\\t");
        else if (c < 0x20 || c == 0x7f)
            rt_buf_printf(out, "\\x%02x", c);
        else
            rt_buf_add_u8(out, c);
    }
    rt_buf_add_u8(out, '"');
}

// Whether a literal block gives the text back: ASCII letters, marks and UTF-8 below the line
// separators of Unicode, no space at a line's end, no blank at the start, no tab.
static bool fits_block(const char *text)
{
    if (!strchr(text, '\n') || *text == ' ' || *text == '\n')
        return false;
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        bool space_at_end = *p == ' ' && (p[1] == '\n' || !p[1]);
        if ((*p < 0x20 && *p != '\n') || *p == 0x7f || space_at_end)
            return false;
        if (*p == 0xc2 && p[1] < 0xa0) // next line and other C1 controls
            return false;
        if ((*p == 0xe2 && p[1] == 0x80 && (p[2] == 0xa8 || p[2] == 0xa9)) ||
            (*p == 0xef && p[1] == 0xbb && p[2] == 0xbf))
            return false;
    }
    return true;
}

static size_t trailing_feeds(const char *text)
{
    size_t size = strlen(text), count = 0;
    while (count < size && text[size - 1 - count] == '\n')
        count++;
    return count;
}

void rt_yaml_text(struct rt_buf *out, int indent, const char *key, const char *text)
{
    rt_buf_printf(out, "%*s%s%s ", indent, "", key, strcmp(key, "-") ? ":" : "");
    size_t feeds = trailing_feeds(text);
    if (!fits_block(text) || feeds > 1) {
        rt_yaml_quoted(out, text);
        rt_buf_add_u8(out, '\n');
        return;
    }
    rt_buf_add_str(out, feeds ? "|\n" : "|-\n");
    while (*text) {
        size_t size = strcspn(text, "\n");
        if (size)
            rt_buf_printf(out, "%*s", indent + 2, "");
        rt_buf_add(out, text, size);
        rt_buf_add_u8(out, '\n');
        text += size + (text[size] == '\n');
    }
}

void rt_yaml_template(struct rt_buf *out, const char *text, bool *braces, size_t *controls)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '{' && text[1] == '{') {
            rt_buf_add_str(out, "{{open_brace}}");
            *braces = true;
        } else if (c == '\r' && text[1] == '\n') {
            continue; // the pair is one line end
        } else if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7f ||
                   (c == 0xc2 && (unsigned char)text[1] < 0xa0)) {
            rt_buf_add_u8(out, ' ');
            *controls += 1;
            text += c == 0xc2;
        } else {
            rt_buf_add_u8(out, c);
        }
    }
}
