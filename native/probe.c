/*
 * What this kernel really lets this user do, found by doing it in a child that is thrown away.
 * Prints one JSON object and decides nothing; src/wall/probe makes sense of it.
 */
#define _GNU_SOURCE
#include "launch.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct outcome {
  const char *step;
  int error;
};

/* Runs `attempt` in a child; the child leaves what happened in shared memory. */
static struct outcome tried(struct outcome (*attempt)(void)) {
  struct outcome *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
                                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) return (struct outcome){"memory", errno};
  *shared = (struct outcome){"did not finish", EIO};
  pid_t child = fork();
  if (child < 0) return (struct outcome){"fork", errno};
  if (child == 0) {
    *shared = attempt();
    _exit(0);
  }
  while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {
  }
  struct outcome result = *shared;
  munmap(shared, sizeof *shared);
  return result;
}

static struct outcome namespaces(void) {
  struct outcome result = {"user namespace", 0};
  /* Also sets this namespace's limit to 0, which is all right: the child ends here. */
  result.error = nest_user_namespace(0, 0, &result.step);
  if (result.error) return result;
  result.step = "mount, network, pid, ipc, uts and cgroup namespaces";
  if (unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS |
              CLONE_NEWCGROUP) < 0) {
    result.error = errno;
    return result;
  }
  result.error = loopback_everything(&result.step);
  return result;
}

static struct outcome routes(void) {
  struct outcome result = {"", 0};
  result.error = loopback_everything(&result.step);
  return result;
}

static struct outcome nested(void) {
  struct outcome result = {"", 0};
  result.error = nest_user_namespace(65534, 65534, &result.step);
  return result;
}

static void print_outcome(const char *name, struct outcome result) {
  if (result.error == 0) printf(",\"%s\":{\"ok\":true}", name);
  else
    printf(",\"%s\":{\"ok\":false,\"step\":\"%s\",\"error\":\"%s\"}", name, result.step,
           error_name(result.error));
}

int probe_host(void) {
  long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, 1 /* VERSION */);
  uint32_t action = SECCOMP_RET_KILL_PROCESS;
  long filters = syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action);
  int seccomp_error = filters < 0 ? errno : 0;
  int six = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  printf("{\"landlock\":%ld,\"seccomp\":%s,\"ipv6\":%s", abi < 0 ? 0 : abi,
         seccomp_error ? "false" : "true", six < 0 ? "false" : "true");
  fflush(stdout);
  print_outcome("namespaces", tried(namespaces));
  printf("}\n");
  return 0;
}

static struct outcome code(void) {
  struct outcome result = {"", 0};
  result.error = try_code(&result.step);
  return result;
}

int probe_inside(void) {
  printf("{\"inside\":true");
  fflush(stdout);
  print_outcome("code", tried(code));
  print_outcome("routes", tried(routes));
  print_outcome("nested", tried(nested));
  printf("}\n");
  return 0;
}
