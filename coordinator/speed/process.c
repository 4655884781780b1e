// SPDX-License-Identifier: Apache-2.0
#include "coordinator/speed/process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/base/file.h"

extern char **environ;

static enum rt_status sibling(const char *program, char *ret_path, size_t capacity,
                              struct rt_error *err)
{
    char self[PATH_MAX];
    ssize_t size = readlink("/proc/self/exe", self, sizeof self - 1);
    if (size <= 0)
        return rt_error_errno(err, errno, "cannot find this program's own folder");
    self[size] = 0;
    *strrchr(self, '/') = 0;
    if (rt_path_join(ret_path, capacity, self, program) || !rt_file_exists(ret_path))
        return rt_error_set(err, RT_NOT_FOUND, "%s is not beside this program in %s", program,
                            self);
    return RT_OK;
}

enum rt_status rt_process_start(const char *program, const char *const *arguments,
                                const char *log_path, pid_t *ret_pid, struct rt_error *err)
{
    char path[PATH_MAX];
    enum rt_status status = sibling(program, path, sizeof path, err);
    if (status)
        return status;
    char *argv[RT_PROCESS_ARGUMENTS_MOST + 2] = {path};
    size_t count = 1;
    for (; *arguments; arguments++) {
        RT_ASSERT(count <= RT_PROCESS_ARGUMENTS_MOST);
        argv[count++] = (char *)(uintptr_t)*arguments;
    }
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log_path,
                                     O_WRONLY | O_CREAT | O_APPEND, 0600);
    posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
    int rc = posix_spawn(ret_pid, path, &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    return rc ? rt_error_errno(err, rc, "cannot start %s", path) : RT_OK;
}

static void last_line(const char *path, char *ret_line, size_t capacity)
{
    struct rt_buf text;
    rt_buf_init(&text, (size_t)64 << 20);
    ret_line[0] = 0;
    if (!rt_file_read(path, &text, NULL) && text.size) {
        rt_buf_truncate(&text, text.size - (text.data[text.size - 1] == '\n'));
        const char *line = strrchr(rt_buf_str(&text), '\n');
        snprintf(ret_line, capacity, "%s", line ? line + 1 : rt_buf_str(&text));
    }
    rt_buf_release(&text);
}

enum rt_status rt_process_run(const char *program, const char *const *arguments,
                              const char *log_path, struct rt_error *err)
{
    pid_t pid;
    enum rt_status status = rt_process_start(program, arguments, log_path, &pid, err);
    if (status)
        return status;
    int ended = 0;
    while (waitpid(pid, &ended, 0) < 0 && errno == EINTR)
        ;
    if (WIFEXITED(ended) && WEXITSTATUS(ended) == 0)
        return RT_OK;
    char line[512];
    last_line(log_path, line, sizeof line);
    return rt_error_set(err, RT_IO, "%s %s failed: %s", program, arguments[0], line);
}

static void pause_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

void rt_process_stop(pid_t pid)
{
    if (pid <= 0)
        return;
    kill(pid, SIGTERM);
    for (int i = 0; i < 250; i++) {
        pid_t done = waitpid(pid, NULL, WNOHANG);
        if (done == pid || (done < 0 && errno == ECHILD))
            return;
        pause_ms(20);
    }
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

enum rt_status rt_process_poll(pid_t pid)
{
    int ended = 0;
    pid_t done = waitpid(pid, &ended, WNOHANG);
    if (done == 0)
        return RT_AGAIN;
    return done == pid && WIFEXITED(ended) && WEXITSTATUS(ended) == 0 ? RT_OK : RT_IO;
}

// utime + stime of one stat file, in clock ticks; the name stands between parentheses and may hold
// anything.
static double ticks_of(const char *path, const char *thread_name)
{
    char text[1024];
    FILE *file = fopen(path, "re");
    if (!file)
        return 0;
    size_t size = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[size] = 0;
    char *open = strchr(text, '('), *close = strrchr(text, ')');
    if (!open || !close)
        return 0;
    *close = 0;
    if (thread_name && strcmp(open + 1, thread_name) != 0)
        return 0;
    unsigned long user = 0, system_time = 0;
    if (sscanf(close + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
               &system_time) != 2)
        return 0;
    return (double)(user + system_time);
}

double rt_process_cpu_us(pid_t pid, const char *thread_name)
{
    double ticks = 0;
    char path[PATH_MAX];
    if (!thread_name) {
        snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
        ticks = ticks_of(path, NULL);
    } else {
        snprintf(path, sizeof path, "/proc/%ld/task", (long)pid);
        DIR *dir = opendir(path);
        for (struct dirent *entry; dir && (entry = readdir(dir));) {
            if (entry->d_name[0] == '.')
                continue;
            snprintf(path, sizeof path, "/proc/%ld/task/%.32s/stat", (long)pid, entry->d_name);
            ticks += ticks_of(path, thread_name);
        }
        if (dir)
            closedir(dir);
    }
    return ticks * 1e6 / (double)sysconf(_SC_CLK_TCK);
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    (void)info;
    (void)kind;
    (void)walk;
    return remove(path);
}

void rt_process_remove_folder(const char *folder)
{
    nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

enum rt_status rt_process_free_port(unsigned *ret_port, struct rt_error *err)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) ||
        getsockname(fd, (struct sockaddr *)&address, &size)) {
        if (fd >= 0)
            close(fd);
        return rt_error_set(err, RT_NETWORK, "no free port on loopback");
    }
    *ret_port = ntohs(address.sin_port);
    close(fd);
    return RT_OK;
}
