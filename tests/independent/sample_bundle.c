// SPDX-License-Identifier: Apache-2.0
// Writes the auditor's sample campaign for programs that are not ours: FOLDER/bundle as a
// coordinator publishes it, FOLDER/keys with everybody's secret keys (unencrypted minisign files),
// so that an attacker may hold whichever of them an attack needs. Never part of an installation.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/file.h"
#include "tests/unit/auditor/sample/sample.h"

static void write_key(const char *folder, const char *name, const struct rt_secret_key *key)
{
    char path[600];
    struct rt_buf file;
    rt_buf_init(&file, 4096);
    MUST(rt_secret_key_file_format(key, NULL, &file) == RT_OK);
    MUST((size_t)snprintf(path, sizeof path, "%s/%s.key", folder, name) < sizeof path);
    MUST(rt_file_write(path, rt_buf_bytes(&file), 0600, NULL) == RT_OK);
    rt_buf_release(&file);
}

int main(int argc, char **argv)
{
    static struct sample sample;
    static const char *const labs[SAMPLE_LABS] = {"lab-a", "lab-b", "lab-c", "lab-d", "lab-e"};
    char folder[400], command[1000];
    bool open = argc == 3 && strcmp(argv[2], "--open") == 0;
    if (argc < 2 || argc > 3 || (argc == 3 && !open) || strlen(argv[1]) > 300) {
        fprintf(stderr, "usage: sample_bundle FOLDER [--open]\n");
        return 2;
    }
    sample_make(&sample, !open);
    snprintf(folder, sizeof folder, "%s/keys", argv[1]);
    MUST(rt_file_mkdir(folder, 0700, NULL) == RT_OK);
    write_key(folder, "log", sample.log);
    write_key(folder, "root", sample.root);
    write_key(folder, "operator", sample.operator_key);
    write_key(folder, "board", sample.board);
    for (size_t l = 0; l < SAMPLE_LABS; l++)
        write_key(folder, labs[l], sample.lab[l]);
    snprintf(command, sizeof command, "cp -R '%s' '%s/bundle'", sample.bundle, argv[1]);
    MUST(system(command) == 0);
    sample_release(&sample);
    return 0;
}
