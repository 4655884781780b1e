// SPDX-License-Identifier: Apache-2.0
// Signed notes as C2SP signed-note defines them: a text, a blank line, signature lines; with
// verifier keys (vkeys) of type 0x01 (Ed25519 over the text) and 0x04 (a timestamped cosignature,
// C2SP tlog-cosignature). Base64 is strict here where Go's is lenient. Does no I/O. Pure; any
// thread.
#ifndef RT_CRYPTO_NOTE_H
#define RT_CRYPTO_NOTE_H

#include "common/crypto/key.h"

#define RT_NOTE_NAME_BYTES 128       // a key's name with its NUL
#define RT_NOTE_MOST       (1 << 20) // bytes of a note
#define RT_NOTE_LINES_MOST 64        // signature lines
#define RT_NOTE_ID_BYTES   4
#define RT_VKEY_TEXT_BYTES (RT_NOTE_NAME_BYTES + 1 + 8 + 1 + 44)

enum rt_note_type {
    RT_NOTE_ED25519 = 0x01,
    RT_NOTE_COSIGNATURE = 0x04,
};

struct rt_vkey {
    char name[RT_NOTE_NAME_BYTES];
    uint8_t type;
    uint8_t id[RT_NOTE_ID_BYTES]; // SHA-256(name ‖ LF ‖ type ‖ key), first 4 bytes
    struct rt_public_key key;
};

// A name is UTF-8 without spaces, control characters and '+', 1 to 127 bytes.
bool rt_note_name_valid(struct rt_bytes name);
// RT_MALFORMED for a bad name or key, RT_UNSUPPORTED for another type.
enum rt_status rt_vkey_make(const char *name, enum rt_note_type type,
                            const struct rt_public_key *key,
                            struct rt_vkey *ret_vkey) RT_WARN_UNUSED;
// name+hex(id)+base64(type ‖ key). The id must be the key's own.
enum rt_status rt_vkey_parse(struct rt_bytes text, struct rt_vkey *ret_vkey) RT_WARN_UNUSED;
void rt_vkey_format(const struct rt_vkey *vkey, char *ret_text); // RT_VKEY_TEXT_BYTES
bool rt_vkey_equal(const struct rt_vkey *a, const struct rt_vkey *b);

// One signature line. signature holds what follows the id when it fits (size <= 72), so every type
// we know; longer ones of other types are kept by size alone.
struct rt_note_line {
    struct rt_bytes name; // a view
    uint8_t id[RT_NOTE_ID_BYTES];
    size_t signature_size;
    uint8_t signature[72];
};

// A parsed note: views into the bytes it was parsed from, which the caller keeps.
struct rt_note {
    struct rt_bytes text; // what is signed: through its final LF, without the blank line
    size_t count;
    struct rt_note_line lines[RT_NOTE_LINES_MOST];
};

// RT_MALFORMED, or RT_TOO_LARGE above RT_NOTE_MOST bytes or RT_NOTE_LINES_MOST lines. Checks form
// alone, no signature.
enum rt_status rt_note_parse(struct rt_bytes bytes, struct rt_note *ret_note) RT_WARN_UNUSED;

// The signature of one key: RT_OK when at least one line is the key's (name and id) and all of them
// verify; RT_UNKNOWN_KEY when there is none; RT_BAD_SIGNATURE. ret_time_s (may be NULL) is the
// latest time of a cosignature key's lines.
enum rt_status rt_note_verify(const struct rt_note *note, const struct rt_vkey *vkey,
                              uint64_t *ret_time_s) RT_WARN_UNUSED;
// Against several keys: lines of unknown keys are ignored, a bad line of a known key fails the
// note, and at least one key must have signed (RT_UNKNOWN_KEY). ret_signed (may be NULL) has count
// flags.
enum rt_status rt_note_verify_any(const struct rt_note *note, const struct rt_vkey *vkeys,
                                  size_t count, bool *ret_signed) RT_WARN_UNUSED;

// Append a whole note: text (which must end in LF and be allowed in a note), blank line, one
// signature line of type 0x01 under name.
enum rt_status rt_note_sign(const struct rt_secret_key *key, const char *name, struct rt_bytes text,
                            struct rt_buf *out) RT_WARN_UNUSED;
// Append one cosignature line (type 0x04) for text, to be put after a note's lines. time_s is at
// most 2^63-1.
enum rt_status rt_note_cosign(const struct rt_secret_key *key, const char *name, uint64_t time_s,
                              struct rt_bytes text, struct rt_buf *out) RT_WARN_UNUSED;

#endif
