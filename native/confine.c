/* What the process gives up before the command gets it. */
#define _GNU_SOURCE
#include "launch.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* include/uapi/linux/landlock.h as of Linux 6.12; distributions' headers lag behind the kernel. */
struct landlock_ruleset_attr_3 {
  uint64_t handled_access_fs;
  uint64_t handled_access_net;
  uint64_t scoped;
};
struct landlock_path_rule {
  uint64_t allowed_access;
  int32_t parent_fd;
} __attribute__((packed));
struct landlock_port_rule {
  uint64_t allowed_access;
  uint64_t port;
};
#define RULE_PATH_BENEATH 1
#define RULE_NET_PORT 2

/* Kinds of rule in the policy. */
#define POLICY_RULE_PATH 1u
#define POLICY_RULE_PORT 2u

void no_new_privileges(const char *operation) {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) refuse(operation, "can't be set", errno);
}

struct landlock_plan read_landlock(struct reader *r) {
  struct landlock_plan plan = {.fs = read_u64(r), .net = read_u64(r), .scoped = read_u64(r)};
  plan.count = read_u32(r);
  plan.rules = *r;
  for (uint32_t i = 0; i < plan.count; i++) {
    uint32_t kind = read_u32(r);
    read_u64(r);
    read_u64(r);
    if (kind == POLICY_RULE_PATH) read_string(r);
    else if (kind != POLICY_RULE_PORT) refuse(r->operation, "unknown kind of rule", 0);
  }
  plan.rules.end = r->at;
  return plan;
}

static void add_path_rule(const char *operation, int ruleset, uint64_t directory, uint64_t file,
                          const char *path) {
  struct stat found;
  int fd = open(path, O_PATH | O_CLOEXEC);
  if (fd < 0 || fstat(fd, &found) < 0) refuse(operation, path, errno);
  /* The kernel refuses rights that only directories have on anything else. */
  uint64_t allowed = S_ISDIR(found.st_mode) ? directory : file;
  if (allowed == 0)
    refuse(operation, path, S_ISDIR(found.st_mode) ? EISDIR : ENOTDIR);
  struct landlock_path_rule rule = {allowed, fd};
  if (syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &rule, 0) < 0)
    refuse(operation, path, errno);
  close(fd);
}

void apply_landlock(const char *operation, const struct landlock_plan *plan) {
  struct landlock_ruleset_attr_3 attributes = {plan->fs, plan->net, plan->scoped};
  /* An older kernel accepts the longer structure as long as what it doesn't know is zero. */
  int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0);
  if (ruleset < 0) refuse(operation, "ruleset", errno);
  struct reader rules = plan->rules;
  for (uint32_t i = 0; i < plan->count; i++) {
    uint32_t kind = read_u32(&rules);
    uint64_t first = read_u64(&rules), second = read_u64(&rules);
    if (kind == POLICY_RULE_PATH) {
      add_path_rule(operation, ruleset, first, second, read_string(&rules));
    } else {
      struct landlock_port_rule rule = {first, second};
      if (syscall(SYS_landlock_add_rule, ruleset, RULE_NET_PORT, &rule, 0) < 0)
        refuse(operation, "port", errno);
    }
  }
  if (syscall(SYS_landlock_restrict_self, ruleset, 0) < 0) refuse(operation, "restricting", errno);
  close(ruleset);
}

struct filter_plan read_filter(struct reader *r) {
  struct filter_plan plan = {.count = read_u32(r)};
  if (plan.count == 0 || plan.count > BPF_MAXINSNS) refuse(r->operation, "no filter or too long", 0);
  plan.code = read_bytes(r, (size_t)plan.count * sizeof(struct sock_filter));
  return plan;
}

static void install(const char *operation, struct sock_filter *code, unsigned short count) {
  struct sock_fprog program = {count, code};
  if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
    refuse(operation, "filter", errno);
}

void apply_filter(const char *operation, const struct filter_plan *plan) {
  /* Copied because the policy's records follow each other without padding. */
  struct sock_filter code[BPF_MAXINSNS];
  memcpy(code, plan->code, plan->count * sizeof *code);
  install(operation, code, (unsigned short)plan->count);
}

static int write_file(const char *path, const char *text) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return errno;
  int error = write(fd, text, strlen(text)) < 0 ? errno : 0;
  close(fd);
  return error;
}

int nest_user_namespace(uint32_t uid, uint32_t gid, const char **step) {
  char map[64];
  int error = 0;
  uid_t outer_uid = geteuid();
  gid_t outer_gid = getegid();
  *step = "making it";
  if (unshare(CLONE_NEWUSER) < 0) return errno;
  *step = "/proc/self/setgroups";
  if ((error = write_file(*step, "deny"))) return error;
  *step = "/proc/self/uid_map";
  snprintf(map, sizeof map, "%u %u 1", uid, outer_uid);
  if ((error = write_file(*step, map))) return error;
  *step = "/proc/self/gid_map";
  snprintf(map, sizeof map, "%u %u 1", gid, outer_gid);
  if ((error = write_file(*step, map))) return error;
  /* This namespace's own limit (user_namespaces(7)): none can be made in it, whoever asks how. */
  *step = "/proc/sys/user/max_user_namespaces";
  return write_file(*step, "0");
}

void drop_capabilities(const char *operation, uint32_t flags) {
  if (flags & ~(CAPABILITIES_BOUNDING | CAPABILITIES_SECUREBITS))
    refuse(operation, "unknown flags", 0);
  if (flags & CAPABILITIES_BOUNDING)
    for (unsigned long capability = 0; capability < 64; capability++)
      if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0) {
        if (errno == EINVAL) break; /* Past the last one this kernel has. */
        refuse(operation, "bounding set", errno);
      }
  if (flags & CAPABILITIES_SECUREBITS) {
    unsigned long bits = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |
                         SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED |
                         SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;
    if (prctl(PR_SET_SECUREBITS, bits, 0, 0, 0) < 0) refuse(operation, "securebits", errno);
  }
  if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
    refuse(operation, "ambient set", errno);
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct none[2] = {{0, 0, 0}, {0, 0, 0}};
  if (syscall(SYS_capset, &header, none) < 0) refuse(operation, "sets", errno);
}

/*
 * Executes `path` and makes that the last exec of this process and all it starts. A seccomp filter
 * sees arguments as numbers only, so the path is put at an address nobody can guess and the filter
 * lets execve pass for that address alone; any other kills the process, so guessing ends with the
 * first try. The same filter keeps tgkill(2), by which a program raises signals for itself (Node
 * does, to end), to the process's own id. A filter can't be read back without CAP_SYS_ADMIN (ptrace(2), PTRACE_SECCOMP_GET_FILTER).
 */
void execute_once(char *path, char **arguments, char **environment) {
  const char *operation = "execute once";
  const size_t page = 65536; /* A multiple of every page size. */
  size_t length = strlen(path) + 1;
  if (length > 4096) refuse(operation, "path is too long", 0);
  char *place = MAP_FAILED;
  for (int tries = 0; place == MAP_FAILED && tries < 64; tries++) {
    uint64_t random;
    if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
      refuse(operation, "no randomness", errno);
    /* Below 2^38, which every layout of user memory on x86-64 and arm64 has. */
    uintptr_t address = (uintptr_t)(random & 0x3fffffffffull);
    void *wanted = (void *)(address & ~(uintptr_t)(page - 1));
    if (wanted == NULL) continue;
    void *got = mmap(wanted, page + 4096, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (got == wanted) place = (char *)address;
    else if (got != MAP_FAILED) munmap(got, page + 4096);
  }
  if (place == MAP_FAILED) refuse(operation, "no room for the path", errno);
  memcpy(place, path, length);
  uint32_t low = (uint32_t)(uintptr_t)place, high = (uint32_t)((uintptr_t)place >> 32);
  struct sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_tgkill, 8, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_execveat, 5, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_execve, 0, 5),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, low, 0, 2),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0]) + 4),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, high, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)getpid(), 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  install(operation, code, sizeof code / sizeof *code);
  syscall(SYS_execve, place, arguments, environment);
  refuse("execute", path, errno);
}
