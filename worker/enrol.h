// SPDX-License-Identifier: Apache-2.0
// Becoming a lab (DESIGN.md section 6): keys of one's own, a configuration to edit, and the answer
// to an operator's invitation. Private halves never leave the keys folder, and nothing that exists
// is replaced. Blocks on the disk, and on the terminal where a passphrase is asked for. One thread.
#ifndef RT_WORKER_ENROL_H
#define RT_WORKER_ENROL_H

#include "common/base/error.h"
#include "common/base/option.h"
#include "common/crypto/hash.h"

struct rt_enrol_settings {
    const char *folder; // the lab's; worker.yaml, keys/ and state/ go there
    bool no_passphrase;
    const char *passphrase_file;  // NULL: ask on the terminal
    const struct rt_text_list *classes; // data classes; none: public and synthetic
    const struct rt_text_list *serves;  // subject ids to announce
    const char *cosign;                 // vkey of the lab's checkpoint cosigner; NULL for none
    const char *contact;                // NULL or ""
};

// Make folder, keys/ (lab.key, lab.pub, transport.key) and a worker.yaml for lab, as far as each is
// missing. The state folder is refused on a network file system.
enum rt_status rt_enrol_init(const struct rt_enrol_settings *settings, const char *lab,
                             struct rt_error *err) RT_WARN_UNUSED;

struct rt_enrol_joined {
    char lab[65];
    char enrolment[4096]; // path of the file to send back
    char invite_words[RT_DIGEST_WORDS_BYTES];
    char key_words[RT_DIGEST_WORDS_BYTES];
};
// rt_enrol_init for the invitation's lab, then keep a copy of the invitation as lab.invite and
// write LAB.enrolment, signed by the new key. RT_TOO_LATE for an invitation that has expired,
// RT_CONFLICT when the folder belongs to another lab.
enum rt_status rt_enrol_join(const struct rt_enrol_settings *settings, const char *invite_path,
                             struct rt_enrol_joined *ret_joined,
                             struct rt_error *err) RT_WARN_UNUSED;

#endif
